"""MLflow holds one run and one version per bundle, and its alias follows what is live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import registry


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(root))
        yield root


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(b"a graph")
    (tmp_path / "card.md").write_text("# Plums")
    return tmp_path


def test_a_bundle_is_entered_once(store: Path, papers: Path) -> None:
    first = registry.enter("plums", "aaa", {"family": "tree"}, {"roc_auc": 0.8}, papers)
    again = registry.enter("plums", "aaa", {"family": "tree"}, {"roc_auc": 0.8}, papers)
    assert first == again
    kept = {path.name for path in (store / "mlflow" / "artifacts").rglob("*") if path.is_file()}
    assert kept == {"model.onnx", "card.md"}


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
