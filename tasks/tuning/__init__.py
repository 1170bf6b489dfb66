"""The parts of `tasks/tune.py`, which is their face.

`bench` fits and weighs, in the child process; `clock` keeps the minutes; `search` is the only file
that knows Optuna; `climb` searches one family; `crew` runs its trials here, `cluster` on the workers
of a `scheduler`; `choice` decides between the rungs; `folder` is what stays on disk and lets a
killed run go on; `page` shows it.
"""
