"""The parts of drafting a charter.

- `source`: how the file is to be read (format, delimiter, encoding).
- `facts`: what its columns hold, over all rows.
- `guesses`: what they may be for (target, key, time, identifiers, copies of the target).
- `wording`: the YAML, with the open questions as comments.
"""
