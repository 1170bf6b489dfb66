"""Predictions for a file, with the live release."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen, Refusal
from serving import releases
from serving.home import home
from serving.packing import pack_batch
from tasks.ingestion.incoming import rows_for_scoring
from tasks.nearest import nearest
from tasks.progress import report

if TYPE_CHECKING:
    from serving.predictor import Predictor

ENDINGS = (".csv", ".parquet")


class Scored(Frozen):
    """What was written."""

    project: str
    release: int
    rows: int
    output: str


def score(charter: Charter, input: Path, output: Path) -> Scored:
    """Stream the input's rows through the live release into a CSV or Parquet file.

    Columns: the charter's key where the input has it, else `row` (from 0); `prediction`; for
    classes `p_<class>` each. Rows keep their order and none is left out; memory is a few batches.
    The output appears only when it is whole.
    """
    if output.suffix not in ENDINGS:
        raise Refusal(
            f"output {output}", f"found the ending {output.suffix or '(none)'}",
            f"wanted one of {', '.join(ENDINGS)}", "Name the file like predictions.csv.",
        )  # fmt: skip
    number, predictor = _live(charter)
    with rows_for_scoring(charter, input, predictor.signature.inputs) as rows:
        _refuse_missing(input, rows.schema, predictor)
        keys = [name for name in charter.data.key if name in rows.schema.names]
        keys = keys if len(keys) == len(charter.data.key) else []
        _refuse_clash(charter, keys, predictor)
        count = _write(output, _answers(rows, predictor, keys))
    if count == 0:
        raise Refusal(
            f"input {input}", "found no rows", "wanted rows to score", "Look at the file."
        )
    return Scored(project=charter.name, release=number, rows=count, output=str(output))


def _live(charter: Charter) -> tuple[int, Predictor]:
    from serving.loaded import load

    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    if live is None:
        raise Refusal(
            f"releases/{charter.name}", "found no live release", "wanted one to score with",
            f"Run `perennial train configs/{charter.name}.yaml` first.",
        )  # fmt: skip
    return live.release, load(folder, live, keeps=False).predictor


def _refuse_missing(input: Path, schema: pa.Schema, predictor: Predictor) -> None:
    missing = [column.name for column in predictor.signature.inputs
               if column.name not in schema.names]  # fmt: skip
    if missing:
        meant = {name: nearest(name, schema.names) for name in missing}
        hints = [f"is {near} meant to be {name}?" for name, near in meant.items() if near]
        raise Refusal(
            f"input {input}", f"found no column {', '.join(missing)}",
            "wanted every input of the model, missing values left empty",
            " ".join(["Add the columns.", *hints]),
        )  # fmt: skip


def _refuse_clash(charter: Charter, keys: list[str], predictor: Predictor) -> None:
    ours = {"prediction", *(f"p_{label}" for label in predictor.signature.classes)}
    clash = sorted(ours & set(keys))
    if clash:
        raise Refusal(
            f"charter {charter.name}: data.key", f"found {', '.join(clash)}",
            "wanted key columns named otherwise than those of the answer",
            "Rename the column in the source, or take another key.",
        )  # fmt: skip


def _answers(
    rows: pa.RecordBatchReader, predictor: Predictor, keys: list[str]
) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in rows:
        answers = predictor.predict(pack_batch(predictor.signature, batch, done))
        names: dict[str, Any] = {name: batch.column(name) for name in keys}
        if not keys:
            names["row"] = pa.array(np.arange(done, done + batch.num_rows))
        if answers.probabilities is None:
            names["prediction"] = pa.array(answers.values)
        else:
            names["prediction"] = pa.array(answers.labels, pa.string())
            for place, label in enumerate(predictor.signature.classes):
                names[f"p_{label}"] = pa.array(answers.probabilities[:, place])
        done += batch.num_rows
        report("score", 0, 1, f"{done:,} rows")
        yield pa.RecordBatch.from_pydict(names)


def _write(output: Path, batches: Iterator[pa.RecordBatch]) -> int:
    import pyarrow.csv
    import pyarrow.parquet

    output.parent.mkdir(parents=True, exist_ok=True)
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    rows, writer = 0, None
    try:
        for batch in batches:
            if writer is None:
                parquet = output.suffix == ".parquet"
                make = pyarrow.parquet.ParquetWriter if parquet else pyarrow.csv.CSVWriter
                writer = make(draft, batch.schema)
            writer.write_batch(batch)
            rows += batch.num_rows
        if writer is not None:
            writer.close()
            draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return rows
