"""Who agreed to the purpose, and why a row may not be used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Refusal
from charter.data import Role
from charter.privacy import Consent
from serving.pseudonyms import Pseudonyms
from tasks.nearest import suggestion
from tasks.protection.hashes import hashed
from tasks.scratch import scratch
from tasks.sources import Source, opened, rows
from tasks.sources.refused import Strict

UNTOLD = "no consent is told"
REFUSED = "consent is refused"
WITHDRAWN = "consent was withdrawn"
UNLISTED = "the person is not on the list of consents"
ELSEWHERE = "consent is for another purpose"
NOBODY = "no person is named, so no consent is found"
WHERE = "privacy.consent.table"

Reasons = list[tuple[str, pa.Array]]
"""Why rows may not be used, and which; the first that holds counts."""


@dataclass(frozen=True)
class Listed:
    """Persons of a list of consents, as hashes."""

    live: pa.Array
    withdrawn: pa.Array
    elsewhere: pa.Array


def listed(charter: Charter, consent: Consent, hashes: Pseudonyms) -> Listed | None:
    """The list that the charter names; None where each row says it itself.

    Of several rows for one person and purpose, one that stands is enough.
    """
    if consent.table is None:
        return None
    live, withdrawn, elsewhere = set[str](), set[str](), set[str]()
    for persons, purposes, ends in _read(charter, consent, hashes):
        for person, purpose, end in zip(persons, purposes, ends, strict=True):
            if not person:
                continue
            if consent.purpose is not None and purpose != charter.privacy.purpose:
                elsewhere.add(person)
            else:
                (withdrawn if end else live).add(person)
    withdrawn -= live
    found = (live, withdrawn, elsewhere - live - withdrawn)
    return Listed(*(pa.array(sorted(one), pa.string()) for one in found))


def source(consent: Consent) -> Source | None:
    """Where the list stands."""
    return None if consent.table is None else opened(consent.table, WHERE)


def reasons(charter: Charter, list: Listed | None, batch: pa.Table | pa.RecordBatch) -> Reasons:
    """Why rows of the batch (names as hashes) may not be used."""
    consent, person = charter.privacy.consent, charter.privacy.person
    if consent is None:
        return []
    if list is not None and person is not None:
        persons = _column(batch, person)
        within = [pc.is_in(persons, value_set=one) for one in (list.withdrawn, list.elsewhere)]
        return [
            (NOBODY, pc.is_null(persons)),
            (WITHDRAWN, within[0]),
            (ELSEWHERE, within[1]),
            (UNLISTED, pc.invert(pc.is_in(persons, value_set=list.live))),
        ]
    said = pc.utf8_lower(_column(batch, consent.column or ""))
    yes = [*consent.affirmative, charter.privacy.purpose.lower()] if not consent.given else None
    allowed = pa.array(yes or consent.affirmative, pa.string())
    found: Reasons = [
        (UNTOLD, pc.or_(pc.is_null(said), pc.equal(pc.fill_null(said, ""), ""))),
        (REFUSED, pc.invert(pc.is_in(said, value_set=allowed))),
    ]
    if consent.withdrawn is not None:
        found.append((WITHDRAWN, pc.is_valid(_column(batch, consent.withdrawn))))
    return found


def _column(batch: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    """As texts; what is not there is missing."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    column = batch.column(name).cast(pa.string())
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _read(
    charter: Charter, consent: Consent, hashes: Pseudonyms
) -> Iterator[tuple[list[str | None], list[str | None], list[str | None]]]:
    """Person (as hash), purpose and end of each row of the list."""
    assert consent.table is not None
    person = charter.privacy.person
    assert person is not None
    name = consent.subject or person
    wanted = [name, *filter(None, (consent.purpose, consent.withdrawn))]
    roles: dict[str, Role | None] = dict.fromkeys(wanted, "text")
    origin = opened(consent.table, WHERE)
    with scratch("consent") as room:
        read = rows(origin, roles, room, Strict(origin.name, shown=False))
        for one in wanted:
            _there(one, read.schema)
        for batch in read.batches:
            nothing: list[str | None] = [None] * batch.num_rows
            told = [
                nothing if one is None else batch.column(one).to_pylist()
                for one in (consent.purpose, consent.withdrawn)
            ]
            yield hashed(hashes, person, batch.column(name)).to_pylist(), told[0], told[1]


def _there(name: str, schema: pa.Schema) -> None:
    if name not in schema.names:
        raise Refusal(
            WHERE, f"found no column {name}", "wanted the person, and what consent names",
            suggestion(name, schema.names),
        )  # fmt: skip


def digest(list: Listed) -> str:
    """SHA-256 of who agreed."""
    found = hashlib.sha256()
    for one in (list.live, list.withdrawn, list.elsewhere):
        found.update("\0".join(one.to_pylist()).encode() + b"\1")
    return found.hexdigest()
