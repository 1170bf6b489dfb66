"""Which columns may be about people: by what their values look like, and by what they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.drafting.facts import Looked, quoted
from tasks.protection.scan import Scanner

SAMPLE = 20_000
"""Rows whose values are looked at; ingestion looks at all."""
_TOGETHER = re.compile(
    r"(^|_)(age|birth|born|dob|sex|gender|race|ethnicity|zip|zip_?code|post_?code|postal_?code|plz"
    r"|city|nationality|native_country|country_of_birth|marital_status|occupation|profession)(_|$)"
)
_ALIKE = re.compile(
    r"(^|_)(age|sex|gender|race|ethnicity|religion|disability|nationality|native_country"
    r"|marital_status|orientation)(_|$)"
)


@dataclass(frozen=True)
class Persons:
    """What to ask about; every column is a suspicion."""

    names: tuple[tuple[str, str], ...] = ()
    """Columns that may name a person, and why."""
    together: tuple[str, ...] = ()
    """Columns that together may single a person out."""
    alike: tuple[str, ...] = ()
    """Columns by whose groups people may have to be treated alike."""

    def __bool__(self) -> bool:
        return bool(self.names or self.together or self.alike)


def persons(looked: Looked, target: str) -> Persons:
    """The suspects among the columns, the target left out."""
    others = [fact.name for fact in looked.facts if fact.name != target]
    return Persons(
        names=tuple(_names(looked, others)),
        together=tuple(name for name in others if _TOGETHER.search(_plain(name))),
        alike=tuple(
            fact.name
            for fact in looked.facts
            if fact.name in others and _ALIKE.search(_plain(fact.name)) and fact.distinct > 1
        ),
    )


def _names(looked: Looked, columns: list[str]) -> Iterator[tuple[str, str]]:
    if not columns:
        return
    scanner = Scanner(columns)
    asked = ", ".join(map(quoted, columns))
    rows = looked.connection.sql(f"SELECT {asked} FROM t LIMIT {SAMPLE}").to_arrow_table()
    for batch in rows.combine_chunks().to_batches():
        scanner.look(batch)
    for find in scanner.finds():
        if _TOGETHER.search(_plain(find.column)):
            continue
        if find.kind == "column name":
            yield find.column, "called like a person's" if find.sure else "may be called so"
        else:
            yield find.column, f"{find.share:.0%} of its values look like {find.kind}"


def _plain(column: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column)
    return re.sub(r"\W+", "_", parted).lower()
