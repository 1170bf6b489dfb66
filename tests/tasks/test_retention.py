"""What is older than the charter allows goes, whoever needs it; what is younger stays."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from serving.home import home, place
from serving.journal import Journal
from serving.journaling.tables import predictions
from tasks import lake
from tasks.quarantine import QUARANTINE, quarantine, refused_rows
from tasks.tidying.retained import expire

NOW = datetime.now(UTC)
CUT = (NOW - timedelta(days=30)).timestamp()


@pytest.fixture
def journal(journal_url: None) -> Iterator[Journal]:
    with closing(Journal("toy", pool=True)) as opened:
        yield opened


def log(days: list[int]) -> None:
    known = [NOW - timedelta(days=day) for day in days]
    rows = {
        "who": [f"person {day}" for day in days],
        "prediction": [str(day) for day in days],
        "known_at": pa.array(known, pa.timestamp("us", "UTC")),
    }
    lake.append("tables/toy/collected", "toy", pa.table(rows).to_reader(), str(days))


def answered(journal: Journal, days: list[int]) -> None:
    told = [
        {"project": "toy", "id": str(day), "at": (NOW - timedelta(days=day)).timestamp(),
         "release": 1, "row": f'{{"who": "person {day}"}}', "answer": "{}"}
        for day in days
    ]  # fmt: skip
    with journal._database.writing("toy") as connection:
        connection.execute(sa.insert(predictions), told)
    journal.feedback([(str(day), True) for day in days], 1.0)


def test_rows_by_their_age(journal: Journal) -> None:
    log([50, 40])
    log([35, 20, 3])
    answered(journal, [50, 40, 35, 20, 3])
    gone = expire("toy", CUT)
    assert gone["answers of the journal"] == 3
    assert gone["rows of the log"] == 3
    table = lake.latest("tables/toy/collected", "toy")
    assert table is not None
    assert [row for batch in lake.read(table, ["who"]) for row in batch.column(0).to_pylist()] == [
        "person 20", "person 3",
    ]  # fmt: skip
    counts = journal.counts()
    assert (counts.predictions, counts.labelled, counts.folded) == (2, 2, 0)
    left = [str(pq.read_table(path).to_pylist()) for path in home().rglob("*.parquet")]
    left += [str(path.read_bytes()) for path in home().rglob("*") if path.is_file()]
    assert "person 40" not in "".join(left)
    assert journal.left(["person 40"]) == 0
    answered(journal, [1])  # a service writes on
    assert expire("toy", CUT).total() == 0


def test_counts_go_down_with_what_was_folded(journal: Journal) -> None:
    answered(journal, [50, 40, 20])
    claim = journal.claim(NOW.timestamp(), 0)
    assert claim is not None
    journal.finish(claim.number)
    journal.feedback([("50", True), ("40", False), ("20", True)], 2.0)  # again, another, again
    claim = journal.claim(NOW.timestamp(), 0)
    assert claim is not None
    journal.finish(claim.number)
    answered(journal, [45, 10])
    before = journal.counts()
    assert (before.predictions, before.folded, before.waiting, before.labelled) == (5, 3, 2, 5)
    assert (before.duplicates, before.contradictions) == (2, 1)
    assert expire("toy", CUT)["answers of the journal"] == 3
    left = journal.counts()
    assert (left.predictions, left.folded, left.waiting, left.labelled) == (2, 1, 1, 2)
    assert (left.duplicates, left.contradictions, left.orphans) == (1, 0, 0)
    assert journal.erase(["person 20"], lambda row: True) == 1
    last = journal.counts()
    assert (last.predictions, last.folded, last.labelled, last.duplicates) == (1, 0, 1, 0)


def test_a_log_that_somebody_still_reads_is_said_and_cleared_the_next_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    monkeypatch.setattr("serving.journaling.database.PATIENCE", 0.1)
    where = home() / "journal" / "journal.db"
    with closing(Journal("toy")) as journal:
        answered(journal, [50])
        with closing(sqlite3.connect(where, isolation_level=None)) as other:
            other.execute("BEGIN")
            assert other.execute("SELECT count(*) FROM predictions").fetchone() == (1,)
            with pytest.raises(TimeoutError, match="End it and run again"):
                expire("toy", CUT)
            assert b"person 50" in _bytes(where.parent)
            other.execute("ROLLBACK")
            assert expire("toy", CUT)["answers of the journal"] == 0
            assert b"person 50" not in _bytes(where.parent)


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_versions_quarantine_and_reports(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    for number in range(2):
        rows = pa.table({"n": [number]})
        lake.write("tables/toy/landed", "toy", rows.to_reader(), f"{number}")
    refused = pa.RecordBatch.from_arrays(
        [pa.array([0]), pa.array([["bad"]]), pa.array(["{}"])], schema=QUARANTINE
    )
    kept = quarantine("toy", "validate", "q", [refused])
    for name, age in (("profile.html", 40), ("study.html", 2)):
        place("pages/toy").mkdir(parents=True, exist_ok=True)
        place(f"pages/toy/{name}").write_text("report")
        then = time.time() - age * 86_400
        os.utime(place(f"pages/toy/{name}"), (then, then))
    young = expire("toy", CUT)
    assert young["rows in quarantine"] == young["files of old versions"] == 0
    assert young["runs and reports"] == 1
    assert place("pages/toy/study.html").exists()
    later = expire("toy", time.time() + 60)
    assert later["rows in quarantine"] == later["files of old versions"] == 1
    assert next(refused_rows(kept), None) is None
    assert not place("pages/toy/study.html").exists()
    assert lake.whole_versions("tables/toy/landed", "toy") == [2]
