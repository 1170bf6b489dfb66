"""Replay: real rows over real HTTP on a simulated clock, judged month by month, beside what is live."""

from __future__ import annotations

import csv
import math
import random
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from charter import Charter, Refusal
from serving import releases
from serving.home import home
from serving.journal import Journal
from serving.journaling.database import VARIABLE
from tasks.replay import Replay, Replayed, Stretch, advance, publish, replaying
from tests.serving.handmade import bundle

FIRST, HALF = datetime(2024, 1, 25, tzinfo=UTC), datetime(2024, 2, 3, 12, tzinfo=UTC)
DAYS = 20
# Requests that come together are scored in one run, which rounds its sums differently: two rows that
# are all but equal change places, and an interval over a few hundred rows moves by that.
ROUNDING = 1e-3


@pytest.fixture
def charter(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Charter:
    """A live release, and eighty flights a day behind `data.until`, a tenth of them cancelled."""
    monkeypatch.delenv(VARIABLE, raising=False)
    rng = random.Random(5)
    with (tmp_path / "flights.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["time_hour", "distance", "Wind (mph)", "holiday", "carrier", "late", "gate"]
        )
        for number in range(80 * (DAYS + 5)):
            at = FIRST - timedelta(days=5) + timedelta(minutes=18 * (number // 4 * 4))
            wind, carrier = rng.uniform(0, 40), rng.choice(["B6", "UA", "EV"])
            push = 0.1 * (wind - 20) - (2.0 if carrier == "B6" else 0.0)
            late = rng.random() < 1 / (1 + math.exp(-push))
            told = "" if number % 10 == 0 else str(late).lower()
            writer.writerow(
                [f"{at:%Y-%m-%dT%H:%M:%SZ}", 500, f"{wind:.1f}", "", carrier, told, "A1"]
            )
    _deploy(tmp_path / "first", home() / "releases" / "flights")
    return _charter(tmp_path)


def _charter(folder: Path, **data: object) -> Charter:
    source = {"kind": "csv", "path": str(folder / "flights.csv")}
    return Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "data": {"source": source, "time": "time_hour", "until": "2024-01-25", **data},
            "runtime": {"schedule": "0 12 3 2 *", "label_wait": "2d"},
        }
    )


def _deploy(made: Path, folder: Path, bias: float = 0.0) -> int:
    number = releases.add(folder, bundle(made, bias=bias))
    live = releases.live(folder)
    releases.publish(folder, number, live.release if live else None)
    return number


def _lived(charter: Charter, made: Path) -> tuple[Replay, list[Stretch], Replayed, int]:
    """The whole replay; at the tick, another release goes live and the journal is looked at."""
    with replaying(charter) as replay:
        assert replay.ticks == [HALF]
        first = advance(replay, HALF)
        with closing(Journal("flights")) as journal:
            seen = [one for many in journal.window(0, 2e9) for one in many]
        assert max(one.at for one in seen) < HALF.timestamp()
        labelled = sum(one.truth is not None for one in seen)
        _deploy(made, replay.releases, bias=-2.0)
        replay.note(HALF, "promoted", "it was asked to")
        second = advance(replay, replay.until)
        replayed = replay.finish()
        with closing(Journal("flights")) as journal:
            assert journal.counts().labelled == sum(month.rows for month in replayed.months)
            assert journal.counts().predictions == replayed.rows
    return replay, [first, second], publish(charter, replayed), labelled


def test_every_later_row_is_asked_about_once_and_its_outcome_told_when_it_is_known(
    charter: Charter, tmp_path: Path
) -> None:
    _, (first, second), replayed, labelled = _lived(charter, tmp_path / "second")
    assert (replayed.rows, first.rows + second.rows) == (80 * DAYS, 80 * DAYS)
    assert replayed.until == FIRST + timedelta(days=DAYS)
    assert (first.releases, second.releases) == ((1,), (2,))
    assert labelled == first.outcomes < 0.9 * first.rows - 50  # the last days' are not known yet
    assert [month.month for month in replayed.months] == ["2024-01", "2024-02"]
    assert [month.releases for month in replayed.months] == [(1,), (1, 2)]
    assert replayed.requests < replayed.rows  # some ask about many at once
    january, february = replayed.months
    assert january.gain.value == 0.0  # the frozen model answered over HTTP as it does alone
    assert january.frozen == january.loop
    assert january.rows == round(0.9 * 80 * 7)
    assert replayed.gain == pytest.approx((january.gain.value + february.gain.value) / 2)


def test_what_is_live_is_not_touched_and_the_page_stands_beside_its_pages(
    charter: Charter, tmp_path: Path
) -> None:
    before = releases.live(home() / "releases" / "flights")
    _, _, replayed, _ = _lived(charter, tmp_path / "second")
    assert releases.live(home() / "releases" / "flights") == before
    assert not (home() / "journal").exists()
    page = (home() / replayed.page).read_text()
    assert "it was asked to" in page
    assert (home() / replayed.picture).read_text().startswith("<svg xmlns")


def test_again_starts_anew_and_gives_the_same(charter: Charter, tmp_path: Path) -> None:
    first = _lived(charter, tmp_path / "second")[2]
    again = _lived(charter, tmp_path / "third")[2]
    measured = {"seconds", "gain", "months"}
    assert again.model_dump(exclude=measured) == first.model_dump(exclude=measured)
    assert again.gain == pytest.approx(first.gain, abs=ROUNDING)
    for month, before in zip(again.months, first.months, strict=True):
        figures = {"frozen", "loop", "gain"}
        assert month.model_dump(exclude=figures) == before.model_dump(exclude=figures)
        for figure in figures:
            one, other = getattr(month, figure), getattr(before, figure)
            assert (one.value, one.low, one.high) == pytest.approx(
                (other.value, other.low, other.high), abs=ROUNDING
            )


def test_only_the_days_that_are_asked_for_and_one_replay_at_a_time(
    charter: Charter, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replaying(charter, date(2024, 2, 1), date(2024, 2, 2)) as replay:
        assert replay.ticks == []
        assert advance(replay, replay.until).rows == 160
        monkeypatch.setenv("PERENNIAL_HOME", str(root))  # as another process sees it
        with pytest.raises(Refusal, match="stop it"), replaying(charter):
            pass


def test_refusals_say_what_to_do(charter: Charter, tmp_path: Path) -> None:
    def refused(words: Charter, remedy: str, *days: date) -> None:
        with pytest.raises(Refusal, match=remedy), replaying(words, *days):
            pass

    refused(charter, "trained on", date(2024, 1, 24))
    refused(charter, "Name other days", date(2025, 1, 1))
    refused(charter, "Name other days", date(2024, 2, 2), date(2024, 2, 1))
    refused(_charter(tmp_path, until=None), r"Set data\.until")
    refused(charter.model_copy(update={"runtime": _charter(tmp_path).runtime.model_copy(
        update={"schedule": None})}), r"Set runtime\.schedule")  # fmt: skip
    refused(charter.model_copy(update={"name": "other"}), "perennial train configs/other")
