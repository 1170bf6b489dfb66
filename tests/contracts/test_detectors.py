"""What every way of finding odd rows owes: one walk through all of them."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from charter.anomalies import DetectorName
from tasks.detectors import DETECTORS, Detector

every = pytest.mark.parametrize("member", DETECTORS, ids=lambda member: member.name)


def _cloud(rows: int, seed: int) -> np.ndarray:
    """Three columns, the first two almost the same."""
    a, b, noise = np.random.default_rng(seed).normal(size=(3, rows))
    return np.column_stack([a, a + 0.1 * noise, b])


def test_the_catalogue_has_every_name_once() -> None:
    assert sorted(member.name for member in DETECTORS) == sorted(get_args(DetectorName))


@every
@pytest.mark.parametrize("odd", [[9, 9, 0], [0, 0, -9], [2.5, -2.5, 0]])
def test_rows_far_away_and_rows_against_the_grain_are_odder_than_the_others(
    member: Detector, odd: list[float]
) -> None:
    score = member.fit(_cloud(1_000, seed=0), 0)
    usual = score(_cloud(400, seed=1))
    assert usual.shape == (400,)
    assert score(np.array([odd], dtype=float))[0] > np.quantile(usual, 0.97)


@every
def test_one_row_is_as_odd_as_in_a_batch(member: Detector) -> None:
    score, rows = member.fit(_cloud(600, seed=0), 0), _cloud(20, seed=2)
    alone = [float(score(rows[at : at + 1])[0]) for at in range(20)]
    assert alone == pytest.approx(score(rows).tolist(), rel=1e-12)


@every
def test_the_same_seed_finds_the_same(member: Detector) -> None:
    rows = _cloud(600, seed=0)
    one, other = (member.fit(rows, 7)(rows).tolist() for _ in range(2))
    assert one == other


@every
def test_columns_that_repeat_each_other_do_no_harm(member: Detector) -> None:
    rows = _cloud(600, seed=0)
    twice = np.hstack([rows, rows[:, :1], np.ones((600, 1))])
    score = member.fit(twice, 0)
    far = twice[:1] + 9 * (np.arange(5) < 4)
    assert score(far)[0] > score(twice).max()
