"""The parts of `tasks/size.py`: load on a service, and what follows from a few measured loads."""
