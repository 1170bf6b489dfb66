from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import tasks.graph
from charter.goal import Task
from serving.bundle import load
from serving.golden import golden
from serving.home import place
from serving.packing import pack_rows
from serving.predictor import Predictor
from tasks.package import Bundle
from tasks.packaging.parity import LIMIT
from tasks.split import looks
from tests.tasks import packaged


def verdict(bundle: Bundle, gate: str) -> Any:
    return next(verdict for verdict in bundle.verdicts if verdict.gate == gate)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_bundle_is_proven_and_complete(root: Path, task: Task) -> None:
    made = packaged.case(task, "boosting")
    bundle = made.package()
    assert all(verdict.passed for verdict in bundle.verdicts), bundle.verdicts
    assert bundle.parity <= LIMIT
    assert bundle.parity_rows > 300
    artifact = load(place(bundle.where))
    assert set(artifact.manifest.files) == {
        "model.onnx", "signature.json", "decision.json", "golden.json", "charter.json",
        "scorecard.json", "bundle.json", "card.md", "card.html", "reference.json",
        "sheet.md", "sheet.html",
    }  # fmt: skip
    assert artifact.manifest.tables == {made.table.where: made.table.version}
    assert artifact.manifest.libraries["scikit-learn"].startswith("1.9")
    assert artifact.manifest.lock is not None


def test_the_manifest_names_what_the_table_was_made_of(root: Path) -> None:
    made = packaged.case("binary", "dummy", 200)
    collected = made.table.model_copy(update={"where": "tables/small/collected", "version": 7})
    bundle = made.package(collected)
    wanted = {"tables/small/collected": 7, made.table.where: made.table.version}
    assert load(place(bundle.where)).manifest.tables == wanted
    assert made.package() != bundle


def test_golden_rows_are_answered_as_the_pipeline_does(root: Path) -> None:
    bundle = packaged.case("binary", "linear").package()
    kept = golden(place(bundle.where))
    assert len(kept.rows) == 64
    assert kept.cases[0] == "holdout row 0"
    assert "every column absent" in kept.cases
    predictor = Predictor(place(bundle.where))
    found = predictor.predict(pack_rows(predictor.signature, kept.rows))
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities, kept.probabilities, atol=1e-9)
    assert found.labels == list(kept.labels)
    json.dumps(kept.rows, allow_nan=False)


def test_a_second_run_gives_the_same_bundle_without_another_look(root: Path) -> None:
    made = packaged.case("binary", "dummy")
    first = made.package()
    manifest = (place(first.where) / "manifest.json").read_bytes()
    assert made.package() == first
    assert (place(first.where) / "manifest.json").read_bytes() == manifest
    seen = looks(made.split.holdout)
    assert [(look.by, look.why) for look in seen] == [
        ("package", "parity, golden rows and reference")
    ]


def test_a_damaged_bundle_is_made_anew(root: Path) -> None:
    made = packaged.case("binary", "dummy")
    bundle = made.package()
    (place(bundle.where) / "model.onnx").write_bytes(b"cut")
    assert made.package().verdicts == bundle.verdicts
    load(place(bundle.where))


def test_a_wrong_imputer_value_fails_parity_and_names_the_column(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = tasks.graph.convert

    def wrong(pipeline: Any, signature: Any) -> onnx.ModelProto:
        """The graph as it would be if another median had been written for `level`."""
        model = right(pipeline, signature)
        imputer = pipeline["prepare"]["columns"].named_transformers_["numbers"]
        medians = np.asarray(imputer.statistics_)
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.shape == medians.shape and np.array_equal(values, medians):
                changed = medians + np.array([2.0, 0.0, 0.0])
                tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
                return model
        raise AssertionError("the graph holds no medians")

    made = packaged.case("binary", "tree")
    monkeypatch.setattr("tasks.graph.convert", wrong)
    bundle = made.package()
    ordinary, odd = verdict(bundle, "deployment.parity_rows"), verdict(bundle, "parity.hostile")
    assert ordinary.stops
    assert "worst at holdout row" in ordinary.message
    assert odd.stops
    assert "level: missing" in odd.message or "every column" in odd.message
    assert bundle.parity > 0.01
    load(place(bundle.where))  # kept for inspection


def test_a_model_that_is_too_large_fails_its_gate(root: Path) -> None:
    bundle = packaged.case("binary", "forest", constraints={"model_mb": 0.001}).package()
    size = verdict(bundle, "constraints.model_mb")
    assert size.stops
    assert "limit 0.001 MB" in size.message
    assert size.numbers["model_mb"] == pytest.approx(bundle.model_mb)


def test_a_failed_run_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = packaged.case("binary", "dummy")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("tasks.packaging.card.as_html", broken)
    with pytest.raises(OSError, match="disk full"):
        made.package()
    assert list(place("bundles/small").iterdir()) == []


def test_the_card_names_what_is_blank_and_escapes_what_is_not(root: Path) -> None:
    bundle = packaged.case("regression", "linear").package()
    text = (place(bundle.where) / "card.md").read_text()
    assert "(blank: goal.because)" in text
    assert "(blank: experience.audience)" in text
    for heading in ("Intended use", "Metrics", "Factors", "The ladder", "Gates", "Caveats"):
        assert f"## {heading}" in text
    html = (place(bundle.where) / "card.html").read_text()
    assert "<next>" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "(blank: fairness.sensitive)" in text
    sheet = (place(bundle.where) / "sheet.md").read_text()
    for heading in ("Motivation", "Composition", "Collection", "People and consent", "Upkeep"):
        assert f"## {heading}" in sheet
    for key in ("goal.because", "data.collection", "privacy.purpose", "fairness.sensitive"):
        assert f"(blank: {key})" in sheet
