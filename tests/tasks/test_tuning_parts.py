"""The parts of tuning that need no child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from charter.constraints import Constraints
from tasks.models.base import Choice, Real, Space, Value, Whole
from tasks.progress import Step, watched
from tasks.tuning.choice import Choice as Chosen
from tasks.tuning.choice import Contender
from tasks.tuning.clock import Clock
from tasks.tuning.folder import Folder
from tasks.tuning.limits import broken
from tasks.tuning.pace import Pace
from tasks.tuning.scale import Weight
from tasks.tuning.search import INTERRUPTED, Entry, Search, journal
from tests.tasks import material

SPACE: Space = {
    "depth": Whole(2, 9, grid=(2, 4)),
    "rate": Real(0.01, 1.0, grid=(0.1, 0.5), log=True),
    "kind": Choice(("a", "b")),
}
START: dict[str, Value] = {"depth": 4, "rate": 0.5, "kind": "b"}


def _search(
    path: Path,
    kind: Literal["bayesian", "random", "grid"] = "bayesian",
    space: Space = SPACE,
    start: dict[str, Value] = START,
    seed: int = 0,
    known: dict[str, Value] | None = None,
    more: Sequence[Mapping[str, Value]] = (),
) -> Search:
    storage = journal(path / "journal.log")
    return Search(
        storage,
        "tree",
        space,
        start,
        kind,
        known=known,
        more=more,
        seed=seed,
        greater=True,
        prune=True,
    )


def _run(search: Search, trials: int) -> list[dict[str, Value]]:
    for _ in range(trials):
        attempt = search.next()
        if attempt is None:
            break
        attempt.complete(float(attempt.number), 0.1)
    return [entry.params for entry in search.entries()]


@pytest.mark.parametrize("kind", ["bayesian", "random", "grid"])
def test_every_search_begins_with_the_start(
    tmp_path: Path, kind: Literal["bayesian", "random", "grid"]
) -> None:
    assert _run(_search(tmp_path, kind), 1) == [START]


def test_a_start_outside_of_the_space_is_moved_into_it(tmp_path: Path) -> None:
    assert _run(_search(tmp_path, start=START | {"depth": 20}), 1) == [START | {"depth": 9}]


KNOWN: dict[str, Value] = {"depth": 7, "rate": 0.02, "kind": "gone", "old": 1}


@pytest.mark.parametrize("kind", ["bayesian", "random", "grid"])
def test_what_the_champion_was_fitted_with_comes_first(
    tmp_path: Path, kind: Literal["bayesian", "random", "grid"]
) -> None:
    first: dict[str, Value] = {"depth": 7, "rate": 0.02, "kind": "b"}
    tried = _run(_search(tmp_path, kind, known=KNOWN), 3)
    if kind == "grid":  # only points of the grid: those that share most with it
        assert tried[0] == {"depth": 2, "rate": 0.1, "kind": "b"}
    else:
        assert tried[:2] == [first, START]
        assert tried[2] not in tried[:2]


@pytest.mark.parametrize("kind", ["bayesian", "random"])
def test_the_portfolio_comes_behind_the_start_each_once(
    tmp_path: Path, kind: Literal["bayesian", "random", "grid"]
) -> None:
    more: list[dict[str, Value]] = [START | {"depth": 3}, START, START | {"depth": 30}]
    wanted = [START, START | {"depth": 3}, START | {"depth": 9}]
    assert _run(_search(tmp_path, kind, more=more), 3) == wanted


def test_a_first_trial_that_was_cut_off_is_begun_again(tmp_path: Path) -> None:
    attempt = _search(tmp_path, known=KNOWN).next()
    assert attempt is not None
    resumed = _search(tmp_path, known=KNOWN)
    _run(resumed, 2)
    complete = [entry.params for entry in resumed.entries() if entry.state == "complete"]
    assert complete == [START, attempt.params]


def test_the_seed_decides_what_comes_next(tmp_path: Path) -> None:
    def tried(name: str, seed: int) -> list[dict[str, Value]]:
        (tmp_path / name).mkdir()
        return _run(_search(tmp_path / name, seed=seed), 5)

    first = tried("a", 1)
    assert tried("b", 1) == first
    assert tried("c", 2) != first


def test_the_grid_ends_and_goes_on_where_it_was(tmp_path: Path) -> None:
    assert len(_run(_search(tmp_path, "grid"), 5)) == 5
    points = _run(_search(tmp_path, "grid"), 100)
    assert len(points) == 8
    assert len({tuple(point.items()) for point in points}) == 8


@pytest.mark.parametrize("kind", ["bayesian", "random", "grid"])
def test_what_is_being_tried_is_not_tried_beside_itself(
    tmp_path: Path, kind: Literal["bayesian", "random", "grid"]
) -> None:
    space: Space = {"depth": Whole(2, 3, grid=(2, 3))}
    search = _search(tmp_path, kind, space, {"depth": 3})
    attempts = [attempt for _ in range(3) if (attempt := search.next())]
    assert [attempt.params for attempt in attempts] == [{"depth": 3}, {"depth": 2}]
    assert search.running == 2
    for attempt in attempts:
        attempt.complete(1.0, 0.1)
    assert search.running == 0
    assert len(search.entries()) == 2


def test_a_trial_that_begins_anew_tells_its_folds_once(tmp_path: Path) -> None:
    attempt = _search(tmp_path).next()
    assert attempt is not None
    assert not any(attempt.report(0, score) for score in (0.5, 0.4))  # Optuna would warn


def test_a_small_space_counts_as_searched_once_all_is_repeated(tmp_path: Path) -> None:
    space: Space = {"depth": Whole(2, 3, grid=(2, 3))}
    points = _run(_search(tmp_path, "random", space, {"depth": 2}), 100)
    assert sorted(points, key=str) == [{"depth": 2}, {"depth": 3}]
    (tmp_path / "empty").mkdir()
    assert _run(_search(tmp_path / "empty", space={}, start={}), 100) == [{}]


def test_what_a_killed_run_left_running_has_failed_and_is_tried_again(tmp_path: Path) -> None:
    killed = _search(tmp_path, "grid")
    _run(killed, 3)
    attempt = killed.next()
    assert attempt is not None
    with (tmp_path / "journal.log").open("ab") as file:
        file.write(b'{"op_code": 4, "half a li')
    search = _search(tmp_path, "grid")
    entries = search.entries()
    assert [entry.state for entry in entries] == ["complete"] * 3 + ["failed"]
    assert entries[-1].why == INTERRUPTED
    again = search.next()
    assert again is not None
    assert again.params == attempt.params


def test_a_trial_that_falls_behind_is_given_up(tmp_path: Path) -> None:
    search = _search(tmp_path)
    for score in (0.8, 0.9, 0.9, 0.95):
        attempt = search.next()
        assert attempt is not None
        assert not attempt.report(0, score)
        attempt.complete(score, 0.1, rows=None)
    attempt = search.next()
    assert attempt is not None
    assert attempt.report(0, 0.89)  # better than one of four
    attempt.prune(0.1, "fell behind")
    last = search.entries()[-1]
    assert (last.state, last.score, last.why) == ("pruned", None, "fell behind")


def test_the_clock_counts_what_a_killed_run_spent(tmp_path: Path) -> None:
    now = [100.0]
    steps: list[Step] = []
    clock = Clock(tmp_path / "clock.json", 60.0, began=98.0, now=lambda: now[0])
    clock.note = "tree trial 1"
    with watched(steps.append):
        for _ in range(50):
            clock.tick()
            now[0] += 0.1
    assert clock.spent == pytest.approx(7.0)
    assert 8 <= len(steps) <= 11
    assert steps[0] == Step("tune", 2.0, 60.0, "tree trial 1")
    later = Clock(tmp_path / "clock.json", 60.0, now=lambda: now[0])
    assert 5.9 <= later.spent <= 7.0
    assert later.left == pytest.approx(60 - later.spent)


def test_only_the_best_answers_stay(root: Path) -> None:
    folder = Folder("toy", "0123456789abcdef0123")
    for number in range(4):
        folder.keep_answers("tree", number, np.full(3, float(number)))
    folder.keep_answers("forest", 0, np.zeros(3))
    folder.drop_answers("tree", {1, 3})
    kept = [folder.answers("tree", number) is not None for number in range(4)]
    assert kept == [False, True, False, True]
    assert folder.answers("forest", 0) is not None


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (Weight(1.0, 0.1, 1e-7), ""),
        (Weight(61.0, 0.1, 0.0), "too large: 61.0 MB > 10 MB"),
        (Weight(1.0, 30.0, 0.0), "too slow: 30.0 ms a row > 20 ms"),
        (Weight(1.0, 0.1, 0.3), "its graph differs from its pipeline by 0.3 > 1e-05"),
    ],
)
def test_the_constraints_are_read(weight: Weight, words: str) -> None:
    assert broken(Constraints(model_mb=10, latency_p99_ms=20), weight) == words


def test_remembering_families_slow_down_with_their_rows() -> None:
    fits, tests = (40_000, 80_000), (10_000, 10_000)
    learner = Pace(4_000, 0.04, 1e-6, remembers=False)
    lazy = Pace(4_000, 0.0, 1e-4, remembers=True)
    assert learner.trial(fits, tests, 80_000) == pytest.approx(1.2 + 0.02)
    assert lazy.trial(fits, tests, 80_000) == pytest.approx(10.0 + 20.0)
    assert lazy.trial(fits, tests, 4_000) == pytest.approx(1.0 + 1.0)


@dataclass
class Stand:
    """What a choice asks of its ground."""

    truth: np.ndarray
    floor: float = 0.5
    greater: bool = True
    seed: int = 0
    beat: dict[str, float] = field(default_factory=dict)
    prefer: str = "simple"
    prices: np.ndarray | None = None

    @property
    def training(self) -> Any:
        return type("Training", (), {"metric": "roc_auc"})

    @property
    def charter(self) -> Any:
        return material.charter(evaluation={"beat": self.beat}, tuning={"prefer": self.prefer})

    @property
    def clock(self) -> Any:
        return type("Clock", (), {"total": 60.0})

    def score(self, truth: np.ndarray, answers: np.ndarray) -> float:
        from tasks.metrics import measure

        return measure("roc_auc", truth, answers)


def _choice(noises: dict[Any, float], rows: int = 2_000) -> Chosen:
    """Contenders whose predictions are the truth behind more or less noise."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, rows)
    ground = Stand(truth)
    contenders = []
    for name, noise in noises.items():
        chance = (
            1 / (1 + np.exp(-(truth - 0.5) - noise * rng.normal(size=rows)))
            if noise
            else np.full(rows, 0.5)
        )
        answers = np.column_stack([1 - chance, chance])
        entry = Entry(0, {}, "complete", ground.score(truth, answers), 1.0, "", 0.0, {})
        contenders.append(Contender(name, entry, answers))
    return Chosen(ground, contenders)  # type: ignore[arg-type]


