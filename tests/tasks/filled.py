"""Lands a second, larger file in a root with less and less room; run as a process of its own.

    python -m tests.tasks.filled ROOT [disk]

`disk`: ROOT is a disk of a few MB, filled up to what is left; else no file may grow beyond that.
Prints each outcome as JSON; the last landing has all the room.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from charter import Charter, Refusal
from tasks import lake
from tasks.ingest import ingest
from tasks.room import in_room

LEFT = (0, 4_000, 16_000, 64_000, 256_000, 400_000, 600_000, 800_000, 1_000_000)
"""Bytes."""


@contextmanager
def _disk(root: Path, left: int) -> Iterator[None]:
    ballast = root / "ballast"
    free = os.statvfs(root).f_bavail * os.statvfs(root).f_frsize
    ballast.write_bytes(bytes(max(free - left, 0)))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _limit(root: Path, left: int) -> Iterator[None]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _charter(path: Path) -> Charter:
    return Charter.model_validate(
        {
            "name": "full",
            "goal": {"target": {"column": "number"}},
            "data": {"source": {"kind": "csv", "path": str(path)}},
        }
    )


def _outcome(charter: Charter) -> dict[str, object]:
    try:
        ingested = in_room(ingest)(charter)
    except Refusal as refusal:
        return {"refusal": str(refusal)}
    return {"rows": ingested.table.rows, "refused": ingested.quarantine.rows}


def _state(root: Path) -> dict[str, object]:
    """What a reader finds, and the files that no one asked for."""
    table = lake.latest("tables/full/landed", "full")
    assert table is not None
    rows = sum(batch.num_rows for batch in lake.read(table))
    here = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return {"version": table.version, "read": rows, "files": sorted(here)}


def main(root: Path, room: str) -> None:
    os.environ["PERENNIAL_HOME"] = str(root)
    small, large = (_charter(root / name) for name in ("small.csv", "large.csv"))
    print(json.dumps(_outcome(small) | _state(root)), flush=True)
    for left in LEFT:
        with (_disk if room == "disk" else _limit)(root, left):
            outcome = _outcome(large)
        print(json.dumps(outcome | _state(root)), flush=True)
        if "rows" in outcome:
            break
    print(json.dumps(_outcome(large) | _state(root)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
