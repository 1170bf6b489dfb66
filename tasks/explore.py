"""What the data look like: one page for people, the same numbers for later stages."""

from __future__ import annotations

from charter import Charter, Frozen
from charter.goal import Task
from serving.signature import Kind
from tasks.lake import Table


class ColumnProfile(Frozen):
    """One column, over all rows of the table."""

    name: str
    kind: Kind
    role: str
    """A charter role (charter.data.Role): declared in the charter, or guessed from the values."""
    missing_share: float
    distinct: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    """At 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99; seconds for times."""
    levels: tuple[tuple[str, int], ...] = ()
    """Most frequent values of texts and flags with their counts, at most 64."""
    target_strength: float | None = None
    """How well the column alone predicts the target, 0 (nothing) to 1 (everything)."""


class Suspect(Frozen):
    """A column that looks as if it were known only with the target."""

    column: str
    evidence: str
    """One sentence with the number."""
    strength: float


class Profile(Frozen):
    """What exploration found."""

    project: str
    fingerprint: str
    rows: int
    task: Task
    classes: tuple[str, ...] = ()
    """Class labels as texts; two classes: negative, positive."""
    columns: tuple[ColumnProfile, ...]
    suspects: tuple[Suspect, ...] = ()
    page: str
    """The HTML page, relative to the root."""
    numbers: str
    """The JSON file with everything on the page, relative to the root."""

    def column(self, name: str) -> ColumnProfile:
        return next(column for column in self.columns if column.name == name)


def explore(charter: Charter, table: Table) -> Profile:
    """Profile every column of the table and write the page."""
    raise NotImplementedError
