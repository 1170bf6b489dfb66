"""The parts of `tasks/engineer.py`: what is chosen, what each input is worth, what is shown."""
