"""The comparison with golden answers, seen to pass and to fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from charter import Refusal
from serving.golden import Golden, golden
from serving.predictor import Answers, Predictor
from serving.proof import difference, other_labels, prove
from serving.signature import Decision
from tests.serving.handmade import bundle

HALF = Golden(
    rows=({}, {}, {}), cases=("a", "b", "c"), labels=("no", "yes", "yes"),
    probabilities=((0.9, 0.1), (0.6, 0.4), (0.2, 0.8)),
)  # fmt: skip


def test_an_extreme_value_does_not_hide_an_ordinary_one() -> None:
    wanted = Golden(rows=({},) * 4, cases=("",) * 4, values=(10.0, 12.0, 11.0, 1e38))
    right = np.array(wanted.values)
    assert difference(wanted, Answers(values=right * (1 + 1e-9))) == pytest.approx(1e-9)
    assert difference(wanted, Answers(values=right + np.array([0.1, 0, 0, 0]))) > 1e-3


@pytest.mark.parametrize("found", [[0.1, np.nan, 0.8], [0.1, 0.4]])
def test_no_number_and_no_answer_are_infinitely_far(found: list[float]) -> None:
    shares = np.array([[1 - share, share] for share in found])
    assert difference(HALF, Answers(probabilities=shares)) == float("inf")


def test_another_class_counts_unless_it_stands_at_the_boundary() -> None:
    at_threshold = Decision(threshold=0.4)
    assert other_labels(HALF, ["no", "yes", "yes"], at_threshold) == 0
    assert other_labels(HALF, ["no", "no", "yes"], at_threshold) == 0
    assert other_labels(HALF, ["no", "no", "yes"], Decision(threshold=0.3)) == 1
    assert other_labels(HALF, ["no", "yes", "yes"], Decision(weights=(1.0, 1.5))) == 0
    assert other_labels(HALF, ["yes", "no", "no"], Decision(weights=(1.0, 1.5))) == 2


def test_a_planted_difference_is_refused(tmp_path: Path) -> None:
    good = bundle(tmp_path / "good")
    prove(Predictor(good), golden(good), "good")
    off = bundle(tmp_path / "off", golden_off=2e-5)
    with pytest.raises(Refusal, match="Package the model anew"):
        prove(Predictor(off), golden(off), "off")
