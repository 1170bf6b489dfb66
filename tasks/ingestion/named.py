"""Every column that the charter names is one that the table has."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from charter import Charter, Refusal
from charter.evaluation import ByGroup, ByValue
from tasks.nearest import suggestion


def check_names(charter: Charter, schema: pa.Schema) -> None:
    """Refuse a clause that names no column: a misspelt one would do nothing and not say so."""
    for where, name in _named(charter):
        if name not in schema.names:
            raise Refusal(
                where,
                f"found no column {name} in the data",
                "wanted one that is there",
                suggestion(name, schema.names),
            )
    lower: dict[str, str] = {}
    for name in schema.names:
        other = lower.setdefault(name.casefold(), name)
        if other != name:
            raise Refusal(
                "data.source",
                f"found the columns {other} and {name}",
                "wanted names that differ in more than upper and lower case",
                "Rename one of them in the source.",
            )


def _named(charter: Charter) -> Iterator[tuple[str, str]]:
    data, target = charter.data, charter.goal.target
    yield "goal.target.column", charter.goal.target.column
    if data.time is not None:
        yield "data.time", data.time
    lists = {
        "data.key": data.key,
        "data.known_later": data.known_later,
        "data.known_before": data.known_before,
        "data.columns": tuple(
            # What is ignored may be of a kind that no table holds.
            name
            for name, column in data.columns.items()
            if column.role != "ignore"
        ),
        **({f"{target.sought.where}.columns": target.sought.columns} if target.sought else {}),
        "goal.target.anomalies.known": target.known,
        "evaluation.slices": charter.evaluation.slices,
        "features.drop": charter.features.drop,
        "privacy.identifiers": charter.privacy.identifiers,
        "privacy.quasi_identifiers": charter.privacy.quasi_identifiers,
        "privacy.sensitive": charter.privacy.sensitive,
        "privacy.never_input": charter.privacy.never_input,
        "privacy.cleared": charter.privacy.cleared,
    }
    for where, names in lists.items():
        for name in names:
            yield where, name
    consent = charter.privacy.consent
    if consent is not None and consent.table is None:
        for key in ("column", "withdrawn"):
            if (said := getattr(consent, key)) is not None:
                yield f"privacy.consent.{key}", said
    for number, rule in enumerate(data.rules):
        for name in rule.names:
            yield f"data.rules.{number}", name
    if isinstance(charter.split, ByGroup | ByValue):
        yield "evaluation.split.column", charter.split.column
