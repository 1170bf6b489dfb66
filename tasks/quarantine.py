"""The quarantine: rows that a stage refused, kept once, each with its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from charter import Frozen
from serving.home import place
from tasks.deltafiles import paths, said
from tasks.lake import append, files_of


class Quarantine(Frozen):
    """Rows refused by one stage in one run, with their reasons."""

    project: str
    where: str
    stage: str
    fingerprint: str
    rows: int
    reasons: dict[str, int] = {}
    """Rows per reason; a row with two reasons counts in both."""


QUARANTINE = pa.schema(
    [
        ("row", pa.int64()),  # position in what the stage read, from 0
        ("reasons", pa.list_(pa.string())),
        ("record", pa.string()),  # the whole row as JSON, or the line as it stood
    ]
)
KEPT = pa.schema([("stage", pa.string()), ("fingerprint", pa.string()), *QUARANTINE])


def quarantine(
    project: str, stage: str, fingerprint: str, batches: Iterable[pa.RecordBatch]
) -> Quarantine:
    """Keep refused rows (schema QUARANTINE) once per stage and fingerprint (`append`)."""
    where = f"tables/{project}/quarantine"
    refused = Quarantine(project=project, where=where, stage=stage, fingerprint=fingerprint, rows=0)
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        return refused
    kept = (_labelled(refused, batch) for batch in chain([first], filled))
    append(where, project, pa.RecordBatchReader.from_batches(KEPT, kept), _mark(refused))
    rows, reasons = 0, Counter[str]()
    for batch in refused_rows(refused):
        rows += batch.num_rows
        for count in pc.value_counts(batch.column("reasons").flatten()).to_pylist():
            reasons[count["values"]] += count["counts"]
    return refused.model_copy(update={"rows": rows, "reasons": dict(reasons.most_common())})


def is_kept(project: str, stage: str, fingerprint: str) -> bool:
    """Whether the rows that the stage refused under this fingerprint went to quarantine."""
    from deltalake import DeltaTable

    kept = Quarantine(
        project=project, where=f"tables/{project}/quarantine",
        stage=stage, fingerprint=fingerprint, rows=0,
    )  # fmt: skip
    if not DeltaTable.is_deltatable(str(place(kept.where))):
        return False
    return DeltaTable(place(kept.where)).transaction_version(_marked(kept)) is not None


def refused_rows(refused: Quarantine) -> Iterator[pa.RecordBatch]:
    """The rows that a quarantine record stands for, schema QUARANTINE; none where their time is over."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(place(refused.where))):
        return
    handle = DeltaTable(place(refused.where))
    version = handle.transaction_version(_marked(refused))
    if version is None:
        return
    files = paths(handle)
    mine = [path for path in files if path.name.startswith(f"{version:010}-")] or files
    same = (pc.field("stage") == refused.stage) & (pc.field("fingerprint") == refused.fingerprint)
    for batch in files_of(handle, mine).to_batches(columns=QUARANTINE.names, filter=same):
        if batch.num_rows:
            yield batch.cast(QUARANTINE)


def quarantined(where: str, before: float) -> set[tuple[str, str]]:
    """Stage and fingerprint of the rows that came before this moment, in seconds since 1970."""
    from deltalake import DeltaTable

    handle = DeltaTable(place(where))
    labels = files_of(handle, paths(handle)).to_table(columns=["stage", "fingerprint"])
    pairs = labels.group_by(["stage", "fingerprint"]).aggregate([]).to_pylist()
    found = set()
    for pair in pairs:
        mark, again = f"{pair['stage']}:{pair['fingerprint']}", 0
        version = handle.transaction_version(mark)
        while (later := handle.transaction_version(f"{mark}:{again + 1}")) is not None:
            version, again = later, again + 1
        if version is not None and said(place(where), version)["timestamp"] / 1000 < before:
            found.add((pair["stage"], pair["fingerprint"]))
    return found


def _marked(refused: Quarantine) -> str:
    return f"{refused.stage}:{refused.fingerprint}"


def _mark(refused: Quarantine) -> str:
    """What rows are appended under: another mark where they were there once and are forgotten."""
    from deltalake import DeltaTable

    mark, again = _marked(refused), 0
    if not DeltaTable.is_deltatable(str(place(refused.where))):
        return mark
    if next(refused_rows(refused), None) is not None:
        return mark
    handle = DeltaTable(place(refused.where))
    while handle.transaction_version(mark) is not None:
        again += 1
        mark = f"{_marked(refused)}:{again}"
    return mark


def _labelled(refused: Quarantine, batch: pa.RecordBatch) -> pa.RecordBatch:
    if not batch.schema.equals(QUARANTINE):
        raise TypeError(f"quarantine takes {QUARANTINE}, not {batch.schema}")
    labels = [pa.repeat(text, batch.num_rows) for text in (refused.stage, refused.fingerprint)]
    return pa.RecordBatch.from_arrays([*labels, *batch.columns], schema=KEPT)
