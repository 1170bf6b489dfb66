"""How a section says that two of its clauses cannot both hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Conflict:
    """One contradiction: the key it shows at, relative to the section that found it."""

    key: str
    found: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.key}: found {self.found}, wanted {self.wanted}. {self.remedy}"


class Contradiction(ValueError):
    """Every conflict of a section; pydantic carries it to `charter.load`."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__("; ".join(map(str, self.conflicts)))


def agree(conflicts: Iterable[Conflict]) -> None:
    """Let pass when there is none."""
    found = tuple(conflicts)
    if found:
        raise Contradiction(found)
