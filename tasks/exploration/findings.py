"""Everything that exploration found, before it becomes a page, a file and a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from charter import Charter
from tasks import progress
from tasks.exploration.associations import Associations, associations
from tasks.exploration.columns import Content, contents
from tasks.exploration.courses import Courses, courses
from tasks.exploration.gaps import Overlap, overlaps
from tasks.exploration.relations import Relation, relations
from tasks.exploration.store import Store
from tasks.exploration.suspects import Evidence, suspects
from tasks.exploration.target import Truth, counted


@dataclass(frozen=True)
class Findings:
    """One table, looked at."""

    rows: int
    """Rows that were looked at; the counts of everything but the repeats are of these."""
    outside: int
    """Rows outside of the holdout: more than `rows` where a sample was drawn."""
    held: int
    """Rows in custody, which nobody looked at."""
    truth: Truth
    columns: tuple[Content, ...]
    relations: tuple[Relation, ...]
    """Strongest first."""
    overlaps: tuple[Overlap, ...]
    suspects: tuple[Evidence, ...]
    associations: Associations
    courses: Courses | None
    aside: dict[str, str]
    """Columns that cannot become features, and why."""

    def strength(self, column: str) -> float | None:
        return next((r.strength for r in self.relations if r.column == column), None)

    @property
    def open(self) -> tuple[Relation, ...]:
        """Relations of the columns that may become features, strongest first."""
        return tuple(relation for relation in self.relations if relation.column not in self.aside)

    @property
    def target(self) -> Content:
        return next(column for column in self.columns if column.field == self.truth.field)


def findings(charter: Charter, store: Store, read: Truth) -> Findings:
    """Look at the target, each column, and how they go together and over time."""
    truth = counted(read, store)
    columns = _columns(charter, store)
    related = _relations(store, truth, columns)
    gaps = overlaps(store, columns, truth.field.name)
    progress.report("explore", 0.75, 1, "associations")
    usable = [c for c in columns if c.role in ("number", "category", "time", "flag")]
    strengths = {relation.column: relation.strength for relation in related}
    usable.sort(key=lambda c: -strengths.get(c.name, 1.0 if c.field == truth.field else 0.0))
    paired = associations(store, usable)
    progress.report("explore", 0.9, 1, "change over time")
    over_time = _over_time(charter, store, truth, columns)
    return Findings(
        store.rows,
        store.outside,
        int(store.held.sum()),
        truth,
        columns,
        related,
        tuple(gaps),
        tuple(suspects(charter, truth, related, gaps)),
        paired,
        over_time,
        _aside(charter, columns),
    )


def _columns(charter: Charter, store: Store) -> tuple[Content, ...]:
    seen = []
    for content in contents(charter, store):
        seen.append(content)
        progress.report("explore", 0.1 + 0.3 * len(seen) / len(store.fields), 1, content.name)
    return tuple(seen)


def _relations(store: Store, truth: Truth, columns: Sequence[Content]) -> tuple[Relation, ...]:
    found = []
    for at, (content, relation) in enumerate(relations(store, truth, columns)):
        progress.report("explore", 0.4 + 0.35 * at / len(columns), 1, content.name)
        if relation is not None:
            found.append(relation)
    return tuple(sorted(found, key=lambda relation: -relation.strength))


def _over_time(
    charter: Charter, store: Store, truth: Truth, columns: Sequence[Content]
) -> Courses | None:
    named = [c for c in columns if c.name == charter.data.time and c.field.kind == "time"]
    return courses(store, truth, columns, named[0]) if named else None


def _aside(charter: Charter, columns: Sequence[Content]) -> dict[str, str]:
    reasons = {
        c.name: f"its role is {c.role}" for c in columns if c.role in ("identifier", "ignore")
    }
    reasons |= dict.fromkeys(charter.features.drop, "named in features.drop")
    return reasons | dict.fromkeys(charter.data.known_later, "known later")
