"""Everything that exploration found, before it becomes a page, a file and a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from charter import Charter
from charter.evaluation import ByGroup, ByValue
from tasks import progress
from tasks.exploration.associations import Associations, associations
from tasks.exploration.columns import Content, contents
from tasks.exploration.courses import Courses, courses
from tasks.exploration.gaps import Overlap, Pattern, overlaps, patterns
from tasks.exploration.outliers import Outliers, outliers
from tasks.exploration.pauses import Pauses, pauses
from tasks.exploration.relations import Relation, relations
from tasks.exploration.store import Store
from tasks.exploration.suspects import Evidence, suspects
from tasks.exploration.target import Truth, counted
from tasks.exploration.telling import Telling, telling
from tasks.exploration.twins import Twins, twins


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
    patterns: tuple[Pattern, ...]
    telling: tuple[Telling, ...]
    outliers: tuple[Outliers, ...]
    """Of the target and of the columns that may become features."""
    twins: Twins
    suspects: tuple[Evidence, ...]
    associations: Associations
    courses: Courses | None
    pauses: Pauses | None
    aside: dict[str, str]
    """Columns that cannot become features, and why."""

    def strength(self, column: str) -> float | None:
        return self._strengths.get(column)

    @cached_property
    def _strengths(self) -> dict[str, float]:
        return {relation.column: relation.strength for relation in self.relations}

    def foremost(self, most: int) -> tuple[Content, ...]:
        """At most this many columns in the order of the table: the target, and those that tell most
        about it."""
        if len(self.columns) <= most:
            return self.columns
        told = [relation.column for relation in self.relations]
        rest = [column.name for column in self.columns if column.name not in self._strengths]
        named = set([self.truth.field.name, *told, *rest][:most])
        return tuple(column for column in self.columns if column.name in named)

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
    progress.report("explore", 0.7, 1, "associations")
    paired = associations(store, _telling_first(columns, related, truth))
    progress.report("explore", 0.8, 1, "change over time")
    time = next((c for c in columns if _is_time(charter, c)), None)
    aside = _aside(charter, columns)
    able = [column for column in columns if column.name not in aside]
    mean = next(column.mean for column in columns if column.field == truth.field)
    over_time = courses(store, truth, columns, time) if time else None
    progress.report("explore", 0.9, 1, "outliers, pauses and twins")
    inputs = [c for c in able if c.field != truth.field and c != time]
    return Findings(
        rows=store.rows,
        outside=store.outside,
        held=int(store.held.sum()),
        truth=truth,
        columns=columns,
        relations=related,
        overlaps=tuple(gaps),
        patterns=tuple(patterns(store, columns)),
        telling=tuple(telling(truth, [r for r in related if r.column not in aside], mean or 0.0)),
        outliers=tuple(outliers(store, able)),
        twins=twins(store, truth, inputs),
        suspects=()
        if charter.goal.target.sought
        else tuple(suspects(charter, truth, related, gaps)),
        associations=paired,
        courses=over_time,
        pauses=pauses(store, time) if time else None,
        aside=aside,
    )


def _is_time(charter: Charter, column: Content) -> bool:
    return column.name == charter.data.time and column.field.kind == "time"


def _telling_first(
    columns: Sequence[Content], related: Sequence[Relation], truth: Truth
) -> list[Content]:
    usable = [c for c in columns if c.role in ("number", "category", "time", "flag")]
    strengths = {relation.column: relation.strength for relation in related}
    first = {truth.field.name: 1.0}
    return sorted(usable, key=lambda c: -strengths.get(c.name, first.get(c.name, 0.0)))


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


def _aside(charter: Charter, columns: Sequence[Content]) -> dict[str, str]:
    """Those that engineering leaves out whatever it finds."""
    reasons = {
        c.name: f"its role is {c.role}"
        for c in columns
        if c.role in ("identifier", "ignore", "text")
    }
    if len(charter.data.key) == 1:
        reasons[charter.data.key[0]] = "names the row"
    if isinstance(charter.split, ByGroup):
        reasons[charter.split.column] = "makes the groups of the split"
    if isinstance(charter.split, ByValue):
        reasons[charter.split.column] = "says which rows are held out"
    if not charter.fairness.at_prediction:
        reasons |= dict.fromkeys(charter.fairness.sensitive, "named in fairness.sensitive")
    reasons |= dict.fromkeys(charter.features.drop, "named in features.drop")
    reasons |= charter.privacy.barred
    return reasons | dict.fromkeys(charter.data.known_later, "known later")
