"""The rows that may be used, as they may be used, and how well the people in them hide."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen, Refusal, Verdict
from serving.home import place
from tasks import lake
from tasks.lake import Table
from tasks.progress import report
from tasks.protection.anonymity import SMALL, Anonymity, anonymity
from tasks.protection.door import Door, counted, door, told, total
from tasks.protection.found import Cleaning, refuse, scanner
from tasks.protection.generalise import Generalised, Generaliser
from tasks.protection.price import Price, price
from tasks.protection.scan import Find
from tasks.validation.whole import stored

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same rows have to be protected differently."""
Apply = Callable[[pa.RecordBatch], pa.RecordBatch]


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
    found: tuple[Find, ...] = ()
    """Columns that look personal and are not declared."""
    action: str = ""
    """What became of them."""
    before: Anonymity | None = None
    """How people hide by the quasi-identifiers, as the rows came."""
    after: Anonymity | None = None
    """And in the table, where privacy.k asked for more."""
    generalised: Generalised | None = None
    price: Price | None = None
    verdicts: tuple[Verdict, ...] = ()
    page: str = ""
    """The HTML page, relative to the root; empty where nothing is declared and nothing was found."""


def protect(
    charter: Charter,
    table: Table,
    barred: dict[str, int] | None = None,
    found: tuple[Find, ...] = (),
    look: bool = True,
) -> Protected:
    """Keep what may be used of a validated or renewed table, and tell how well people hide in it.

    Consent is asked again, since rows of run time were collected when it may still have stood.
    `barred` is what earlier doors kept out, `found` what ingestion found and saw to; `look`: there are
    rows that it did not see. Undeclared personal data, and a table without a row that may be used, are refused. With privacy.k the
    quasi-identifiers are made coarser. Costs nothing where the charter declares nothing.
    """
    from tasks.protection.page import write
    from tasks.protection.verdicts import verdicts

    guard = door(charter)
    more = _scanned(charter, table) if look else ()
    refuse(charter, more)
    cleaning = Cleaning(charter, more)
    finds = (*found, *(one for one in more if one.column not in {two.column for two in found}))
    made = _admitted(charter, table, guard, cleaning)
    made, hidden = _hidden(charter, made)
    privacy = charter.privacy
    protected = Protected(
        table=made,
        purpose=privacy.purpose,
        barred=total(barred or {}, counted(guard)),
        identifiers=privacy.identifiers,
        never_input=privacy.never_input,
        found=finds,
        action=privacy.found.action,
        **hidden,
    )
    protected = protected.model_copy(update={"verdicts": tuple(verdicts(charter, protected))})
    if protected.verdicts:
        protected = protected.model_copy(update={"page": f"pages/{charter.name}/privacy.html"})
        write(charter, protected)
    _remember(charter, protected)
    return protected


def protection(project: str, table: Table) -> Protected | None:
    """What was said of a table that was protected; None where nothing was."""
    try:
        return Protected.model_validate_json(_note(project, table).read_bytes())
    except (OSError, ValueError):
        return None


def _scanned(charter: Charter, table: Table) -> tuple[Find, ...]:
    looks = scanner(charter, lake.dataset(table).schema)
    for batch in lake.read(table, looks.names):
        looks.look(batch)
    return looks.finds()


def _admitted(charter: Charter, table: Table, guard: Door | None, cleaning: Cleaning) -> Table:
    """The table itself where every row of it passes as it is."""
    if guard is None and not cleaning.actions:
        return table
    if guard is not None and not cleaning.actions and _passes(table, guard):
        return table
    said: list[object] = [guard and guard.fingerprint, cleaning.actions]
    if (known := _known(charter, table, said)) is not None:
        return known
    schema = lake.dataset(table).schema.remove_metadata()
    applies: list[Apply] = [cleaning.apply]
    if guard is not None:
        guard.barred.clear()
        schema = guard.schema(schema)
        applies.insert(0, guard.apply)
    batches = _kept(charter, table, guard, applies)
    return _written(charter, table, said, cleaning.schema(schema), batches)


def _passes(table: Table, guard: Door) -> bool:
    """Whether all rows may be used and all names are hashes of the newest key."""
    there = lake.dataset(table).schema.names
    same = True
    for batch in lake.read(table, [name for name in guard.asks if name in there]):
        veiled = guard.veiled(batch)
        kept = guard.admitted(veiled)
        same &= veiled.equals(batch) and (kept is None or kept.false_count == 0)
    return same


def _kept(
    charter: Charter, table: Table, guard: Door | None, applies: list[Apply]
) -> Iterator[pa.RecordBatch]:
    done = left = 0
    for batch in lake.read(table):
        done += batch.num_rows
        report("protect", done, max(table.rows, 1), "rows")
        for apply in applies:
            batch = apply(batch)
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


def _hidden(charter: Charter, table: Table) -> tuple[Table, dict[str, object]]:
    """How people hide in the table; with privacy.k, in one whose quasi-identifiers are coarser."""
    privacy = charter.privacy
    if not privacy.quasi_identifiers:
        return table, {}
    asked = privacy.k or SMALL
    ways = (privacy.quasi_identifiers, privacy.sensitive, asked)
    with stored(charter, table) as connection:
        before = anonymity(connection, "rows", *ways)
        if privacy.k is None or before.k >= privacy.k:
            return table, {"before": before}
        climbing = Generaliser(connection, privacy.quasi_identifiers, privacy.k)
        climbing.climb()
        schema = lake.dataset(table).schema.remove_metadata()
        generalised = climbing.write(schema.names)
        after = anonymity(connection, "hidden", *ways)
        said: list[object] = [list(privacy.quasi_identifiers), privacy.k, generalised.model_dump()]
        made = _known(charter, table, said)
        if made is None:
            found = connection.sql("SELECT * FROM hidden").to_arrow_reader(131_072)
            batches = (batch.cast(schema) for batch in found)
            made = _written(charter, table, said, schema, batches)
        places = connection.execute(climbing.places).fetchnumpy()["place"]
    unknown = charter.goal.target.sought is not None  # no model can say what it costs yet
    cost = None if unknown else price(charter, table, made, np.asarray(places, dtype=np.int64))
    return made, {"before": before, "after": after, "generalised": generalised, "price": cost}


def _known(charter: Charter, table: Table, said: list[object]) -> Table | None:
    return lake.find(f"tables/{charter.name}/protected", charter.name, _digest(table, said))


def _written(
    charter: Charter, table: Table, said: list[object], schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
) -> Table:  # fmt: skip
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    where = f"tables/{charter.name}/protected"
    return lake.write(where, charter.name, reader, _digest(table, said))


def _digest(table: Table, said: list[object]) -> str:
    told = [WAY, table.where, table.version, table.fingerprint, said]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _note(project: str, table: Table) -> Path:
    name = f"{table.where.rpartition('/')[2]}-{table.version}.json"
    return place(f"tables/{project}/protections/{name}")


def _remember(charter: Charter, protected: Protected) -> None:
    """For the papers of the model that learns from it."""
    note = _note(charter.name, protected.table)
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_name(f".{note.name}.{os.getpid()}")
    draft.write_text(protected.model_dump_json(indent=1), encoding="utf-8")
    draft.replace(note)
