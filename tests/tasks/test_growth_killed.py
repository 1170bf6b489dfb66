"""Ingestion of what grows, killed at random instants: every row lands once, every other is refused once."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from charter import Charter
from tasks import lake
from tasks.ingest import Ingested, ingest
from tests.contracts import test_growing as growing
from tests.contracts.test_growing import (
    CsvInStorage,
    Delta,
    DeltaInStorage,
    Folder,
    FolderInStorage,
    Grower,
    Postgres,
    Sqlite,
    ids,
)
from tests.contracts.test_growing import make as make  # the fixture
from tests.tasks.children import Children
from tests.tasks.test_growth import charter, refused

EACH = 1_000
"""Rows that come before each kill."""
BEGINS = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def children() -> Children:
    return Children("tasks.ingest", "deltalake", "duckdb")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_twenty_five_kills_of_a_file(
    root: Path, tmp_path: Path, children: Children, kind: str
) -> None:
    file = tmp_path / f"trips.{kind}"
    file.write_text("id,delay,note\n" if kind == "csv" else "")
    last = killed(charter(file, kind), lambda first: arrive(file, kind, first), children)
    assert [at for at, _, _ in refused()] == list(range(0, last.source_rows, 50))
    assert ids(last) == sorted(ids(last))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "member",
    [Folder, Delta, Sqlite, Postgres, CsvInStorage, FolderInStorage, DeltaInStorage],
)
def test_twenty_five_kills_of_what_grows_by_more_than_lines(
    make: Callable[[type[Grower]], Grower], children: Children, member: type[Grower]
) -> None:
    grower = make(member)

    def arrive(first: int) -> int:
        grower.add([row(number) for number in range(first, first + EACH)])
        grower.clause()  # uploads it where it is in storage
        return first + EACH

    arrive(0)
    killed(growing.charter(grower), arrive, children, first=EACH)


def killed(
    asked: Charter, arrive: Callable[[int], int], children: Children, first: int = 0
) -> Ingested:
    """What the last run says, when all is done; every fiftieth row is one that is refused."""
    chance, kills, cut, runs = random.Random(1), 25, 0, 0
    count = arrive(first)
    children.run(ingest, asked)  # the first child of all waits for the imports
    count = arrive(count)
    whole = children.run(ingest, asked) or 0.0
    while cut < kills:
        runs += 1
        assert runs < 8 * kills, f"only {cut} kills hit a run"
        count = arrive(count)
        through = children.run(ingest, asked, seconds=chance.uniform(0.0, whole))
        cut += through is None
        whole = through or whole  # so the next kill comes sooner
        if runs % 2:  # else what waits makes every run longer, and no kill hits its end
            whole = children.run(ingest, asked) or whole
    last = ingest(asked)
    assert ingest(asked) == last

    assert sorted(ids(last)) == [n for n in range(count) if n % 50]
    assert len(refused()) == len({(row, record) for row, _, record in refused()}) == count // 50
    assert (last.source_rows, last.quarantine.rows) == (count, count // 50)
    assert last.anew == ""
    assert len(lake.whole_versions(last.table.where, "trips")) > kills / 2
    return last


def row(number: int) -> dict[str, Any]:
    """Every fiftieth is no row, since its x is none; three share a time."""
    at = (BEGINS + timedelta(seconds=number // 3)).isoformat()
    return {"id": number, "x": "1.5" if number % 50 else "oops", "city": "c", "at": at}


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
