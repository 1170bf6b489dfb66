"""A model that remembers is told apart from one that has learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from charter import Charter
from tasks.judgement.membership import MOST, Membership, membership, verdict
from tests.tasks.persons import charter


def answers(rows: int, memory: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities; `memory` is how far they are drawn to the truth."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 2, rows)
    said = draw.uniform(0.05, 0.95, rows)
    said = said + memory * (truth - said)
    return truth, np.column_stack([1 - said, said])


def found(memory: float) -> Membership:
    return membership(answers(2_000, memory, 1), answers(1_500, 0.0, 2), 0)


def told(limit: float | None) -> Charter:
    return charter(Path(), membership=limit)


def test_an_honest_model_gives_nobody_away() -> None:
    honest = found(0.0)
    for attack in honest.attacks:
        assert attack.low < 0.5 < attack.high
        assert attack.high - attack.low < 0.05
    assert verdict(told(0.55), honest).passed
    assert (honest.members, honest.others) == (2_000, 1_500)


def test_memory_shows_in_the_loss_and_in_the_confidence() -> None:
    by = {attack.by: attack for attack in found(0.7).attacks}
    assert by["loss"].low > 0.8
    assert by["confidence"].low > 0.6
    assert found(0.7).worst.by == "loss"
    failed = verdict(told(0.55), found(0.7))
    assert failed.stops
    assert "at most 0.55 is allowed" in failed.message
    assert not verdict(told(None), found(0.7)).stops


def test_numbers_have_a_loss_and_no_confidence() -> None:
    draw = np.random.default_rng(5)
    truth = draw.normal(size=2 * MOST)
    near = (truth, truth + draw.normal(0, 0.1, len(truth)))
    far = (truth[:900], truth[:900] + draw.normal(0, 0.4, 900))
    one = membership(near, far, 0)
    assert [attack.by for attack in one.attacks] == ["loss"]
    assert one.attacks[0].auc == pytest.approx(0.84, abs=0.03)
    assert one.members == MOST
