from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from charter import Refusal
from serving.packing import pack_rows
from serving.predictor import ROWS, Predictor
from serving.signature import Decision
from tests.serving import bundles


def asked(predictor: Predictor, *values: float | None) -> list[str] | None:
    rows = [{"x": value} for value in values]
    return predictor.predict(pack_rows(predictor.signature, rows)).labels


def test_probabilities_and_the_threshold(tmp_path: Path) -> None:
    predictor = Predictor(bundles.write(tmp_path / "b", 2, Decision(threshold=0.75)))
    packed = pack_rows(predictor.signature, [{"x": 0.0}, {"x": 2.0}])
    answers = predictor.predict(packed)
    assert answers.probabilities is not None
    assert answers.values is None
    np.testing.assert_allclose(answers.probabilities[:, 1], 1 / (1 + np.exp([0.0, -2.0])))
    assert answers.labels == ["no", "yes"]


def test_the_threshold_itself_is_positive(tmp_path: Path) -> None:
    assert asked(Predictor(bundles.write(tmp_path / "b", 2, Decision(threshold=0.5))), 0.0) == [
        "yes"
    ]
    higher = Decision(threshold=0.5000001)
    assert asked(Predictor(bundles.write(tmp_path / "c", 2, higher)), 0.0) == ["no"]


def test_more_classes_take_the_largest_weighted_probability(tmp_path: Path) -> None:
    plain = Predictor(bundles.write(tmp_path / "b", 3))
    assert asked(plain, 1.0, -1.0) == ["c", "a"]
    weighted = Decision(weights=(1.0, 10.0, 1.0))
    assert asked(Predictor(bundles.write(tmp_path / "c", 3, weighted)), 1.0, -1.0) == ["b", "b"]


def test_values(tmp_path: Path) -> None:
    predictor = Predictor(bundles.write(tmp_path / "b", 0))
    answers = predictor.predict(pack_rows(predictor.signature, [{"x": 1.5}, {"x": -2}]))
    assert answers.values is not None
    assert answers.values.tolist() == [3.0, -4.0]
    assert answers.labels is None


def test_many_rows_in_parts_and_none_at_all(tmp_path: Path) -> None:
    predictor = Predictor(bundles.write(tmp_path / "b", 0))
    count = 2 * ROWS + 3
    answers = predictor.predict(pack_rows(predictor.signature, [{"x": i} for i in range(count)]))
    assert answers.values is not None
    np.testing.assert_array_equal(answers.values, 2.0 * np.arange(count))
    nothing = predictor.predict(pack_rows(predictor.signature, []))
    assert nothing.values is not None
    assert nothing.values.shape == (0,)


def test_a_graph_that_does_not_load_is_refused(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "b")
    (folder / "model.onnx").write_bytes(b"no graph")
    bundles.sign(folder)
    with pytest.raises(Refusal, match=r"found a graph that does not load.*package the model anew"):
        Predictor(folder)


def test_threads_share_a_predictor(tmp_path: Path) -> None:
    predictor = Predictor(bundles.write(tmp_path / "b", 3))
    found: list[list[str] | None] = []

    def ask() -> None:
        found.extend(asked(predictor, 1.0, None, -1.0) for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(labels == ["c", "a", "a"] for labels in found)
