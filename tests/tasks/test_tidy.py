"""Tidying removes what nothing needs, and nothing else; killed anywhere, all that is needed is whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from charter import Charter
from serving.home import place
from tasks import compaction, lake
from tasks.ingest import Ingested, ingest
from tasks.lake import Table
from tasks.quarantine import refused_rows
from tasks.recall import recall
from tasks.tidy import tidy
from tasks.tidying.unneeded import used
from tasks.validate import Validated, validate
from tests.tasks.cut_off import tidy_until

LATER = datetime.now(UTC) + timedelta(days=60)
"""By then everything that a test makes is old."""
LOG = "tables/old/collected"


@pytest.fixture
def charter(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Charter:
    monkeypatch.chdir(tmp_path)
    return said(tmp_path)


def said(folder: Path, **storage: Any) -> Charter:
    data = {
        "source": {"kind": "csv", "path": str(folder / "rows.csv")},
        "rules": [{"column": "a", "between": [0, 5]}],
        "quarantine_share": 0.5,
    }
    goal = {"target": {"column": "late"}}
    told = {"name": "old", "goal": goal, "data": data, "storage": {"releases": 2, **storage}}
    return Charter.model_validate(told)


def landed(charter: Charter, rows: int) -> tuple[Ingested, Validated]:
    lines = (f"{row % 7},{row * 31 % 101},{row % 2}\n" for row in range(rows))
    Path(charter.data.source.path).write_text("a,b,late\n" + "".join(lines))  # type: ignore[union-attr]
    ingested = ingest(charter)
    return ingested, validate(charter, ingested)


def release(number: int, tables: dict[str, int], prints: str, live: bool = False) -> None:
    """A release as far as tidying reads it, and the folders that it was made with."""
    folder = place(f"releases/old/{number}")
    folder.mkdir(parents=True)
    manifest = {
        "project": "old", "fingerprint": prints * 64, "created": "2026-01-01T00:00:00Z",
        "files": {"bundle.json": ""}, "tables": tables, "training": prints * 64,
        "study": prints * 64,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "bundle.json").write_text(json.dumps({"scorecard": prints * 64}))
    if live:
        pointer = {"release": number, "previous": number - 1, "at": "", "manifest": "x"}
        place("releases/old/live.json").write_text(json.dumps(pointer))
    for kind in ("splits", "studies", "bundles", "scorecards"):
        made = place(f"{kind}/old/{prints * 16}/inside")
        made.mkdir(parents=True)
        (made / "file").write_bytes(bytes(1000))
    place("recipes/old").mkdir(parents=True, exist_ok=True)
    place(f"recipes/old/{prints * 16}.json").write_text("{}")


def content(table: Table) -> pa.Table:
    return pa.Table.from_batches(lake.read(table), lake.dataset(table).schema)


def log_rows(first: int, rows: int = 3) -> pa.RecordBatchReader:
    return pa.table({"i": range(first, first + rows)}).to_reader()


def grown(batches: int) -> Table:
    for number in range(batches):
        table = lake.append(LOG, "old", log_rows(3 * number), f"b{number}", {"rows": 3})
    return table


def history(charter: Charter) -> dict[int, tuple[Ingested, Validated]]:
    """Four trainings with a release each, of which the last two stay."""
    made = {}
    for number, rows in enumerate((100, 150, 200, 250), 1):
        made[number] = landed(charter, rows)
        table = made[number][1].table
        release(number, {table.where: table.version}, f"{number}", live=number == 4)
    return made


def versions(charter: Charter) -> dict[int, Table]:
    """The same, the tables written by hand."""
    made = {}
    for number in range(1, 5):
        rows = pa.table({"i": range(100 * number)}).to_reader()
        made[number] = lake.write("tables/old/table", "old", rows, f"{number}" * 64)
        table = made[number]
        release(number, {table.where: table.version}, f"{number}", live=number == 4)
    return made


def test_what_nothing_needs_goes_and_the_rest_stays(charter: Charter) -> None:
    made = history(charter)
    kept = {number: content(made[number][1].table) for number in (3, 4)}
    before = used(place(""))
    tidied = tidy(charter, LATER)
    assert tidied.releases == (3, 4)
    assert [verdict.passed for verdict in tidied.verdicts] == [True, True]
    for kind in ("splits", "studies", "bundles", "scorecards"):
        assert {path.name[:1] for path in place(f"{kind}/old").iterdir()} == {"3", "4"}
    for number in (3, 4):
        table = made[number][1].table
        assert content(recall(charter, f"{table.version}").table).equals(kept[number])
    assert len(list(place("recipes/old").iterdir())) == 4
    assert not lake.is_whole(made[1][1].table)
    assert not lake.is_whole(made[3][0].table)  # landed: only what was judged was learned from
    assert used(place("")) <= before - tidied.freed_mb * 2**20 + 1e5
    assert sorted(path.name for path in place("releases/old").iterdir() if path.is_dir()) == [
        "1", "2", "3", "4",
    ]  # fmt: skip
    again = landed(charter, 250)
    assert again == made[4]  # what is there now is known as before, its quarantine too
    assert tidy(charter, LATER).freed_mb == 0


def test_what_is_young_stays(charter: Charter) -> None:
    made = versions(charter)
    tidied = tidy(charter)
    assert tidied.freed_mb == 0
    assert all(lake.is_whole(table) for table in made.values())
    assert len(list(place("splits/old").iterdir())) == 4


def test_quarantine_ends_with_its_time_and_comes_again_with_its_rows(charter: Charter) -> None:
    made = history(charter)
    old, newest = made[1][1].quarantine, made[4][1].quarantine
    assert old.rows > 0
    assert sum(batch.num_rows for batch in refused_rows(old)) == old.rows
    tidy(charter, LATER)
    assert list(refused_rows(old)) == []
    assert sum(batch.num_rows for batch in refused_rows(newest)) == newest.rows
    _, back = landed(charter, 100)  # the source as it was at first
    assert back.quarantine == old
    assert validate(charter, ingest(charter)).quarantine == old


def test_many_small_files_become_few_and_say_the_same(charter: Charter) -> None:
    table = grown(40)
    rows, seen = content(table), lake.at(LOG, "old", 9)
    assert seen is not None
    early = content(seen)
    assert tidy(charter).fewer_files == 38
    after = lake.latest(LOG, "old")
    assert after is not None
    assert len(list(lake.dataset(after).get_fragments())) == 2
    assert (after.rows, after.fingerprint) == (table.rows, table.fingerprint)
    assert content(after).equals(rows)
    assert lake.counted(LOG, after.version) == {"rows": 120}
    assert content(seen).equals(early)  # an old version can still be read
    # What the newest commit brought can still be told, and no mark counts twice.
    assert pa.Table.from_batches(lake.appended(LOG, "b39", ["i"]))["i"].to_pylist() == [
        117,
        118,
        119,
    ]
    assert lake.append(LOG, "old", log_rows(0), "b7").rows == 120
    assert lake.append(LOG, "old", log_rows(120), "b40").rows == 123
    last = lake.latest(LOG, "old")
    assert last is not None
    assert content(last)["i"].to_pylist() == list(range(123))
    tidy(charter, LATER)
    assert content(last)["i"].to_pylist() == list(range(123))
    assert len(list(place(LOG).glob("*.parquet"))) == 3


def test_large_files_get_a_name_and_are_not_read(
    charter: Charter, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(20)
    monkeypatch.setattr(compaction, "SMALL", 0)
    monkeypatch.setattr(compaction, "MANY", 0)
    before = {path.stat().st_ino for path in place(LOG).glob("*.parquet")}
    compaction.compact(LOG)
    table = lake.latest(LOG, "old")
    assert table is not None
    assert content(table)["i"].to_pylist() == list(range(60))
    assert {path.stat().st_ino for path in place(LOG).glob("*.parquet")} == before


def test_what_a_release_saw_of_the_log_stays(charter: Charter) -> None:
    versions(charter)
    seen = grown(5)
    place("releases/old/4/manifest.json").write_text(
        place("releases/old/4/manifest.json").read_text().replace(
            '"tables": {', f'"tables": {{"{LOG}": {seen.version}, '
        )
    )  # fmt: skip
    early = content(seen)
    for number in range(5, 30):
        lake.append(LOG, "old", log_rows(3 * number), f"b{number}")
    assert tidy(charter, LATER).fewer_files > 0
    assert content(seen).equals(early)


def test_files_of_killed_writes_and_abandoned_folders_go(charter: Charter) -> None:
    landed(charter, 100)
    torn = [place("tables/old/landed") / f"0000000009-00000-{name}.parquet" for name in "ab"]
    for path in torn:
        path.write_bytes(b"PAR1 and no end")
    two_days = time.time() - 2 * 86_400
    os.utime(torn[0], (two_days, two_days))
    for process in (os.getpid(), 2**22 + 1):
        place(f"scratch/ingest-{process}-x").mkdir(parents=True)
    tidy(charter)
    assert [path.exists() for path in torn] == [False, True]  # the other may be at work
    assert [path.name for path in place("scratch").iterdir()] == [f"ingest-{os.getpid()}-x"]


def test_a_bound_takes_what_is_young_too_and_is_refused_where_that_is_not_enough(
    charter: Charter, tmp_path: Path
) -> None:
    made = versions(charter)
    roomy = tidy(said(tmp_path, most_gb=1))
    assert (roomy.freed_mb, roomy.verdicts[-1].passed) == (0, True)
    tight = tidy(said(tmp_path, most_gb=1e-9))
    assert tight.freed_mb > 0
    assert [verdict.gate for verdict in tight.verdicts if verdict.stops] == ["storage.most_gb"]
    assert all(lake.is_whole(made[number]) for number in (3, 4))
    assert not lake.is_whole(made[1])


def test_a_version_that_is_gone_is_told(charter: Charter) -> None:
    made = versions(charter)
    table = made[3]
    for path in place(table.where).glob(f"{table.version:010}-*.parquet"):
        path.unlink()
    verdict = next(one for one in tidy(charter).verdicts if one.gate == "storage.releases")
    assert not verdict.passed
    assert f"version {table.version} of {table.where}" in verdict.message


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_anywhere_it_loses_nothing_that_is_needed(charter: Charter, root: Path) -> None:
    made = history(charter)
    kept = {number: content(made[number][1].table) for number in (3, 4)}
    refused = made[4][1].quarantine
    table = grown(40)
    rows = content(table)
    server = multiprocessing.get_context("forkserver")  # Delta's threads bear no fork
    server.set_forkserver_preload(["tasks.tidy", "deltalake"])
    draw, killed, code = random.Random(3), 0, -1
    while code != 0 and killed < 40:
        told = (draw.randint(1, 20), str(root), charter, LATER)
        child = server.Process(target=tidy_until, args=told)
        child.start()
        child.join()
        code = child.exitcode or 0
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        now = lake.latest(LOG, "old")
        assert now is not None
        assert (now.rows, content(now).equals(rows)) == (table.rows, True)
        for number in (3, 4):
            assert content(made[number][1].table).equals(kept[number])
        assert sum(batch.num_rows for batch in refused_rows(refused)) == refused.rows
    assert killed > 3
    two_days = time.time() - 2 * 86_400
    for path in place(LOG).glob("*.parquet"):
        os.utime(path, (two_days, two_days))  # those of killed compactions too
    done = tidy(charter, LATER)
    assert len(list(place(LOG).glob("*.parquet"))) == 2
    assert [verdict.passed for verdict in done.verdicts] == [True, True]
    assert {path.name[:1] for path in place("studies/old").iterdir()} == {"3", "4"}
    assert list(place("scratch").iterdir()) == []
    assert landed(charter, 250) == made[4]
