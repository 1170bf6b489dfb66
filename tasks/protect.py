"""The rows that may be used, as they may be used: consent, and what was made of persons in them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator

import pyarrow as pa

from charter import Charter, Frozen, Refusal, Verdict
from tasks import lake
from tasks.lake import Table
from tasks.progress import report
from tasks.protection.door import Door, counted, door, told, total

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same rows have to be protected differently."""


class Protected(Frozen):
    """The table to learn from, and what was done for the people in it."""

    table: Table
    """What came in, where nothing had to be changed; else `tables/<project>/protected`."""
    purpose: str
    barred: dict[str, int] = {}
    """Rows that may not be used, by reason, those of ingestion and collection included."""
    identifiers: tuple[str, ...] = ()
    """Columns whose names are hashes."""
    never_input: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def protect(charter: Charter, table: Table, barred: dict[str, int] | None = None) -> Protected:
    """Keep what may be used of a validated or renewed table.

    Consent is asked again, since rows of run time were collected when it may still have stood.
    `barred` is what earlier doors kept out. Costs nothing where the charter declares nothing.
    """
    guard = door(charter)
    made = table if guard is None else _guarded(charter, table, guard)
    out = total(barred or {}, counted(guard))
    privacy = charter.privacy
    return Protected(
        table=made,
        purpose=privacy.purpose,
        barred=out,
        identifiers=privacy.identifiers,
        never_input=privacy.never_input,
        verdicts=tuple(_verdicts(charter, made, out)),
    )


def _guarded(charter: Charter, table: Table, guard: Door) -> Table:
    """The table itself where every row of it passes as it is."""
    if _passes(table, guard):
        return table
    where = f"tables/{charter.name}/protected"
    said = [WAY, table.where, table.version, table.fingerprint, guard.fingerprint]
    fingerprint = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    known = lake.find(where, charter.name, fingerprint)
    if known is None:
        guard.barred.clear()
        schema = guard.schema(lake.dataset(table).schema.remove_metadata())
        reader = pa.RecordBatchReader.from_batches(schema, _kept(charter, table, guard))
        known = lake.write(where, charter.name, reader, fingerprint)
    return known


def _passes(table: Table, guard: Door) -> bool:
    """Whether all rows may be used and all names are hashes of the newest key."""
    there = lake.dataset(table).schema.names
    names = [name for name in guard.asks if name in there]
    same = True
    for batch in lake.read(table, names):
        veiled = guard.veiled(batch)
        kept = guard.admitted(veiled)
        same &= veiled.equals(batch) and (kept is None or kept.false_count == 0)
    return same


def _kept(charter: Charter, table: Table, guard: Door) -> Iterator[pa.RecordBatch]:
    done = left = 0
    for batch in lake.read(table):
        done += batch.num_rows
        report("protect", done, max(table.rows, 1), "rows")
        batch = guard.apply(batch)
        left += batch.num_rows
        if batch.num_rows:
            yield batch
    if not left:
        raise Refusal(
            "privacy.consent",
            f"found no row that may be used: {told(counted(guard))}",
            f"wanted rows of people who agreed to: {charter.privacy.purpose}",
            "Look at privacy.consent, and at what it reads.",
        )


def _verdicts(charter: Charter, table: Table, barred: dict[str, int]) -> Iterator[Verdict]:
    privacy = charter.privacy
    if privacy.identifiers:
        names = ", ".join(privacy.identifiers)
        yield Verdict(
            gate="privacy.identifiers", passed=True,
            message=f"{names}: stored as keyed hashes only, and no inputs.",
        )  # fmt: skip
    if privacy.consent is not None:
        out = sum(barred.values())
        why = f": {told(barred)}" if barred else ""
        yield Verdict(
            gate="privacy.consent", passed=True,
            message=f"{table.rows:,} rows with consent; {out:,} without, not kept{why}.",
            numbers={"rows": table.rows, "without": out},
        )  # fmt: skip
