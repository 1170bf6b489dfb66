"""The parts of `tasks/replay.py`, which is their face.

`later` gives the rows that the training left for run time, `ticks` the moments of the schedule,
`clients` the people who ask and later tell how it went, `room` the root in which it all happens,
`months` what came out, `report` the page and the picture of it.
"""
