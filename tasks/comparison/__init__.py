"""The parts of `tasks/compare.py`: which rows neither model has seen, what both say, the page."""
