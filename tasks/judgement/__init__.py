"""The parts of the judgement on the holdout; `tasks/evaluate.py` puts them together."""
