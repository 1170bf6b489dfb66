"""The journal's promises, each on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from charter import Refusal
from serving.journal import Arrived, Claim, Counts, Entry, Journal, Receipt
from serving.journaling import ids
from serving.journaling.database import Database, address
from serving.journaling.entries import CHUNK
from serving.journaling.minutes import EDGES, Tally
from serving.journaling.tables import predictions
from tests.postgres import database

DAY = 86_400.0
NOW = 1_000 * DAY


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.db"
    return database(request.getfixturevalue("postgres_url"))


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    """A project that no other test has."""
    journal = Journal(ids.new(), url)
    yield journal
    journal.close()


def predict(journal: Journal, count: int, at: float = NOW, release: int = 1) -> list[str]:
    """Predictions as the service enters them."""
    rows = [
        {
            "project": journal.project, "id": name, "at": at, "release": release,
            "row": f'{{"x": {i}}}', "answer": '{"prediction": "no"}',
        }
        for i, name in enumerate(sorted(ids.new() for _ in range(count)))
    ]  # fmt: skip
    with journal._database.writing("test") as connection:
        connection.execute(sa.insert(predictions), rows)
    return [str(row["id"]) for row in rows]


def entries(journal: Journal, claim: Claim | None) -> list[Entry]:
    assert claim is not None
    return [entry for chunk in journal.claimed(claim.number) for entry in chunk]


def test_a_name_is_a_uuid_of_version_7_in_order_of_time() -> None:
    names = [ids.new() for _ in range(1000)]
    assert len(set(names)) == 1000
    assert all(ids.is_one(name) and name[14] == "7" for name in names)
    assert [name[:18] for name in names] == sorted(name[:18] for name in names)
    assert ids.derived("a", "1") == ids.derived("a", "1") != ids.derived("a", "2")
    assert ids.is_one(ids.derived("a"))
    assert not ids.is_one("a")
    assert not ids.is_one(7)


def test_a_label_is_told_apart_as_it_comes_in(journal: Journal) -> None:
    first, second = predict(journal, 2)
    stray = ids.new()
    wanted = Receipt(received=3, accepted=1, duplicates=1, contradictions=0, orphans=1)
    assert journal.feedback([(first, "yes"), (first, "yes"), (stray, "no")], NOW) == wanted
    wanted = Receipt(received=3, accepted=1, duplicates=1, contradictions=1, orphans=0)
    assert journal.feedback([(first, "no"), (second, 2.5), (stray, "no")], NOW) == wanted
    assert journal.counts() == Counts(
        predictions=2, waiting=2, folded=0, labelled=2, orphans=1, duplicates=2, contradictions=1
    )
    assert journal.feedback([], NOW).received == 0


def test_what_has_a_truth_or_waited_long_enough_is_claimed(journal: Journal) -> None:
    old, labelled, _ = predict(journal, 1, NOW - 8 * DAY) + predict(journal, 2)
    journal.feedback([(labelled, True)], NOW)
    claim = journal.claim(NOW, 7 * DAY)
    assert claim == Claim(number=1, predictions=2, labels=1)
    found = entries(journal, claim)
    assert [(entry.id, entry.known, entry.truth) for entry in found] == [
        (old, False, None),
        (labelled, True, True),
    ]
    assert found[0] == Entry(old, NOW - 8 * DAY, 1, '{"x": 0}', None, False, False)
    assert journal.claim(NOW, 7 * DAY) == claim, "not finished, so it is given again"
    journal.finish(1)
    journal.finish(1)
    assert journal.claim(NOW, 7 * DAY) is None
    assert entries(journal, claim) == found
    counts = journal.counts()
    assert (counts.predictions, counts.waiting, counts.folded) == (3, 1, 2)


def test_a_late_or_changed_truth_corrects_and_a_repeated_one_does_not(journal: Journal) -> None:
    late, changed, same = predict(journal, 3, NOW - 9 * DAY)
    journal.feedback([(changed, "no"), (same, "no")], NOW)
    first = journal.claim(NOW, DAY)
    before = entries(journal, first)
    journal.finish(1)
    journal.feedback([(late, "yes"), (changed, "yes"), (same, "no")], NOW)
    journal.feedback([(late, "no")], NOW)
    second = journal.claim(NOW, DAY)
    assert second == Claim(number=2, predictions=0, labels=4)
    assert [(e.id, e.truth, e.correction) for e in entries(journal, second)] == [
        (late, "no", True),
        (changed, "yes", True),
    ]
    assert entries(journal, second)[0].row == '{"x": 0}'
    assert entries(journal, first) == before, "what a number said, it says for ever"
    journal.finish(2)
    assert journal.claim(NOW, DAY) is None
    counts = journal.counts()
    assert (counts.labelled, counts.duplicates, counts.contradictions) == (3, 1, 2)


def test_an_orphan_counts_once_its_prediction_arrives(journal: Journal) -> None:
    name = ids.new()
    journal.feedback([(name, "yes")], NOW)
    assert journal.claim(NOW, DAY) is None
    row = {"project": journal.project, "id": name, "at": NOW, "release": 1, "row": "{}"}
    with journal._database.writing("test") as connection:
        connection.execute(sa.insert(predictions), [row])
    (entry,) = entries(journal, journal.claim(NOW, DAY))
    assert (entry.id, entry.truth) == (name, "yes")
    assert journal.counts().orphans == 0


def test_a_limit_leaves_the_rest_for_the_next_batch(journal: Journal) -> None:
    names = predict(journal, 5, NOW - DAY)
    seen = []
    while claim := journal.claim(NOW, 0, limit=2):
        seen += [entry.id for entry in entries(journal, claim)]
        journal.finish(claim.number)
    assert seen == names
    journal.feedback([(name, "late") for name in names], NOW)
    corrected = []
    while claim := journal.claim(NOW, 0, limit=2):
        assert claim.labels <= 2
        corrected += [entry.id for entry in entries(journal, claim)]
        journal.finish(claim.number)
    assert corrected == names


def test_batches_come_in_chunks(journal: Journal) -> None:
    names = predict(journal, CHUNK + 1, NOW - DAY)
    claim = journal.claim(NOW, 0)
    assert claim is not None
    assert [len(chunk) for chunk in journal.claimed(claim.number)] == [CHUNK, 1]
    assert [entry.id for entry in entries(journal, claim)] == names


def test_projects_do_not_see_each_other(journal: Journal, url: str) -> None:
    (name,) = predict(journal, 1, NOW - DAY)
    other = Journal(ids.new(), url)
    assert other.feedback([(name, "yes")], NOW).orphans == 1
    assert other.claim(NOW, 0) is None
    assert other.counts().predictions == 0
    assert next(journal.window(0, NOW))[0].truth is None
    other.close()


def test_rows_that_come_with_their_outcome_are_entered_once(journal: Journal) -> None:
    rows: list[tuple[str, str, float | str]] = [
        (ids.derived(journal.project, "file", str(i)), '{"x": 1}', 2.5) for i in range(3)
    ]
    assert journal.arrive(rows[:2], NOW) == Arrived(received=2, fresh=2)
    assert journal.arrive(rows, NOW) == Arrived(received=3, fresh=1)
    found = entries(journal, journal.claim(NOW, DAY))
    assert [(e.id, e.release, e.row, e.truth) for e in found] == [
        (name, 0, '{"x": 1}', 2.5) for name, _, _ in rows
    ]
    assert journal.counts().duplicates == 0


def test_the_window_shows_the_latest_truth_in_order_of_time(journal: Journal) -> None:
    late, early = predict(journal, 1, NOW, 3) + predict(journal, 1, NOW - 5, 2)
    predict(journal, 1, NOW + 1)
    journal.feedback([(early, "no"), (early, "yes")], NOW)
    (chunk,) = journal.window(NOW - 5, NOW + 1)
    assert [(s.id, s.at, s.release, s.truth) for s in chunk] == [
        (early, NOW - 5, 2, "yes"),
        (late, NOW, 3, None),
    ]
    assert chunk[0].answer == '{"prediction": "no"}'
    same = predict(journal, CHUNK + 5, NOW + 50)
    assert journal.claim(NOW + 60, 8, limit=4_000)
    pages = list(journal.window(NOW + 50, NOW + 51))
    assert [s.id for page in pages for s in page] == same


def test_minutes_add_up(journal: Journal) -> None:
    tally = Tally("here")
    for at, status, took in ((NOW, 200, 0.1), (NOW + 1, 422, 1e9), (NOW + 61, 503, 1.0)):
        tally.count(at, status, took)
    journal.add_minutes(tally.take(everything=False))
    journal.add_minutes(tally.take(everything=True))
    tally.count(NOW + 62, 200, 1.0)
    journal.add_minutes(tally.take(everything=True))
    first, second = journal.minutes(NOW, NOW + 120)
    assert (first.requests, first.refused, first.failed) == (2, 1, 0)
    assert (first.latency[0], first.latency[-1], len(first.latency)) == (1, 1, len(EDGES) + 1)
    assert (second.minute, second.requests, second.failed) == (NOW // 60 + 1, 2, 1)
    assert journal.minutes(NOW + 120, NOW + 180) == []


def test_two_claimers_at_once_get_the_same_batch(journal: Journal, url: str) -> None:
    predict(journal, 2_000, NOW - DAY)
    start, found = threading.Barrier(4), []

    def take() -> None:
        mine = Journal(journal.project, url)
        start.wait()
        found.append(mine.claim(NOW, 0))
        mine.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Claim(number=1, predictions=2_000, labels=0)] * 4


def test_what_commits_out_of_sequence_is_not_missed(postgres_url: str) -> None:
    url = database(postgres_url)
    journal = Journal("late", url)
    slow = psycopg.connect(url)
    insert = (
        "INSERT INTO predictions (project, id, at, release, row) VALUES ('late', %s, %s, 1, '{}')"
    )
    slow.execute(insert, ("slow", NOW - DAY))  # takes the smaller seq, and is not committed
    with psycopg.connect(url) as fast:
        fast.execute(insert, ("fast", NOW - DAY))
    first = journal.claim(NOW, 0)
    assert [entry.id for entry in entries(journal, first)] == ["fast"]
    slow.commit()
    slow.close()
    assert [entry.id for entry in entries(journal, first)] == ["fast"]
    journal.finish(1)
    assert [entry.id for entry in entries(journal, journal.claim(NOW, 0))] == ["slow"]


def test_ten_thousand_predictions_with_every_kind_of_label(journal: Journal) -> None:
    """30 % late, 5 % twice, 2 % contradicting, 1 % orphans: exactly the expected counts."""
    chance = random.Random(7)
    names = predict(journal, 10_000, NOW - 9 * DAY)
    truths = {name: chance.choice(["yes", "no"]) for name in names}
    chance.shuffle(names)
    late, early = names[:3_000], names[3_000:]
    again, against = names[:500], names[500:700]
    strays = [(ids.new(), "yes") for _ in range(100)]
    told = _in_pieces(journal, [(name, truths[name]) for name in early] + strays)
    assert told == (7_100, 7_000, 0, 0, 100)
    while claim := journal.claim(NOW, 7 * DAY, limit=4_000):
        journal.finish(claim.number)
    other = {"yes": "no", "no": "yes"}
    told = _in_pieces(journal, [(name, truths[name]) for name in late + again])
    assert told == (3_500, 3_000, 500, 0, 0)
    truths |= {name: other[truths[name]] for name in against}
    assert _in_pieces(journal, [(name, truths[name]) for name in against]) == (200, 0, 0, 200, 0)
    batches = 0
    while claim := journal.claim(NOW, 7 * DAY, limit=4_000):
        journal.finish(claim.number)
        batches = claim.number
    latest: dict[str, object] = {}
    whole = 0
    for number in range(1, batches + 1):
        for chunk in journal.claimed(number):
            whole += sum(not entry.correction for entry in chunk)
            latest |= {entry.id: entry.truth for entry in chunk}
    assert whole == 10_000
    assert latest == truths
    assert journal.counts() == Counts(
        predictions=10_000, waiting=0, folded=10_000, labelled=10_000,
        orphans=100, duplicates=500, contradictions=200,
    )  # fmt: skip
    assert journal.claim(NOW, 7 * DAY) is None


def _in_pieces(journal: Journal, labels: list[tuple[str, str]]) -> tuple[int, ...]:
    found = [journal.feedback(labels[i : i + 1_000], NOW) for i in range(0, len(labels), 1_000)]
    return tuple(
        sum(values) for values in zip(*(r.model_dump().values() for r in found), strict=True)
    )


def test_every_question_is_answered_from_an_index(tmp_path: Path) -> None:
    journal = Journal("plan", f"sqlite:///{tmp_path}/journal.db")
    names = predict(journal, 20, NOW - DAY)
    asked: list[str] = []

    def listen(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")) and "batches" not in statement:
            plan = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            asked.extend(
                f"{line[3]}: {statement}"
                for line in plan
                if "predictions" in line[3] or "feedback" in line[3]
            )

    sa.event.listen(journal._database.engine, "before_cursor_execute", listen)
    journal.feedback([(names[0], "yes")], NOW)
    for _ in range(2):
        claim = journal.claim(NOW, 0)
        assert entries(journal, claim)
        assert claim is not None
        journal.finish(claim.number)
        journal.feedback([(names[0], "no")], NOW)
    journal.counts()
    assert list(journal.window(0, NOW))
    scans = [one for one in asked if one.startswith("SCAN")]
    assert len(asked) > 15
    assert not scans
    assert [one for one in asked if "predictions_unclaimed (project=? AND at<?)" in one]


@pytest.mark.parametrize("text", ["nonsense", "mysql://here/there", "sqlite://"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="leave it out for SQLite"):
        address(text)


def test_the_journal_lies_under_the_root_unless_the_environment_says_otherwise(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    Journal("here").counts()
    assert (root / "journal" / "journal.db").is_file()
    monkeypatch.setenv("PERENNIAL_JOURNAL_URL", "postgresql://perennial@nowhere/journal")
    assert address().drivername == "postgresql+psycopg"


def test_many_processes_may_make_the_tables_at_once(url: str, postgres_url: str) -> None:
    where = address(database(postgres_url) if "postgres" in url else f"{url}.new")
    start, failed = threading.Barrier(4), []

    def make() -> None:
        start.wait()
        try:
            Database(where).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
