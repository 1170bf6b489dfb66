"""The parts of `tasks/appraise.py`, which is their face.

`fewer` fits on fewer rows, in the child process; `course` decides which fits there is time for;
`draws` resamples the scores; `power` goes on beyond the measured rows; `forecast` says whether that
may be believed; `wording` says it to a person; `page` shows it.
"""
