"""Charters of `configs/` that no other test trains: groups that are found, and a model on paper."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from charter.load import load
from serving import bundle
from serving.home import home, place
from tasks import history
from tasks.service import served

CONFIGS = Path(__file__).parents[2] / "configs"
QUICK = (
    "constraints.train_minutes=2",  # trials end it
    "constraints.latency_p99_ms=500",  # beside other tests
    "tuning.trials=2",
    "tuning.learning_curve=false",
    "tuning.generate=never",
)


@pytest.fixture
def folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect: None) -> Path:
    """A working directory with the charters as they are shipped."""
    (tmp_path / "configs").mkdir()
    for name in ("penguins", "credit"):
        shutil.copy(CONFIGS / f"{name}.yaml", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _heavy(count: int) -> list[dict[str, object]]:
    """Heavy birds with short flippers, which no island has; each measure alone is a usual one."""
    return [
        {"rownames": 1_000 + n, "bill_length_mm": 57 + n % 3, "bill_depth_mm": 20.5 + n % 2 / 2,
         "flipper_length_mm": 174 + n % 5, "body_mass_g": 6_000 + 10 * (n % 13)}
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.timeout(400)
def test_penguins_are_grouped_served_and_grouped_anew_with_what_came(folder: Path) -> None:
    from flows.retrain import retrain
    from flows.train import train
    from tasks.cluster import Clustered

    path, quick = Path("configs/penguins.yaml"), (*QUICK, "tuning.families=[dummy,linear]")
    trained = train(path, quick)
    assert isinstance(trained.found, Clustered)
    assert [group.name for group in trained.found.groups] == ["A", "B"]
    assert all(verdict.passed for verdict in trained.found.verdicts)
    signature = bundle.load(home() / "releases/penguins/1").signature
    assert signature.classes == ("A", "B")
    assert signature.say["B"].startswith("B: Length of a flipper (mm) high")
    assert {one.name for one in signature.inputs} == set(trained.found.columns)
    card = (home() / "releases/penguins/1/card.md").read_text()
    assert "Found in the data, not told: A: " in card

    again = train(path, quick)  # finds what is there, though now a release is live
    assert again.found is not None
    assert again.found.table == trained.found.table
    assert (again.split, again.release.number) == (trained.split, 1)

    gentoo = {"bill_length_mm": 48, "bill_depth_mm": 15, "flipper_length_mm": 217, "body_mass_g": 5_100}  # fmt: skip
    with served(home() / "releases/penguins", "the groups", ()) as service:
        url = f"http://127.0.0.1:{service.port}/predict"
        assert httpx.post(url, json=gentoo).json()["prediction"] == "B"
        assert httpx.post(url, json=_heavy(300)).status_code == 200

    found = retrain(path, "asked", quick)
    assert (found.outcome, found.live) == ("promoted", 2), found.reason
    assert found.collected.fresh == 301
    signature = bundle.load(home() / "releases/penguins/2").signature
    assert signature.classes == ("A", "B", "C")  # those that were there keep their names
    with served(home() / "releases/penguins", "the groups", ()) as service:
        url = f"http://127.0.0.1:{service.port}/predict"
        assert httpx.post(url, json=gentoo).json()["prediction"] == "B"
        assert httpx.post(url, json=_heavy(1)[0]).json()["prediction"] == "C"
    assert [entry.event for entry in history.entries("penguins")] == ["trained", "promoted"]
    skipped = retrain(path, "asked", quick)
    assert (skipped.outcome, skipped.reason.split(" came")[0]) == ("skipped", "only 2 rows")


@pytest.mark.timeout(400)
def test_the_whole_logic_of_credit_is_printed(folder: Path) -> None:
    from flows.train import train
    from tasks.models.shelf import take
    from tasks.printing.logic import logic

    path = Path("configs/credit.yaml")
    trained = train(path, QUICK)
    ladder = {rung.family: rung for rung in trained.study.ladder}
    assert not ladder["boosting"].trials
    assert "cannot be printed" in ladder["boosting"].why
    training = trained.split.training
    printed = logic(take(place(trained.study.model)), training.classes, training.target)
    assert printed is not None
    card = (home() / "releases/credit/1/card.md").read_text()
    assert "## The whole logic" in card
    assert all(line in card for line in printed.lines)
    assert load(path).constraints.interpretable
