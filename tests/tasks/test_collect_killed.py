"""Collect, killed at random instants while truths keep coming: nothing lost, nothing folded twice."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

import tasks.collect
from serving.home import place
from tasks.collect import collect
from tasks.renew import renew
from tests.postgres import database
from tests.tasks import looped
from tests.tasks.children import Children
from tests.tasks.looped import START, charter, log, named, predicted, row, told

EACH = 400
"""New predictions before each kill."""
LIMIT = 100
LATER = START + timedelta(days=300)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(
    request: pytest.FixtureRequest, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.chdir(tmp_path)
    found = f"sqlite:///{root / 'journal.db'}"
    root.mkdir()
    if request.param == "postgresql":
        found = database(request.getfixturevalue("postgres_url"))
    monkeypatch.setenv("PERENNIAL_JOURNAL_URL", found)
    return found


@pytest.fixture(scope="module")
def children() -> Children:
    return Children("tasks.collect", "tasks.validation.judge", "great_expectations")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_five_kills(url: str, children: Children) -> None:
    killed(children, kills=25, seed=1)


def test_a_few_kills(url: str, children: Children) -> None:
    killed(children, kills=4, seed=2)


def killed(children: Children, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    truth: dict[int, bool | None] = {}
    table = looped.trained()
    children.run(collect_all, Path.cwd())  # the first child of all waits for the imports
    arrive(truth, chance)
    whole = children.run(collect_all, Path.cwd()) or 0.0
    cut = 0
    for _ in range(kills):
        arrive(truth, chance)
        instant = chance.uniform(0.0, whole)
        cut += children.run(collect_all, Path.cwd(), seconds=instant) is None
    assert cut > kills / 2  # the others were through before
    last = collect(charter(), LATER)
    assert collect(charter(), LATER).table == last.table

    labels = defaultdict(list)
    for entry in log():
        labels[entry["prediction"]].append(entry["late"])
    good = {named(n): label for n, label in truth.items() if n % 50}
    assert {name: found[-1] for name, found in labels.items()} == good
    for found in labels.values():  # an entry that says nothing new was folded twice
        assert all(one != other for one, other in itertools.pairwise(found))
    assert refused() == sorted(named(n) for n in truth if n % 50 == 0)
    assert last.table is not None
    renewed = renew(charter(), table, last)
    assert renewed.rows == looped.TRAINED + len(good)


def arrive(truth: dict[int, bool | None], chance: random.Random) -> None:
    """New predictions, a few of them bad; truths for most of the good ones, and for older ones."""
    first = 1_000 + len(truth)
    new = range(first, first + EACH)
    predicted((named(n), START, row(n, distance=0.0 if n % 50 == 0 else 100.0)) for n in new)
    truth.update(dict.fromkeys(new))
    some = [n for n in truth if n % 50 and (n in new or chance.random() < 0.1)]
    for n in some:
        if chance.random() < 0.7:
            truth[n] = chance.random() < 0.5
    told((named(n), known) for n in some if (known := truth[n]) is not None)


def collect_all(folder: Path) -> None:
    """What a child does."""
    os.chdir(folder)
    tasks.collect.LIMIT = LIMIT
    collect(charter(), LATER)


def refused() -> list[str]:
    """The ids of all refused predictions, however often each of them stands there."""
    from deltalake import DeltaTable

    kept = DeltaTable(place("tables/toy/quarantine")).to_pyarrow_table()
    records = [json.loads(one) for one in kept["record"].to_pylist()]
    return sorted(one["prediction"] for one in records)
