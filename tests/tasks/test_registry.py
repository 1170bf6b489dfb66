"""MLflow holds one run and one version per bundle, and its alias follows what is live."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from serving.golden import golden
from serving.packing import BadRow, pack_rows
from serving.predictor import Predictor
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


@pytest.fixture(scope="module")
def source(store: Path, papers: Path) -> str:
    from mlflow.tracking import MlflowClient

    registry.enter("quinces", "aaa", {}, {}, papers)
    registry.reconcile("quinces", "aaa", 1)
    address = f"sqlite:///{store}/mlflow/mlflow.db"
    version = MlflowClient(address, address).get_model_version_by_alias("quinces", "champion")
    return str(version.source)


def test_mlflow_takes_a_frame_of_raw_columns(source: str, papers: Path) -> None:
    import mlflow

    wanted = golden(papers)
    frame = pd.DataFrame(wanted.rows, index=range(10, 10 + len(wanted.rows)))
    model = mlflow.pyfunc.load_model(source)
    answers = model.predict(frame)
    shares = answers[["p_false", "p_true"]]
    np.testing.assert_allclose(shares, np.array(wanted.probabilities), atol=1e-9)
    assert list(answers["prediction"]) == list(wanted.labels)
    assert list(answers.index) == list(frame.index)
    whole = frame.assign(distance=[1089, 200, 1000, 4983], note="not asked for")
    whole["time_hour"] = pd.to_datetime(whole["time_hour"])
    pd.testing.assert_frame_equal(model.predict(whole), answers)
    with pytest.raises(BadRow, match="Send a number"):
        model.predict(frame.assign(distance="far"))
    with pytest.raises(mlflow.MlflowException, match="distance"):
        model.predict(frame.drop(columns="distance"))


ALONE = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas
found = mlflow.pyfunc.load_model(sys.argv[1]).predict(pandas.DataFrame([{"distance": 1000}]))
import serving
assert serving.__file__.startswith(sys.argv[1]), serving.__file__
assert "tasks" not in sys.modules
print(found["p_true"][0])
"""


@pytest.mark.slow
def test_the_model_brings_what_loads_it(source: str, papers: Path, tmp_path: Path) -> None:
    local = source.removeprefix("file://")
    ran = subprocess.run(
        [sys.executable, "-c", ALONE, local], capture_output=True, text=True, cwd=tmp_path,
        timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    one = Predictor(papers).predict(pack_rows(SIGNATURE, [{"distance": 1000}])).probabilities
    assert one is not None
    assert float(ran.stdout) == pytest.approx(one[0, 1])


def test_mlflow_loads_the_graph(source: str, papers: Path) -> None:
    import mlflow

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
