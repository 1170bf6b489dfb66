"""`fairness`: its place in the charter; no clause of it executes yet."""

from __future__ import annotations

from charter.frozen import Frozen


class Fairness(Frozen):
    """Empty: a clause that nothing reads would be a promise nobody keeps."""