def test_a_clear_gain_is_taken() -> None:
    choice = _choice({"dummy": 0.0, "linear": 1.5, "forest": 1.0})
    dummy, linear, forest = choice.contenders
    assert choice.taken is forest
    assert "better than linear (" not in choice.why(forest)
    assert choice.why(forest).endswith("better than linear")
    assert choice.why(linear).startswith("passed over: ")
    assert choice.why(linear).endswith("worse than forest")
    assert choice.why(dummy).endswith("worse than forest")
    interval = choice.interval(forest)
    assert interval.low < forest.score < interval.high


def test_a_tie_keeps_the_simpler_rung() -> None:
    choice = _choice({"dummy": 0.0, "linear": 1.0, "forest": 1.0})
    _, linear, forest = choice.contenders
    noisy = forest.answers.copy()
    noisy[:20] = noisy[20:40]  # nearly the same, by a hair better or worse
    same = Contender("forest", forest.entry, noisy)
    better = Entry(0, {}, "complete", linear.score + 1e-4, 1.0, "", 0.0, {})
    tied = Chosen(choice._ground, [linear, Contender("forest", better, same.answers)])
    assert tied.best.family == "forest"
    assert tied.taken.family == "linear"
    assert tied.why(tied.taken).startswith("took: simpler and as good, 0.0001 (")
    assert "no better than linear" in tied.why(tied.best)

    stand: Any = tied._ground
    stand.prefer = "best"
    preferred = Chosen(stand, tied.contenders)
    assert preferred.taken.family == "forest"
    assert "tuning.prefer is best" in preferred.why(preferred.contenders[0])
    assert preferred.why(preferred.taken).endswith("better than linear")
    stand.prefer = "simple"

    stand.beat = {"linear": 0.005}
    beaten = Chosen(stand, tied.contenders)
    assert beaten.taken.family == "forest"  # linear could only fail the charter's gate
    assert "evaluation.beat wants it beaten, and forest is" in beaten.why(beaten.contenders[0])


