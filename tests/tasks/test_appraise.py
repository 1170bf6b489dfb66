"""Whether there is enough data: the curve, what is foretold from it, and what is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from charter import Charter
from charter.goal import Task
from charter.tuning import FamilyName
from serving.home import place
from tasks.appraisal import fewer, power, wording
from tasks.appraisal.course import BETWEEN, DOUBLINGS, Course
from tasks.appraisal.draws import Fold, Scores, scores
from tasks.appraisal.fewer import growth
from tasks.appraisal.forecast import Ahead, Doubt, ahead
from tasks.appraisal.judgement import curve
from tasks.appraise import appraise
from tasks.generators import CATALOGUE
from tasks.models import family
from tasks.split import Rows, Training, looks
from tasks.tune import Rung, Study, seconds
from tasks.tuning.bench import Bench, try_fold
from tasks.tuning.clock import Clock
from tasks.tuning.sandbox import Failed, TookTooLong
from tasks.tuning.scale import finish
from tests.tasks import material, packaged

SIZES = 1_000.0 * 2 ** np.arange(-4.0, 1.0)
ROWS = 1_250


def test_a_planted_law_is_found_and_followed() -> None:
    sizes = 2.0 ** np.arange(-4, 1)
    limits, drops, paces = np.array([0.2, 0.0, 3.0]), np.array([0.1, 0.4, 2.0]), [0.4, 0.2, 1.0]
    losses = np.stack(
        [a + b * sizes**-c for a, b, c in zip(limits, drops, paces, strict=True)]
    )  # fmt: skip
    found = power.fit(sizes, losses, floor=0.0)
    wanted = [a + b * 2.0**-c for a, b, c in zip(limits, drops, paces, strict=True)]
    assert found.at(2.0) == pytest.approx(wanted, rel=4e-3)
    assert found.limit == pytest.approx(limits, abs=0.05)


def test_no_law_promises_more_than_a_perfect_model() -> None:
    sizes = 2.0 ** np.arange(-4, 1)
    losses = np.array([[0.5, 0.4, 0.3, 0.2, 0.1]])  # a straight line would reach 0 soon
    found = power.fit(sizes, losses, floor=0.0)
    assert found.limit[0] >= 0
    assert (found.at(1e9) >= 0).all()
    assert found.at(2.0)[0] < 0.1


def _scores(known: np.ndarray, noise: float, shared: float = 0.02, seed: int = 0) -> Scores:
    """Draws around the scores: noise of each size, and what all sizes share."""
    random = np.random.default_rng(seed)
    drawn = known + shared * random.normal(size=(200, 1))
    return Scores(known, drawn + noise * random.normal(size=(200, len(known))))


def _auc(sizes: np.ndarray) -> np.ndarray:
    return np.asarray(0.8 - 0.1 * (sizes / 1_000) ** -0.5)


@pytest.mark.parametrize(("metric", "sign"), [("roc_auc", 1.0), ("log_loss", -1.0)])
def test_what_twice_the_rows_bring(metric: str, sign: float) -> None:
    """The gain is positive where it is for the better, and lies in its interval."""
    now, twice = (_auc(np.array([rows * ROWS])) for rows in (1.0, 2.0))
    known = _auc(SIZES) if sign > 0 else 1 - _auc(SIZES)
    told = ahead(metric, SIZES, _scores(known, 0.001), ROWS)
    assert isinstance(told, Ahead)
    assert told.gain.value == pytest.approx(float((twice - now)[0]), abs=0.004)
    assert told.gain.low < told.gain.value < told.gain.high
    assert told.gain.high - told.gain.low < 0.03
    best = float(twice[0]) if sign > 0 else 1 - float(twice[0])
    assert told.score.value == pytest.approx(best, abs=0.004)
    assert told.score.low < told.score.value < told.score.high
    assert told.course[0][0] == pytest.approx(SIZES[0])
    assert told.course[-1][0] == pytest.approx(2 * ROWS)


def test_the_interval_is_as_much_wider_as_the_same_forecast_missed_before() -> None:
    """The last doubling brought nothing although the law before promised something."""
    known = _auc(SIZES)
    known[-1] = known[-2] + 0.001
    smooth, bent = (
        ahead("roc_auc", SIZES, _scores(values, 0.001), ROWS) for values in (_auc(SIZES), known)
    )
    assert isinstance(smooth, Ahead)
    assert isinstance(bent, Ahead)
    assert smooth.missed < 0.003 < 0.02 < bent.missed
    assert bent.gain.low < 0 < smooth.gain.low


@pytest.mark.parametrize(
    ("known", "noise", "why"),
    [
        (_auc(SIZES)[-3:], 0.001, "only 3 sizes"),
        (_auc(SIZES) - np.array([0, 0, 0, 0, 0.05]), 0.001, "got worse by 0.0086.*no law"),
        (_auc(SIZES), 0.2, "may be chance"),
        (np.array([0.6, 0.605, 0.61, 0.63, 0.66]), 0.001, "wider than half of all that was gained"),
    ],
)
def test_what_cannot_be_foretold_is_not(known: np.ndarray, noise: float, why: str) -> None:
    sizes = SIZES[-len(known) :]
    told = ahead("roc_auc", sizes, _scores(known, noise), ROWS)
    assert isinstance(told, Doubt)
    assert re.search(why, told.why), told.why
    assert told.flat == ("chance" in why and "law" not in why)


def test_differences_of_the_same_rows_have_narrow_intervals() -> None:
    random = np.random.default_rng(0)
    folds = []
    for _ in range(5):
        truth = random.integers(0, 2, 300)
        sure = np.clip(0.5 + 0.2 * (truth - 0.5) + 0.2 * random.normal(size=300), 0.01, 0.99)
        worse = np.clip(sure + 0.02 * random.normal(size=300), 0.01, 0.99)
        answers = tuple(np.column_stack([1 - p, p]) for p in (worse, sure, sure))
        folds.append(Fold(truth, answers))
    found = scores("roc_auc", folds, np.ones((2, 2)))
    each = [found.of(way) for way in np.eye(3)]
    gained, nothing = found.of(np.array([-1.0, 1, 0])), found.of(np.array([0, -1.0, 1]))
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    assert gained.high - gained.low < 0.3 * (each[1].high - each[1].low)
    days = [Fold(fold.truth, fold.answers, np.arange(300) // 50) for fold in folds]
    assert scores("roc_auc", days, np.ones((2, 2))).drawn.std() > 0


def _training(rows: int, **more: Any) -> Training:
    base = {
        "project": "toy", "where": "", "rows": rows, "fingerprint": "", "target": "answer",
        "task": "binary", "classes": ("no", "yes"), "metric": "roc_auc",
    }  # fmt: skip
    return Training.model_validate(base | more)


def test_a_shorter_history_lacks_its_oldest_rows() -> None:
    rows = Rows(pa.table({"at": pa.array(range(6))}), np.zeros(6, dtype=int))
    assert growth(_training(6, time="at"), rows, np.arange(4), 0).tolist() == [3, 2, 1, 0]


def test_a_smaller_table_of_groups_has_fewer_groups() -> None:
    names = np.repeat(["a", "b", "c", "d"], 5)
    rows = Rows(pa.table({"shop": names}), np.zeros(20, dtype=int))
    grown = growth(_training(20, group="shop"), rows, np.arange(20), 0)
    assert sorted(grown) == list(range(20))
    for first in (5, 10, 15):
        assert len(set(names[grown[:first]])) == first / 5


def test_each_smaller_table_has_its_share_of_the_rare_class() -> None:
    truth = np.r_[np.zeros(950, dtype=int), np.ones(50, dtype=int)]
    rows = Rows(pa.table({"x": truth}), truth)
    grown = growth(_training(1_000), rows, np.arange(1_000), 0)
    assert sorted(grown) == list(range(1_000))
    for first in (40, 100, 500):
        assert truth[grown[:first]].sum() == pytest.approx(first / 20, abs=1)


class Here:
    """The sandbox without its process, for what does not depend on it; `slow` seconds a call."""

    def __init__(self, state: fewer.Fewer, clock: list[float], slow: float = 0.0) -> None:
        self.state, self.clock, self.slow = state, clock, slow

    def call(self, function: Callable[..., Any], /, *arguments: Any, seconds: float) -> Any:
        if self.slow > seconds:
            raise TookTooLong("was stopped because its time was over")
        self.clock[0] += self.slow
        return function(self.state, *arguments)


def _course(
    root: Path, task: Task = "binary", rows: int = 1_600, left: float = 1e6, slow: float = 0.0
) -> tuple[Charter, Training, Course]:
    charter = material.charter(evaluation={"folds": 2})
    training = material.training(task, rows)
    state = fewer.load(charter, training, material.recipe(task))
    now = [0.0]
    here = Here(state, now, slow)
    clock = Clock(root / "clock.json", left, 0.0, now=lambda: now[0], stage="appraise")
    member = family("tree")
    return charter, training, Course(here, clock, member, member.start, fewer.sizes(state))  # type: ignore[arg-type]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_more_rows_are_measured_and_followed(root: Path, task: Task) -> None:
    charter, training, course = _course(root, task)
    course.run((*DOUBLINGS, 1.0))
    course.run(BETWEEN)
    assert course.shares == sorted((*DOUBLINGS, *BETWEEN, 1.0))
    found = curve(charter, training, course)
    assert [point.rows for point in found.points] == [50, 75, 100, 150, 200, 300, 400, 800]
    assert all(point.low <= point.score <= point.high for point in found.points)
    assert found.worth is not None
    assert found.answer in ("enough", "more", "unsure", "unknown")
    assert found.words.startswith(wording.OPENING[found.answer])
    if found.twice is not None:
        assert found.course[-1].rows == 2 * training.rows


def test_what_tuning_found_on_all_rows_is_not_fitted_again(root: Path) -> None:
    _, _, course = _course(root)
    bench = course.sandbox.state.bench  # type: ignore[attr-defined]
    found = [try_fold(bench, course.family, course.params, fold) for fold in range(2)]
    course.know(np.concatenate([answer.prediction for answer in found]), whole=True)
    known = course.answers[1.0]
    course.run((1.0,))
    assert course.answers[1.0] is known
    del course.answers[1.0]
    course.run((1.0,))
    for before, now in zip(known, course.answers[1.0], strict=True):
        np.testing.assert_allclose(before, now, atol=1e-9)


def test_only_what_there_is_time_for_is_fitted(root: Path) -> None:
    _, _, course = _course(
        root, left=5.5, slow=1.0
    )  # two folds, so 2 s a share, and 1 s for papers
    course.run((1 / 2, 1 / 4, 1 / 8))
    assert course.shares == [1 / 4, 1 / 2]
    assert course.why == "there was no time for more"


def test_a_fit_that_fails_on_few_rows_does_not_end_the_course(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, course = _course(root)
    call = course.sandbox.call

    def choosy(function: Any, *arguments: Any, seconds: float) -> Any:
        if arguments[3] < 100:
            raise Failed("ValueError: more neighbours than rows")
        return call(function, *arguments, seconds=seconds)

    monkeypatch.setattr(course.sandbox, "call", choosy)
    course.run((1 / 16, 1 / 8, 1 / 4))
    assert course.shares == [1 / 8, 1 / 4]
    assert "more neighbours than rows" in course.why


def test_the_search_leaves_time_for_it() -> None:
    made = material.charter(constraints={"train_minutes": 2})
    assert seconds(made) == pytest.approx(0.85 * 120)
    for tuning, left in (
        ({"learning_curve": False}, 18),
        ({"generate": "never"}, 18),
        ({"learning_curve": False, "generate": "never"}, 0),
    ):
        asked = material.charter(constraints={"train_minutes": 2}, tuning=tuning)
        assert seconds(asked) == pytest.approx(120 - left)
    short = material.charter(constraints={"train_minutes": 0.1})
    assert seconds(short) == pytest.approx(6)  # what it would leave is no use


def left_behind(training: Training, bench: Bench, name: FamilyName, answers: np.ndarray) -> Study:
    """The study of one family, with its answers for the folds and its only trial on disk."""
    where, member = f"studies/{training.project}/planted", family(name)
    place(f"{where}/models").mkdir(parents=True, exist_ok=True)
    rows = np.concatenate([test for _, test in bench.parts])
    found = {"value": answers}
    if answers.ndim == 2:
        found = {f"p_{at}": column for at, column in enumerate(answers.T)}
    table = pa.table({"row": rows, "truth": bench.truth[rows], **found})
    pq.write_table(table, place(f"{where}/out_of_fold.parquet"))
    trial = {
        "number": 0, "family": name, "state": "complete", "score": 0.7, "seconds": 0.1,
        "params": "{}", "why": "",
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([trial]), place(f"{where}/trials.parquet"))
    finish(bench, member, member.start, None, f"{where}/models/{name}-0.skops")
    return Study(
        project=training.project, fingerprint="s" * 64, where=where, search="random",
        metric=training.metric, family=name, params=dict(member.start),
        ladder=(Rung(family=name, score=0.7, taken=True, why="the only one"),),
        model=f"{where}/models/{name}-0.skops", out_of_fold=f"{where}/out_of_fold.parquet",
        trials=f"{where}/trials.parquet", seconds=1.0, peak_gb=0.1,
    )  # fmt: skip


def test_the_stage_answers_once_and_sees_no_row_of_the_holdout(root: Path) -> None:
    case = packaged.case("binary", "tree", count=1_200, evaluation={"folds": 2})
    training = case.split.training
    bench = fewer.load(case.charter, training, case.recipe).bench
    member = family("tree")
    found = [try_fold(bench, member, member.start, fold).prediction for fold in range(2)]
    study = left_behind(training, bench, "tree", np.concatenate(found))
    made = appraise(case.charter, training, case.recipe, study)
    assert made.curve.points[-1].rows == pytest.approx(0.5 * training.rows, abs=1)
    assert len(made.curve.points) >= 5
    words = f"{made.curve.words} {made.generation.words}"
    assert made.study == study.model_copy(update={"appraised": words})
    assert {one.name for one in made.generation.tries} == {one.name for one in CATALOGUE}
    assert looks(case.split.holdout) == ()
    page = place("pages/small/study.html").read_text()
    assert "Is there enough data?" in page
    assert "all rows now" in page
    assert made.curve.words in page
    assert "Would generated rows help?" in page
    record = next(place(study.where).glob("appraisal-*.json"))
    written = record.stat().st_mtime_ns
    assert appraise(case.charter, training, case.recipe, study) == made
    assert record.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("clauses", "why"),
    [
        ({"tuning": {"learning_curve": False, "generate": "never"}}, "nobody asked"),
        ({"constraints": {"train_minutes": 0.02}}, "left no time"),
        ({"constraints": {"memory_gb": 0.05}}, "of 0.05 GiB"),
    ],
)
def test_why_it_was_not_looked_at(root: Path, clauses: dict[str, Any], why: str) -> None:
    charter, training = material.charter(**clauses), material.training("binary", 100)
    bench = fewer.load(charter, training, material.recipe("binary")).bench
    study = left_behind(training, bench, "tree", np.zeros((100, 2)))
    made = appraise(charter, training, material.recipe("binary"), study)
    assert made.curve.points == ()
    assert made.generation.tries == ()
    assert why in made.curve.words
    assert why in made.generation.words
    assert made.curve.answer == "unknown"
