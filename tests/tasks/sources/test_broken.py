"""Broken files: each row arrives unchanged, is in quarantine with a reason, or the file is refused.

What is expected of each file in tests/samples/broken stands in outcomes.yaml there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from charter import Refusal
from charter.data import Data
from tasks.sources import opened, rows
from tasks.sources.refused import Spool

FOLDER = Path(__file__).parents[2] / "samples" / "broken"
OUTCOMES: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "outcomes.yaml").read_text())
KINDS = {".parquet": "parquet", ".jsonl": "jsonl"}


def outcome(path: Path, said: dict[str, Any], room: Path) -> dict[str, Any]:
    """What becomes of the file, as outcomes.yaml says it."""
    kind = KINDS.get(path.suffix, "csv")
    source = {"kind": kind, "path": str(path), **said.get("source", {})}
    data = Data.model_validate({"source": source})
    refused = Spool(room / "refused")
    try:
        incoming = rows(opened(data.source), said.get("roles", {}), room, refused)
        table = pa.Table.from_batches(incoming.batches, incoming.schema)
    except Refusal as refusal:
        return {"refusal": str(refusal).replace(str(FOLDER), "FOLDER")}
    columns = {
        f"{field.name}: {field.type}": json.loads(json.dumps(table[at].to_pylist(), default=str))
        for at, field in enumerate(table.schema)
    }
    quarantine = [
        f"{row['record'][:60]} | {'; '.join(row['reasons'])}"
        for batch in refused.batches()
        for row in batch.to_pylist()
    ]
    return {"columns": columns, **({"quarantine": quarantine} if quarantine else {})}


def test_every_file_has_an_outcome() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"outcomes.yaml"}
    assert files == OUTCOMES.keys() - {"gone.csv"}
    assert len(files) >= 40


def test_every_refusal_names_the_file_or_its_column() -> None:
    refusals = {name: said["refusal"] for name, said in OUTCOMES.items() if "refusal" in said}
    nameless = [name for name, said in refusals.items() if name not in said]
    assert [name for name in nameless if ", column " not in refusals[name]] == []


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcome(name: str, tmp_path: Path, root: Path) -> None:
    said = OUTCOMES[name]
    expected = {key: said[key] for key in ("columns", "quarantine", "refusal") if key in said}
    assert outcome(FOLDER / name, said, tmp_path) == expected
