"""What turned out to be true, from a file: of predictions, or of rows that no service answered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from charter import Charter, Frozen, Refusal
from serving import releases
from serving.bundle import load
from serving.feedback import truth
from serving.home import home
from serving.journal import Journal, Truth
from serving.journaling import ids
from serving.signature import Input, Signature
from serving.values import Unfit
from tasks.ingestion.derive import Derived
from tasks.ingestion.incoming import rows_for_scoring
from tasks.ingestion.joins import workbench
from tasks.nearest import nearest
from tasks.progress import report
from tasks.protection.door import veil
from tasks.scratch import scratch

ID = "id"
AT_ONCE = 5_000  # rows of one transaction

Line = tuple[str, dict[str, Any], Truth]
"""The id, the other columns, and the truth of one row of the file."""


class Fed(Frozen):
    """What became of the rows of the file."""

    project: str
    rows: int
    untold: int
    """Rows without a truth, left out."""
    accepted: int = 0
    """First truths of predictions."""
    duplicates: int = 0
    """Truths that were known already."""
    contradictions: int = 0
    """Truths that replace another one."""
    orphans: int = 0
    """Truths for an id that no prediction has."""
    arrived: int = 0
    """Whole rows that are in the journal now and were not before."""
    known: int = 0
    """Whole rows that this file brought before."""


def feedback(charter: Charter, input: Path) -> Fed:
    """Enter the outcomes of a CSV or Parquet file into the project's journal.

    With a column `id`, each row is the truth of a prediction: the target, or the columns that
    `goal.target.derive` makes it of. Without one, each row came without the service: it is entered
    whole, once, however often the same file is given. Every row is read before the first is
    entered, so a file with a bad row changes nothing. Memory is a few batches.
    """
    signature = _signature(charter)
    counts = [0, 0]
    for _, told in _checked(charter, input, signature):
        counts[told] += 1
    fed = Fed(project=charter.name, rows=sum(counts), untold=counts[False])
    total = dict.fromkeys(set(Fed.model_fields) - {"project", "rows", "untold"}, 0)
    veiled = veil(charter)
    with closing(Journal(charter.name)) as journal:
        for lines, named in _groups(charter, input, signature):
            for key, value in _enter(journal, lines, named, veiled).items():
                total[key] += value
            report("feedback", sum(total.values()), counts[True], input.name)
    return fed.model_copy(update=total)


def _enter(
    journal: Journal, lines: list[Line], named: bool, veiled: Callable[[str], str]
) -> dict[str, int]:
    now = time.time()
    if named:
        receipt = journal.feedback([(name, truth) for name, _, truth in lines], now)
        return receipt.model_dump(exclude={"received"})
    rows = [(name, veiled(_json(row)), truth) for name, row, truth in lines]
    arrived = journal.arrive(rows, now)
    return {"arrived": arrived.fresh, "known": arrived.received - arrived.fresh}


def _json(row: dict[str, Any]) -> str:
    given = {name: value for name, value in row.items() if value is not None}
    return orjson.dumps(given, default=str).decode()


def _groups(
    charter: Charter, input: Path, signature: Signature
) -> Iterator[tuple[list[Line], bool]]:
    """The lines that have a truth, and whether they name predictions."""
    digest = hashlib.sha256(input.read_bytes()).hexdigest()
    lines: list[Line] = []
    named = False
    for n, (row, found) in enumerate(_told(charter, input, signature)):
        named = ID in row and not _own(signature)
        if found is not None:
            name = str(row[ID]).lower() if named else ids.derived(charter.name, digest, str(n))
            lines.append((name, row, found))
        if len(lines) == AT_ONCE:
            yield lines, named
            lines = []
    if lines:
        yield lines, named


def _checked(
    charter: Charter, input: Path, signature: Signature
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every row, and whether it has a truth; a bad id is refused."""
    for n, (row, found) in enumerate(_told(charter, input, signature)):
        if ID in row and not _own(signature) and not ids.is_one(str(row[ID]).lower()):
            raise _bad(input, n, f"{ID} {row[ID]!r}", "the id of an answer", "Correct it.")
        yield row, found is not None


def _told(
    charter: Charter, input: Path, signature: Signature
) -> Iterator[tuple[dict[str, Any], Truth | None]]:
    """Every row without its target, and its truth as the journal keeps it; None where there is
    none."""
    target = charter.goal.target.column
    n = 0
    with _opened(charter, input, signature) as batches:
        for batch in batches:
            for row in batch.to_pylist():
                value = row.pop(target)
                try:
                    found = None if value is None or value == "" else truth(value, signature)
                except Unfit as unfit:
                    raise _bad(
                        input, n, f"{target} {value!r}", unfit.wanted, unfit.remedy
                    ) from None
                yield row, found
                n += 1


@contextmanager
def _opened(
    charter: Charter, input: Path, signature: Signature
) -> Iterator[Iterator[pa.RecordBatch]]:
    """The file's batches with the target in them."""
    own = (*signature.inputs, *signature.carried)
    known = own if _own(signature) else (*own, Input(name=ID, kind="text"))
    with (
        rows_for_scoring(charter, input, known) as rows,
        scratch("feedback") as room,
        workbench(charter, room) as connection,
    ):
        yield _with_target(charter, input, rows, connection)


def _with_target(
    charter: Charter, input: Path, rows: pa.RecordBatchReader, connection: Any
) -> Iterator[pa.RecordBatch]:
    target = charter.goal.target
    if target.column in rows.schema.names:
        yield from rows
    elif target.derive is not None:
        derived = Derived(connection, charter, rows.schema)
        yield from (derived.apply(batch) for batch in rows)
    else:
        near = nearest(target.column, rows.schema.names)
        hint = f" Is {near} meant to be {target.column}?" if near else ""
        raise Refusal(
            f"input {input}", f"found no column {target.column}", "wanted the truth of each row",
            f"Add the column {target.column} ({', '.join(rows.schema.names)} are there).{hint}",
        )  # fmt: skip


def _own(signature: Signature) -> bool:
    """Whether `id` is a column of the project's data."""
    return any(column.name == ID for column in (*signature.inputs, *signature.carried))


def _signature(charter: Charter) -> Signature:
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    if live is None:
        raise Refusal(
            f"releases/{charter.name}", "found no live release", "wanted one that has predicted",
            f"Run `perennial train configs/{charter.name}.yaml` first.",
        )  # fmt: skip
    return load(folder / str(live.release)).signature


def _bad(input: Path, n: int, found: str, wanted: str, remedy: str) -> Refusal:
    where = f"input {input}, row {n + 1} below the header"
    return Refusal(where, f"found {found}", f"wanted {wanted}", f"{remedy} Nothing was entered.")
