"""What a look finds in real journal rows that a real release answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter, Refusal
from charter.goal import Task
from serving.home import place
from tasks.monitor import Watched, monitor
from tests.tasks.watched import NOW, answer, copied, once, released, week, with_column

Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Charter, Path]]:
    folder = tmp_path_factory.mktemp("model") / "root"
    with once(folder) as charter:
        yield charter, folder


@pytest.fixture
def project(model: tuple[Charter, Path], root: Path) -> Charter:
    return copied(*model, root)


def _look(charter: Charter, count: int, change: Change | None = None, **told: Any) -> Watched:
    """A look at a week of rows."""
    table = week(count)
    answer(charter, change(table) if change else table, **told)
    return monitor(charter, NOW)


def _drifting(watched: Watched) -> list[str]:
    return [column for alarm in watched.alarms for column in alarm.about]


def _passed(watched: Watched, gate: str) -> bool:
    return next(verdict.passed for verdict in watched.verdicts if verdict.gate == gate)


def _higher(table: pa.Table) -> pa.Table:
    return with_column(table, "level", np.asarray(table["level"].to_numpy()) + 1.0)


def test_the_same_world_raises_no_alarm(project: Charter) -> None:
    found = _look(project, 2_000)
    assert (found.alarms, found.reason) == ((), "")
    assert _passed(found, "runtime.drift")
    assert {one.name for one in found.findings} >= {"level", "kind", "at (hour)", "code"}
    assert "none of" in next(v.message for v in found.verdicts if v.gate == "runtime.drift")


def test_a_planted_shift_is_named_with_its_effect_and_so_are_its_predictions(
    project: Charter,
) -> None:
    found = _look(project, 2_000, _higher)
    assert _drifting(found)[:2] == ["level", "probability of yes"]
    assert not _passed(found, "runtime.drift")
    level = found.findings[0]
    assert level.effect == pytest.approx(0.38, abs=0.05)
    assert level.adjusted < 0.01
    assert "level (effect 0.3" in found.reason
    assert {one.kind for one in found.findings if one.shifted} == {"input", "answer"}
    calm = [one for one in found.findings if one.name in ("wide", "whole", "flag", "code")]
    assert not any(one.shifted for one in calm)


def test_the_effect_does_not_grow_with_the_rows_and_neither_do_the_alarms(
    project: Charter, model: tuple[Charter, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = _look(project, 1_000, _higher)
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / "many"))
    many = _look(copied(*model, tmp_path / "many"), 50_000, _higher)
    assert _drifting(few) == _drifting(many)
    effects = [
        {one.name: one.effect for one in found.findings if one.shifted} for found in (few, many)
    ]
    assert effects[0] == pytest.approx(effects[1], abs=0.05)


def test_many_rows_of_the_same_world_raise_no_alarm(project: Charter) -> None:
    found = _look(project, 20_000)
    assert found.alarms == ()
    assert max(one.effect for one in found.findings) < project.runtime.drift.effect


def test_values_that_go_missing_are_told(project: Charter) -> None:
    def gone(table: pa.Table) -> pa.Table:
        code = [
            None if at % 4 == 0 else value for at, value in enumerate(table["code"].to_pylist())
        ]
        return with_column(table, "code", code)

    found = _look(project, 2_000, gone)
    assert _drifting(found)[0] == "code"
    assert found.findings[0].missing == pytest.approx(0.25, abs=0.01)
    assert found.findings[0].missing_before == 0


def test_values_that_no_training_row_had_are_told(project: Charter) -> None:
    def new(table: pa.Table) -> pa.Table:
        kind = [
            "moon" if at % 5 == 0 else value for at, value in enumerate(table["kind"].to_pylist())
        ]
        return with_column(table, "kind", kind)

    found = _look(project, 2_000, new)
    assert _drifting(found)[0] == "kind"
    assert found.findings[0].unseen == pytest.approx(0.2, abs=0.01)
    assert found.findings[0].unseen_before == 0


def test_a_shift_that_the_charter_allows_is_no_alarm(
    model: tuple[Charter, Path], root: Path
) -> None:
    charter = copied(*model, root)
    drift = charter.runtime.drift.model_copy(update={"effect": 0.6})
    allowed = charter.runtime.model_copy(update={"drift": drift})
    found = _look(charter.model_copy(update={"runtime": allowed}), 2_000, _higher)
    assert (found.alarms, found.findings[0].name) == ((), "level")


def test_too_few_rows_are_said_in_words(project: Charter) -> None:
    found = _look(project, 60, _higher)
    assert (found.findings, found.alarms) == ((), ())
    [said] = [verdict.message for verdict in found.verdicts if verdict.gate == "runtime.drift"]
    assert said == "60 rows are too few to compare, at least 100 are needed"
    assert "60 rows are too few" in place(found.page).read_text()


def test_four_weeks_are_looked_at_where_one_has_too_few_rows(project: Charter) -> None:
    answer(project, week(300, days=25))
    found = monitor(project, NOW)
    assert found.window.rows == 300
    assert (found.window.until - found.window.since).days == 28


def test_nothing_asked_and_nothing_live_are_no_faults(project: Charter) -> None:
    found = monitor(project, NOW)
    assert (found.window.rows, found.alarms) == (0, ())
    other = project.model_copy(update={"name": "other"})
    with pytest.raises(Refusal, match=r"perennial train configs/other\.yaml"):
        monitor(other, NOW)


@pytest.mark.parametrize(
    ("task", "answers"),
    [("multiclass", {"answer", "probability of the likeliest"}),
     ("regression", {"predicted answer"})],
)  # fmt: skip
def test_any_task_is_looked_at(
    root: Path, monkeypatch: pytest.MonkeyPatch, task: Task, answers: set[str]
) -> None:
    charter = released(monkeypatch, task, 3_000)
    answer(charter, week(1_000, task=task), labelled=1.0)
    found = monitor(charter, NOW)
    assert {one.name for one in found.findings if one.kind == "answer"} == answers
    assert _drifting(found) == []
    assert found.measured is not None
    assert found.measured.low < found.measured.value < found.measured.high
    assert found.expected is not None


def test_the_same_look_says_the_same_and_is_remembered_once(project: Charter) -> None:
    first = _look(project, 1_000, _higher)
    assert monitor(project, NOW) == first
    assert len(place("monitor/small/looks.jsonl").read_bytes().splitlines()) == 1


def test_the_page_tells_it(project: Charter) -> None:
    found = _look(project, 1_000, _higher)
    page = place(found.page).read_text()
    assert "crossed" in page
    assert "level" in page
    assert "What | comes &lt;next&gt;?" in page
    assert "src=" not in page
