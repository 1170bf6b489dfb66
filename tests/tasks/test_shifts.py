"""Shifts of the threshold are searched for as long as there is time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.auditing.groups import Groups
from tasks.mitigation.base import Aim, Told
from tasks.mitigation.estimators import moved
from tasks.mitigation.shifts import cells, search


def people() -> Told:
    """800 of two groups, one of which is answered positive more often."""
    rng = np.random.default_rng(0)
    code = rng.integers(0, 2, 800)
    chance = np.clip(0.35 + 0.3 * code + rng.normal(0, 0.2, 800), 0, 1)
    truth = (rng.random(800) < chance).astype(np.int64)
    known = np.eye(4)[cells(code, truth)]
    aim = Aim(
        "binary", "demographic_parity", (("sex", 0.1),), 50, 0.5, np.ones((2, 2)) - np.eye(2), 0, 4
    )
    return Told(np.column_stack([chance, known]), truth, (Groups("sex", ("f", "m"), code),), aim)


def apart(told: Told, settings: tuple[float, ...]) -> float:
    positive = moved(told.signals, np.array(settings[1:]), settings[0]) >= told.aim.threshold
    code = told.groups[0].codes
    return abs(float(positive[code == 1].mean() - positive[code == 0].mean()))


def test_a_search_without_time_gives_what_it_has() -> None:
    told = people()
    at_once = search(replace(told, until=0.0))
    assert at_once == (0.0,) * 5
    assert replace(told, until=7.0).only(np.arange(9)).until == 7.0
    assert apart(told, search(told)) <= 0.1 < apart(told, at_once)
