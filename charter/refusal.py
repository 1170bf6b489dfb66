"""The one exception for what is not fit: the charter, the data or the model."""

from __future__ import annotations


class Refusal(Exception):
    """Says where, what was found, what was wanted and what to do; never retried.

    Everything else that is raised is a fault and may be retried.
    """

    def __init__(self, where: str, found: str, wanted: str, remedy: str) -> None:
        # All four are handed to Exception, so that the refusal survives a process boundary.
        super().__init__(where, found, wanted, remedy)
        self.where = where
        self.found = found
        self.wanted = wanted
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.found}, {self.wanted}. {self.remedy}"
