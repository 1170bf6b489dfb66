"""The parts of `tasks/tune.py`, which is their face.

`bench` fits and weighs, in the child process; `clock` keeps the minutes; `search` is the only file
that knows Optuna; `climb` searches one family; `choice` decides between the rungs; `folder` is what
stays on disk and lets a killed run go on; `page` shows it.
"""
