"""The chance and the effect of a shift, with rows that are independent and rows that share a day."""

from __future__ import annotations

import numpy as np
import pytest

from charter.runtime import Drift
from serving.journaling.minutes import EDGES
from tasks.monitoring import cells
from tasks.monitoring.counting import counted
from tasks.monitoring.days import DAY, blocks
from tasks.monitoring.divergence import divergence
from tasks.monitoring.drift import Finding, adjusted, findings
from tasks.monitoring.health import quantile, wilson
from tasks.monitoring.null import Null
from tasks.monitoring.reference import Counted, Counts
from tasks.monitoring.tally import Tally

DAYS, WEEK = 60, 7


def _rows(
    random: np.random.Generator, first: int, days: int, count: int, spread: float
) -> tuple[np.ndarray, np.ndarray]:
    """Values of `count` rows, 5 % of them missing, and the day of each; each day has its level."""
    day = first + np.sort(random.integers(days, size=count))
    level = spread * random.normal(size=first + days)
    values = random.normal(size=count) + level[day]
    return np.where(random.random(count) < 0.05, np.nan, values), day


def _look(
    seed: int, count: int, spread: float, moved: float = 0.0, gone: float = 0.0
) -> Finding:  # fmt: skip
    random = np.random.default_rng(seed)
    before, day = _rows(random, 0, DAYS, DAYS * 60, spread)
    cut = cells.cut_numbers(before)
    block, names = blocks(day * DAY)
    matrix = counted(cut, before, block, len(names))
    column = Counted(name="heat", cells=cut, counts=tuple(map(tuple, matrix.tolist())))
    reference = Counts(rows=len(day), days=names, columns=(column,))
    tally = Tally(reference)
    now, day = _rows(random, DAYS, WEEK, count, spread)
    tally.add({"heat": np.where(random.random(count) < gone, np.nan, now + moved)}, day * DAY)
    [found] = findings([(reference, tally, "input")], Drift(), draws=400)
    return found


@pytest.mark.parametrize("spread", [0.0, 0.3])
@pytest.mark.parametrize("count", [500, 20_000])
def test_windows_without_drift_are_as_rare_as_stated(spread: float, count: int) -> None:
    found = [_look(seed, count, spread) for seed in range(60)]
    assert not any(one.shifted for one in found)
    assert np.mean([one.adjusted <= 0.1 for one in found]) < 0.25
    assert np.median([one.p for one in found]) > 0.3


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_a_shift_has_the_same_effect_in_few_rows_and_in_many(spread: float) -> None:
    effects = []
    for count in (500, 5_000, 50_000):
        looks = [_look(seed, count, spread, moved=1.5) for seed in range(5)]
        assert all(one.shifted for one in looks)
        effects.append(float(np.median([one.effect for one in looks])))
    assert max(effects) - min(effects) < 0.06


def test_what_goes_missing_is_seen_among_values_that_differ_from_day_to_day() -> None:
    looks = [_look(seed, 5_000, 0.3, gone=0.15) for seed in range(5)]
    assert all(one.shifted for one in looks)
    assert looks[0].missing == pytest.approx(0.19, abs=0.02)
    assert looks[0].missing_before == pytest.approx(0.05, abs=0.01)


def test_what_was_never_missing_before_is_seen_at_once_but_not_in_a_single_row() -> None:
    null = Null(np.full(60, 50), np.full(7, 100), draws=200)
    before = np.stack([np.full(60, 50), np.zeros(60, dtype=np.int64)], axis=-1)
    assert null.compare(before, np.array([700, 0])).p == 1.0
    assert null.compare(before, np.array([699, 1])).p > 0.1
    assert null.compare(before, np.array([630, 70])).p < 1e-9


def test_having_asked_often_is_counted() -> None:
    # The example of Benjamini and Hochberg (1995), table 1: four of fifteen at 5 %.
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
               0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert sum(chance <= 0.05 for chance in adjusted(chances)) == 4
    assert adjusted([]) == []


def test_the_distance_is_nothing_for_the_same_and_one_for_nothing_in_common() -> None:
    one, other = np.array([3.0, 1.0, 0.0]), np.array([0.0, 0.0, 5.0])
    assert divergence(one, 2 * one) == pytest.approx(0.0, abs=1e-12)
    assert divergence(one, other) == pytest.approx(1.0)


def test_a_share_of_few_requests_is_not_sure_and_latency_lies_within_its_span() -> None:
    assert wilson(1, 20) < 0.01 < wilson(100, 2_000)
    assert wilson(0, 0) == 0.0
    counts = np.zeros(len(EDGES) + 1, dtype=np.int64)
    assert quantile(counts, 0.99) is None
    counts[3] = 100
    middle = quantile(counts, 0.5)
    assert middle is not None
    assert EDGES[2] < middle < EDGES[3]