def test_a_large_difference_is_no_tie_even_where_few_rows_leave_it_open() -> None:
    choice = _choice({"dummy": 0.0, "linear": 2.0, "forest": 1.5}, rows=60)
    linear, forest = choice.contenders[1:]
    assert choice.ahead(forest, linear).low <= 0 < choice.ahead(forest, linear).value
    assert choice.taken is forest


def test_what_only_luck_put_ahead_of_knowing_nothing_is_passed_over() -> None:
    choice = _choice({"dummy": 0.0, "neural": 200.0})  # noise drowns the truth
    dummy, neural = choice.contenders
    flipped = neural.answers if neural.score > 0.5 else neural.answers[:, ::-1]
    score = choice._ground.score(choice._ground.truth, flipped)
    lucky = Entry(0, {}, "complete", score, 1.0, "", 0.0, {})
    choice = Chosen(choice._ground, [dummy, Contender("neural", lucky, flipped)])
    assert choice.best.family == "neural"
    assert choice.taken is dummy
    stand: Any = choice._ground
    stand.prefer = "best"
    assert Chosen(stand, choice.contenders).taken is dummy


def test_of_many_rows_some_stand_for_all() -> None:
    """The interval is as wide as that of all rows, and a rare class is among them."""
    noises: dict[Any, float] = {"linear": 1.5, "forest": 1.0}
    many = _choice(noises, rows=60_000)
    linear, forest = many.contenders
    some = len(many._some)
    assert some == pytest.approx(20_000, abs=2)
    short = many.ahead(forest, linear)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tasks.tuning.choice.ROWS", 10**6)
        whole = Chosen(many._ground, many.contenders).ahead(forest, linear)
    assert short.value == whole.value
    assert short.high - short.low == pytest.approx(whole.high - whole.low, rel=0.3)
    truth = np.zeros(50_000, dtype=int)
    truth[:3] = 1
    rare = Chosen(Stand(truth), many.contenders)  # type: ignore[arg-type]
    assert 1 <= (truth[rare._some] == 1).sum() <= 3
