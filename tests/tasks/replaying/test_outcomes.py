"""Outcomes come late, in order, once, and the same for each seed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from tasks.replaying.outcomes import Outcomes, Truth

WAIT = 1000.0


def _all(seed: int, until: float | None = None) -> list[tuple[float, str, Truth]]:
    outcomes = Outcomes(WAIT, seed)
    ids = [f"p{i}" for i in range(500)]
    truths: list[Truth | None] = [None if i % 10 == 0 else "yes" for i in range(500)]
    outcomes.add(ids, [float(i) for i in range(500)], truths)
    end = None if until is None else datetime.fromtimestamp(until, UTC)
    return [(at.timestamp(), id, truth) for at, told in outcomes.due(end, 7) for id, truth in told]


def test_what_has_a_truth_is_told_once_and_never_early() -> None:
    told = _all(1)
    assert sorted(id for _, id, _ in told) == sorted(f"p{i}" for i in range(500) if i % 10)
    assert all(at >= int(id[1:]) + 0.1 * WAIT for at, id, _ in told)  # the last of each request
    late = np.mean([at - int(id[1:]) > WAIT for at, id, _ in told])
    assert 0.02 < late < 0.10


def test_nothing_is_told_that_is_known_later() -> None:
    told = _all(1, until=600.0)
    assert 0 < len(told) < 450
    assert max(at for at, _, _ in told) < 600
    assert {id for _, id, _ in told} < {id for _, id, _ in _all(1)}


def test_each_seed_has_its_own_delays() -> None:
    assert _all(1) == _all(1)
    assert _all(1) != _all(2)
