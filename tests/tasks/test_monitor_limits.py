"""Performance, age and the service: each limit of the charter is seen kept and crossed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter
from serving.journal import Journal
from serving.journaling.minutes import EDGES, Minute
from tasks.monitor import Watched, monitor
from tasks.monitoring.judging import Alarm
from tasks.monitoring.news import news, tell
from tests.tasks.watched import NOW, answer, copied, once, week, with_column


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Charter, Path]]:
    folder = tmp_path_factory.mktemp("model") / "root"
    with once(folder) as charter:
        yield charter, folder


@pytest.fixture
def project(model: tuple[Charter, Path], root: Path) -> Charter:
    return copied(*model, root, worse=0.05)


def _gates(watched: Watched) -> dict[str, str]:
    return {alarm.gate: alarm.reason for alarm in watched.alarms}


def _said(watched: Watched, gate: str) -> str:
    return next(verdict.message for verdict in watched.verdicts if verdict.gate == gate)


def test_the_metric_is_measured_where_the_truth_is_known_with_an_interval(
    project: Charter,
) -> None:
    answer(project, week(2_000), labelled=0.5)
    found = monitor(project, NOW)
    assert found.measured is not None
    assert found.measured.rows == found.window.labelled == pytest.approx(1_000, abs=60)
    assert found.measured.low < found.measured.value < found.measured.high
    assert found.measured.low > found.measured.promised
    assert len(found.measured.course) == 7
    assert found.alarms == ()
    assert "measured on" in _said(found, "runtime.worse")


def test_answers_that_became_wrong_are_an_alarm_which_no_estimate_sees(project: Charter) -> None:
    answer(project, week(2_000), labelled=0.5, flipped=0.4)
    found = monitor(project, NOW)
    assert found.measured is not None
    assert found.measured.high < found.measured.promised
    assert "behind the scorecard, limit 0.05 behind" in _gates(found)["runtime.worse"]
    assert found.expected is not None
    assert found.expected.low > found.measured.high


def test_a_fall_is_no_alarm_where_no_limit_is_set(
    project: Charter, model: tuple[Charter, Path]
) -> None:
    answer(project, week(2_000), labelled=0.5, flipped=0.4)
    free = project.model_copy(update={"runtime": model[0].runtime})
    assert monitor(free, NOW).alarms == ()
    assert "no limit is set" in _said(monitor(free, NOW), "runtime.worse")


def test_truth_that_comes_for_the_weeks_before_counts_as_well(project: Charter) -> None:
    answer(project, week(2_000, days=14), labelled=1.0)
    found = monitor(project, NOW)
    assert found.window.answered == pytest.approx(1_000, abs=5)
    assert found.window.labelled == pytest.approx(2_000, abs=5)


def test_before_labels_the_metric_is_estimated_and_sees_harder_rows(project: Charter) -> None:
    answer(project, week(2_000))
    usual = monitor(project, NOW)
    assert usual.measured is None
    assert usual.expected is not None
    assert usual.expected.low <= 0.87 <= usual.expected.high
    assert "estimated on 2,000 rows" in _said(usual, "runtime.worse")

    def harder(table: pa.Table) -> pa.Table:
        gone = with_column(table, "level", np.zeros(len(table)))
        return with_column(gone, "flag", [False] * len(table))

    answer(project, harder(week(3_000, seed=2)))
    hard = monitor(project, NOW)
    assert hard.expected is not None
    assert hard.expected.value < usual.expected.value - 0.05


def test_the_estimate_is_near_what_the_labels_say_later(project: Charter) -> None:
    answer(project, week(4_000), labelled=1.0)
    found = monitor(project, NOW)
    assert found.measured is not None
    assert found.expected is not None
    assert found.expected.value == pytest.approx(found.measured.value, abs=0.03)


def test_too_little_truth_and_too_few_answers_are_said(project: Charter) -> None:
    answer(project, week(60), labelled=1.0)
    found = monitor(project, NOW)
    assert (found.measured, found.expected, found.alarms) == (None, None, ())
    assert "too little truth" in _said(found, "runtime.worse")


def test_a_model_that_is_too_old_is_an_alarm(model: tuple[Charter, Path], root: Path) -> None:
    charter = copied(*model, root, max_age="3w")
    assert monitor(charter, NOW).alarms == ()
    late = monitor(charter, NOW + timedelta(days=8))
    assert _gates(late) == {
        "runtime.max_age": "the model has been live for 22.0 days, limit 3w"
    }  # fmt: skip
    assert late.reason


def _minutes(requests: int, failed: int = 0, at: int = 0) -> None:
    """An hour of the service; every request took as long as the span `at` says."""
    latency = tuple(requests if span == at else 0 for span in range(len(EDGES) + 1))
    first = int(NOW.timestamp() // 60) - 120
    with closing(Journal("small")) as journal:
        journal.add_minutes(
            [Minute(first + minute, "one", requests, 3, failed, latency) for minute in range(60)]
        )


@pytest.mark.parametrize(("failed", "alarms"), [(0, False), (1, False), (5, True)])
def test_a_service_that_surely_fails_too_often_is_an_alarm(
    project: Charter, failed: int, alarms: bool
) -> None:
    _minutes(100, failed)
    found = monitor(project, NOW)
    assert (found.health.requests, found.health.refused) == (6_000, 180)
    assert found.health.failing == pytest.approx(failed / 100)
    assert ("runtime.error_rate" in _gates(found)) == alarms
    assert found.reason == ""  # no new model helps


def test_a_service_that_is_slower_than_the_charter_allows_is_an_alarm(project: Charter) -> None:
    limit = project.constraints.latency_p99_ms
    slow = next(at for at, edge in enumerate(EDGES) if edge > 2 * limit)
    _minutes(100)
    assert monitor(project, NOW).alarms == ()
    with closing(Journal("small")) as journal:
        latency = tuple(9_000 if span == slow else 0 for span in range(len(EDGES) + 1))
        journal.add_minutes([Minute(int(NOW.timestamp() // 60) - 5, "two", 9_000, 0, 0, latency)])
    found = monitor(project, NOW)
    assert f"limit {limit:g} ms" in _gates(found)["constraints.latency_p99_ms"]
    assert found.health.p99_ms is not None
    assert found.health.p99_ms > limit


def _with(watched: Watched, days: float, *alarms: Alarm, release: int = 1) -> Watched:
    window = watched.window.model_copy(update={"until": NOW + timedelta(days=days)})
    given: dict[str, Any] = {"alarms": alarms, "window": window, "release": release}
    return watched.model_copy(update=given)


def test_an_alarm_is_news_once_and_then_ever_more_seldom(project: Charter) -> None:
    level = Alarm(gate="runtime.drift", reason="level", curable=True, about=("level",))
    both = level.model_copy(update={"about": ("level", "kind")})
    old = Alarm(gate="runtime.max_age", reason="old", curable=True)
    seen = monitor(project, NOW)
    assert news(seen) == ()
    told = []
    for hour in range(24 * 20):
        look = _with(seen, hour / 24, level)
        if found := news(look):
            tell(look, found)
            told.append(hour / 24)
    assert told == [0, 1, 3, 7, 15]
    assert news(_with(seen, 16, level, old)) == (old,)
    assert news(_with(seen, 16, both)) == (both,)
    assert news(_with(seen, 16, level, release=2)) == (level,)


def test_a_note_that_a_kill_cut_short_is_passed_on_again(project: Charter, root: Path) -> None:
    level = Alarm(gate="runtime.drift", reason="level", curable=True, about=("level",))
    look = _with(monitor(project, NOW), 0, level)
    path = root / "monitor" / "small" / "told.jsonl"
    path.write_text('{"release": 1, "abo')
    assert news(look) == (level,)
    tell(look, [level])
    tell(look, [level])
    assert news(look) == ()
    assert len(path.read_text().splitlines()) == 2
