"""The parts of `tasks/decide.py`: the stream that both releases answer, the looks at it, the page."""
