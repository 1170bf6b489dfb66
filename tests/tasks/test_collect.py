"""What the journal holds comes into the log, each row once, and bad rows into quarantine."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charter import Charter, Refusal
from serving.journal import Journal
from serving.pseudonyms import pseudonyms
from tasks import lake
from tasks.collect import Collected, collect
from tasks.collection import fold
from tasks.quarantine import refused_rows
from tasks.renew import renew
from tasks.validation.suite import location
from tests.postgres import database
from tests.tasks import looped
from tests.tasks.looped import START, charter, log, named, predicted, refused, row, told

LATER = START + timedelta(days=30)


@pytest.fixture(autouse=True)
def _own(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def _either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "postgresql":
        url = database(request.getfixturevalue("postgres_url"))
        monkeypatch.setenv("PERENNIAL_JOURNAL_URL", url)


def counts(collected: Collected) -> tuple[int, int, int, int]:
    return (
        collected.folded, collected.unlabelled, collected.corrected, collected.quarantine.rows
    )  # fmt: skip


@pytest.mark.usefixtures("_either")
def test_ten_thousand_predictions_give_exactly_the_expected_rows() -> None:
    words, table = charter(), looped.trained()
    rng = np.random.default_rng(11)
    numbers = rng.permutation(np.arange(TEN := 10_000) + looped.TRAINED)
    late, doubled, turned = numbers[:3_000], numbers[2_900:3_400], numbers[2_950:3_150]
    truth = {int(n): bool(rng.random() < 0.3) for n in numbers}
    looped.release()
    predicted((named(n), START + timedelta(minutes=n), row(n)) for n in sorted(truth))

    told((named(int(n)), truth[int(n)]) for n in numbers[3_000:])
    told((f"00000000-0000-7000-8000-ffffffff{n:04x}", True) for n in range(100))  # orphans
    told((named(int(n)), truth[int(n)]) for n in doubled if n not in set(late))
    first = collect(words, START + timedelta(days=1))  # nothing has waited for three days yet
    assert counts(first) == (7_000, 0, 0, 0)
    assert (first.waiting, first.orphans, first.fresh) == (3_000, 100, 7_000)

    second = collect(words, LATER)
    assert counts(second) == (0, 3_000, 0, 0)

    told((named(int(n)), truth[int(n)]) for n in late)
    told((named(int(n)), truth[int(n)]) for n in doubled)
    for n in turned:
        truth[int(n)] = not truth[int(n)]
    told((named(int(n)), truth[int(n)]) for n in turned)
    third = collect(words, LATER)
    corrected = len(set(late.tolist()) | set(turned.tolist()))
    assert counts(third) == (corrected, 0, corrected, 0)
    assert (third.waiting, third.orphans) == (0, 100)

    fourth = collect(words, LATER)
    assert counts(fourth) == (0, 0, 0, 0)
    assert fourth.table == third.table
    assert len(log()) == TEN + corrected
    newest = {entry["prediction"]: entry for entry in log()}
    assert {name: entry["late"] for name, entry in newest.items()} == {
        named(n): late for n, late in truth.items()
    }
    renewed = renew(words, table, fourth)
    assert renewed.rows == looped.TRAINED + TEN
    rows = [one for batch in lake.read(renewed) for one in batch.to_pylist()][looped.TRAINED :]
    assert [one["trip"] for one in rows] == sorted(truth)
    assert [one["late"] for one in rows] == [truth[n] for n in sorted(truth)]
    assert renew(words, table, fourth) == renewed


def test_a_row_gets_the_types_of_the_table_and_what_it_does_not_have_is_null() -> None:
    looped.trained()
    looped.release()
    sent = row(7, distance="250", express="true", carrier="DL", stops=2.0)
    without = {"distance": 300, "carrier": "AA", "express": None}
    predicted([(named(1), START, sent), (named(2), START + timedelta(hours=5), without)])
    told([(named(1), "true"), (named(2), False)])
    collected = collect(charter(), LATER)
    assert counts(collected) == (2, 0, 0, 0)
    first, second = log()
    assert {name: first[name] for name in looped.SCHEMA.names} == {
        "trip": 7, "at": (START + timedelta(days=20, minutes=7)).replace(tzinfo=None),
        "distance": 250.0, "carrier": "DL", "stops": 2, "express": True, "delay": None,
        "late": True,
    }  # fmt: skip
    assert second["at"] == (START + timedelta(hours=5)).replace(tzinfo=None)
    assert (second["trip"], second["stops"], second["express"]) == (None, None, None)
    assert (second["prediction"], second["known_at"]) == (named(2), START + timedelta(hours=5))


def test_a_row_that_breaks_a_rule_is_in_quarantine_with_its_reasons_and_nowhere_else() -> None:
    looped.trained()
    looped.release()
    bad: list[tuple[dict[str, object], object, list[str]]] = [
        (row(1, distance=0.5), True, ["distance is not between 1 and 6,000"]),
        (row(2, stops=1.5), True, ["stops: not a whole number"]),
        (row(3, distance=[1]), True, ["distance: not a number"]),
        (row(4), "perhaps", ["late: not true or false"]),
        ({"distance": 200, "express": True}, True, ["carrier is missing"]),
        (row(6, at="soon"), True, ["at: not a time in ISO 8601"]),
    ]
    predicted((named(n), START, one[0]) for n, one in enumerate(bad))
    predicted([(named(99), START, row(99))])
    told((named(n), one[1]) for n, one in enumerate(bad))
    told([(named(99), True)])
    collected = collect(charter(), LATER)
    assert counts(collected) == (1, 0, 0, 6)
    assert refused(collected.quarantine) == {named(n): one[2] for n, one in enumerate(bad)}
    assert [entry["prediction"] for entry in log()] == [named(99)]
    assert collect(charter(), LATER).quarantine.rows == 0


def test_the_suite_judges_too_and_only_what_a_row_carries() -> None:
    looped.trained()
    rule = {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "carrier", "value_set": ["AA", "DL"]},
        "meta": {"kind": "row"},
    }
    whole = {
        "type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 100},
        "meta": {"kind": "table"},
    }  # fmt: skip
    suite = json.loads(location("toy").read_text())
    suite["expectations"] += [rule, whole]
    location("toy").write_text(json.dumps(suite))
    predicted([(named(n), START, row(n)) for n in range(3)], number=0)
    told((named(n), True) for n in range(3))
    collected = collect(charter(), LATER)  # `delay` must not be missing, but no row carries it
    assert refused(collected.quarantine) == {named(2): ["carrier is not one of AA, DL"]}


def test_a_late_label_a_changed_one_and_one_for_a_folded_row_become_corrections() -> None:
    looped.trained()
    predicted([(named(n), START, row(n)) for n in range(4)])
    told([(named(0), True), (named(1), True), (named(1), False)])
    assert counts(collect(charter(), LATER)) == (2, 2, 0, 0)
    told([(named(0), False), (named(2), True), (named(2), True)])
    assert counts(collect(charter(), LATER)) == (2, 0, 2, 0)
    told([(named(0), False)])  # a duplicate: acknowledged, and nothing changes
    assert counts(collect(charter(), LATER)) == (0, 0, 0, 0)
    newest = {entry["prediction"]: entry["late"] for entry in log()}
    assert newest == {named(0): False, named(1): False, named(2): True, named(3): None}


def test_fresh_rows_are_those_that_the_live_release_has_not_seen() -> None:
    looped.trained()
    predicted([(named(n), START, row(n)) for n in range(6)])
    told((named(n), True) for n in range(3))
    first = collect(charter(), START)
    assert first.fresh == 3
    assert first.table is not None
    looped.release(first.table.version)
    assert collect(charter(), START).fresh == 0
    told((named(n), True) for n in range(3, 5))
    assert collect(charter(), LATER).fresh == 2
    looped.release()  # trained on the source alone
    assert collect(charter(), LATER).fresh == 5


@pytest.mark.parametrize("instant", ["append", "quarantine", "finish"])
def test_a_batch_cut_short_is_folded_once_even_if_the_rules_changed_meanwhile(
    instant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looped.trained()
    predicted([(named(n), START, row(n, distance=100.0 * n)) for n in range(1, 11)])
    predicted([(named(20), START, row(20, distance=0.0))])
    told((named(n), True) for n in range(1, 11))
    with monkeypatch.context() as patched:
        cut(patched, instant)
        with pytest.raises(KeyboardInterrupt):
            collect(charter(), LATER)
    strict = [{"column": "distance", "between": [500, 6000]}]
    collected = collect(charter(rules=strict), LATER)
    there, out = [entry["prediction"] for entry in log()], refused(collected.quarantine)
    assert sorted([*there, *out]) == sorted([*map(named, range(1, 11)), named(20)])
    assert len(there) == (6 if instant == "append" else 10)
    assert counts(collect(charter(rules=strict), LATER)) == (0, 0, 0, 0)


def cut(patched: pytest.MonkeyPatch, instant: str) -> None:
    """The process ends at this step."""

    def ends(*_: Any) -> None:
        raise KeyboardInterrupt

    if instant == "finish":
        patched.setattr("serving.journal.Journal.finish", ends)
    else:
        patched.setattr(fold if instant == "quarantine" else lake, instant, ends)


def test_another_journal_with_the_same_numbers_is_not_taken_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looped.trained()
    for part in range(2):
        monkeypatch.setenv("PERENNIAL_JOURNAL_URL", f"sqlite:///{tmp_path / f'{part}.db'}")
        predicted([(named(10 * part + n), START, row(n)) for n in range(3)])
        told((named(10 * part + n), True) for n in range(3))
        assert counts(collect(charter(), LATER)) == (3, 0, 0, 0)
    assert len(log()) == 6


def test_nothing_mature_makes_no_log() -> None:
    predicted([(named(1), START, row(1))])
    collected = collect(charter(), START)
    assert (collected.table, collected.batch, collected.waiting) == (None, None, 1)


def test_rows_before_any_training_are_refused_in_words_and_stay_in_the_journal() -> None:
    predicted([(named(1), START, row(1))])
    with pytest.raises(Refusal, match="no validated table of toy") as refusal:
        collect(charter(), LATER)
    assert refusal.value.remedy == "Run `perennial train` first."
    looped.trained()
    assert counts(collect(charter(), LATER)) == (0, 1, 0, 0)


def test_rows_without_consent_go_nowhere_and_names_are_hashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", "k1:" + "0123456789abcdef" * 4)
    looped.trained()
    looped.release()
    privacy = {"purpose": "rebooking", "identifiers": ["carrier"], "consent": {"column": "express"}}
    words = Charter.model_validate(charter().model_dump(mode="json") | {"privacy": privacy})
    sent = [row(n, express=(True, False, None)[n % 3]) for n in range(8)]
    sent.append(row(8, express=True, distance=-1.0))
    predicted((named(n), START, one) for n, one in enumerate(sent))
    told((named(n), True) for n in range(9))
    collected = collect(words, LATER)
    assert counts(collected) == (3, 0, 0, 1)
    assert collected.barred == {"consent is refused": 3, "no consent is told": 2}
    kept = {one["prediction"]: one for one in log()}
    hashes = pseudonyms("toy")
    assert set(kept) == {named(0), named(3), named(6)}
    assert kept[named(3)]["carrier"] == hashes.of("carrier", "AA")
    with closing(Journal("toy")) as journal:
        (seen,) = journal.window(0, LATER.timestamp())
    assert {one.id for one in seen} == {named(n) for n in (0, 3, 6, 8)}
    (batch,) = refused_rows(collected.quarantine)
    assert json.loads(batch.to_pylist()[0]["record"])["row"]["carrier"].startswith("k1:")
