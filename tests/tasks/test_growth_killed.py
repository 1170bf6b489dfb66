"""Ingestion of a file that grows, killed at random instants: every row lands once, every other is refused once."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tasks import lake
from tasks.ingest import ingest
from tests.tasks.test_growth import charter, refused

EACH = 1_000
"""Rows that come before each kill."""


@pytest.fixture(scope="module")
def children() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.tasks.test_growth_killed", "deltalake", "duckdb"])
    return context


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_twenty_five_kills(
    root: Path, tmp_path: Path, children: ForkServerContext, kind: str
) -> None:
    killed(tmp_path / f"trips.{kind}", kind, children, kills=25, seed=1)


def killed(file: Path, kind: str, children: ForkServerContext, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    file.write_text("id,delay,note\n" if kind == "csv" else "")
    count = arrive(file, kind, 0)
    whole = run(file, kind, children) or 0.0  # the first child of all waits for the imports
    count = arrive(file, kind, count)
    whole = run(file, kind, children) or 0.0
    cut = 0
    for number in range(kills):
        count = arrive(file, kind, count)
        cut += run(file, kind, children, chance.uniform(0.0, whole)) is None
        if number % 2:  # else what waits makes every run longer, and no kill hits its end
            whole = run(file, kind, children) or whole
    assert cut > kills / 3  # the others were through before
    last = ingest(charter(file, kind))
    assert ingest(charter(file, kind)) == last

    ids = lake.dataset(last.table).to_table(columns=["id"])["id"].to_pylist()
    assert ids == [n for n in range(count) if n % 50]
    assert [row for row, _, _ in refused()] == [n for n in range(count) if n % 50 == 0]
    assert (last.source_rows, last.quarantine.rows) == (count, count // 50)
    assert last.anew == ""
    assert len(lake.whole_versions(last.table.where, "trips")) > kills / 2


def arrive(file: Path, kind: str, first: int) -> int:
    """More rows, every fiftieth of them bad, and half of another one; how many there are."""
    csv = kind == "csv"
    good = '{0},{1},"note\n{0}"\n' if csv else '{{"id": {0}, "delay": {1}, "note": "n"}}\n'
    bad = "{0},{1}\n" if csv else '{{"id": {0},\n'
    rows = [(good if n % 50 else bad).format(n, n % 40) for n in range(first, first + EACH)]
    written = file.read_text()
    whole = written[: written.rfind("\n") + 1] if first else written
    file.write_text(whole + "".join(rows) + (f"{first + EACH},1" if csv else "{"))
    return first + EACH


def run(
    file: Path, kind: str, children: ForkServerContext, seconds: float | None = None
) -> float | None:
    """Seconds that a child took to ingest everything; None where it was killed before."""
    ready = children.Event()
    child = children.Process(
        target=ingest_all, args=(os.environ["PERENNIAL_HOME"], file, kind, ready)
    )
    child.start()
    assert ready.wait(120)
    began = time.perf_counter()
    child.join(seconds)
    child.kill()
    child.join()
    assert child.exitcode in (0, -9)
    return time.perf_counter() - began if child.exitcode == 0 else None


def ingest_all(home: str, file: Path, kind: str, ready: object) -> None:
    """What the child does."""
    os.environ["PERENNIAL_HOME"] = home
    ready.set()  # type: ignore[attr-defined]
    ingest(charter(file, kind))
