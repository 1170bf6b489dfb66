"""MLflow holds one run and one version per bundle, and its alias follows what is live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from serving.golden import golden
from serving.packing import pack_rows
from tasks import registry
from tests.serving.handmade import SIGNATURE, bundle


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(root))
        yield root


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("papers") / "bundle")


def test_a_bundle_is_entered_once(store: Path, papers: Path) -> None:
    first = registry.enter("plums", "aaa", {"family": "tree"}, {"roc_auc": 0.8}, papers)
    again = registry.enter("plums", "aaa", {"family": "tree"}, {"roc_auc": 0.8}, papers)
    assert first == again
    kept = [path.name for path in (store / "mlflow" / "artifacts").rglob("*") if path.is_file()]
    assert kept.count("model.onnx") == 1
    assert {"MLmodel", "card.md", "manifest.json", "golden.json"} <= set(kept)
    assert not [name for name in kept if name.endswith((".pkl", ".pickle", ".joblib"))]


def test_an_entry_is_taken_up_where_a_kill_left_it(
    store: Path, papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(registry, "_register", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.enter("figs", "aaa", {"family": "tree"}, {"roc_auc": 0.8}, papers)
    entry = registry.enter("figs", "aaa", {"family": "tree"}, {"roc_auc": 0.8}, papers)
    assert entry.version == "1"
    assert registry.enter("figs", "aaa", {}, {}, papers) == entry


def test_mlflow_can_load_the_champion(store: Path, papers: Path) -> None:
    import mlflow
    from mlflow.tracking import MlflowClient

    registry.enter("quinces", "aaa", {}, {}, papers)
    registry.reconcile("quinces", "aaa", 1)
    address = f"sqlite:///{store}/mlflow/mlflow.db"
    source = MlflowClient(address, address).get_model_version_by_alias("quinces", "champion").source
    wanted = golden(papers)
    packed = pack_rows(SIGNATURE, wanted.rows)
    model = mlflow.pyfunc.load_model(source)
    answers = model.predict({"numbers": packed.numbers, "texts": packed.texts})
    np.testing.assert_allclose(answers["probabilities"], wanted.probabilities, atol=1e-9)
    graph = mlflow.onnx.load_model(source)
    assert graph.SerializeToString() == onnx.load(papers / "model.onnx").SerializeToString()


def test_the_alias_follows_what_is_live(store: Path, papers: Path) -> None:
    registry.enter("pears", "aaa", {}, {}, papers)
    registry.enter("pears", "bbb", {}, {}, papers)
    assert registry.reconcile("pears", "bbb", 2) == "2"
    assert registry.champion("pears") == ("2", "bbb")
    assert registry.reconcile("pears", "aaa", 1) == "1"
    assert registry.champion("pears") == ("1", "aaa")


def test_an_unknown_bundle_cannot_be_champion(store: Path) -> None:
    with pytest.raises(LookupError, match="not in the registry"):
        registry.reconcile("pears", "ccc", 3)
