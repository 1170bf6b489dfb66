"""The parts of `tasks/monitor.py`, which is their face.

What the bundle brings: `cells` cut a column into a few cells, `days` tells which rows belong
together, `reference` counts the rows before the release and stands in the bundle. What is asked
of a window: `drift` (by the `null` of windows without drift), `performance` with and without
labels, `health` of the service; `window` gathers all that from the journal in one pass, `page`
shows it.
"""
