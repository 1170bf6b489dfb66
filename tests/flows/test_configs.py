"""Charters of `configs/` that no other test trains: what is found, and a model on paper."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from charter.load import load
from serving import bundle
from serving.home import home, place
from tasks import history, lake
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
    for name in ("penguins", "credit", "diamonds"):
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


SLIPS = (  # rows of the table that no stone can be like
    {"carat": 2.0, "depth": 58.9, "table": 57, "x": 8.09, "y": 58.9, "z": 8.06},
    {"carat": 0.51, "depth": 61.8, "table": 55, "x": 5.15, "y": 31.8, "z": 5.12},
    {"carat": 0.51, "depth": 61.8, "table": 54.7, "x": 5.12, "y": 5.15, "z": 31.8},
    {"carat": 1.0, "depth": 63.3, "table": 53, "x": 0, "y": 0, "z": 0},
    {"carat": 1.0, "depth": 59.1, "table": 59, "x": 6.55, "y": 6.48, "z": 0},
)
USUAL = {"carat": 0.7, "depth": 61.8, "table": 57, "x": 5.7, "y": 5.72, "z": 3.53}


def _stones(count: int) -> list[dict[str, float]]:
    """As they usually are, a little larger or smaller."""
    sizes = [0.9 + 0.2 * n / count for n in range(count)]
    return [
        USUAL | {"rownames": 60_000 + n, "carat": 0.7 * size**3}
        | {name: USUAL[name] * size for name in "xyz"}
        for n, size in enumerate(sizes)
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_wrong_diamonds_are_found_asked_about_and_what_people_tell_stays_told(folder: Path) -> None:
    from flows.retrain import retrain
    from flows.train import train
    from tasks.detect import Detected

    path = Path("configs/diamonds.yaml")
    quick = (*QUICK, "constraints.train_minutes=3", "tuning.families=[dummy,oddness,boosting]")
    trained = train(path, quick)
    assert trained.study.family == "oddness"
    assert isinstance(trained.found, Detected)
    assert all(verdict.passed for verdict in trained.found.verdicts)
    rows = pa.Table.from_batches(lake.read(trained.found.table)).to_pandas()
    wrong = (rows[["x", "y", "z"]] == 0).any(axis=1) | (rows[["y", "z"]] > 20).any(axis=1)
    assert wrong.sum() == 23  # what everybody who looked at this table found by hand
    assert rows.odd[wrong].all()
    assert 0.003 < rows.odd.mean() < 0.007
    card = (home() / "releases/diamonds/1/card.md").read_text()
    assert "true for the 0.5 % of the rows that are least like the others by carat, depth" in card

    with served(home() / "releases/diamonds", "odd rows", ()) as service:
        url = f"http://127.0.0.1:{service.port}"
        said = [httpx.post(f"{url}/predict", json=row).json()["prediction"] for row in SLIPS]
        assert said == ["true"] * len(SLIPS)
        stones = httpx.post(f"{url}/predict", json=_stones(600)).json()
        assert sum(one["prediction"] == "true" for one in stones) < 10
        told = {"id": stones[0]["id"], "truth": "true"}  # a person knows better
        assert httpx.post(f"{url}/feedback", json=told).status_code == 200

    again = retrain(path, "asked", quick)
    assert again.promotion is not None, again.reason
    assert again.collected.fresh == 600 + len(SLIPS)
    newest = lake.latest("tables/diamonds/found", "diamonds")
    assert newest is not None
    kept = pa.Table.from_batches(lake.read(newest)).to_pandas().set_index("rownames")
    assert len(kept) == len(rows) + 600 + len(SLIPS)
    assert kept.odd["60000"]
    assert not kept.odd["60001"]


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
