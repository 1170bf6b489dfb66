"""`privacy` and `fairness`: their place in the charter; no clause of theirs executes yet."""

from __future__ import annotations

from charter.frozen import Frozen


class Privacy(Frozen):
    """Empty: a clause that nothing reads would be a promise nobody keeps."""


class Fairness(Frozen):
    """Empty: a clause that nothing reads would be a promise nobody keeps."""
