"""What moved an answer."""

from __future__ import annotations

from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import orjson
import pytest

from serving import releases
from serving.form import Bad
from serving.loaded import Loaded, load
from serving.reasons import reasons
from serving.signature import Signature
from tests.serving.handmade import ROWS, SIGNATURE, bundle


def _loaded(folder: Path, signature: Signature = SIGNATURE) -> Loaded:
    number = releases.add(folder, bundle(folder / "bundle", signature=signature))
    return load(folder, releases.publish(folder, number, None))


def _asked(loaded: Loaded, rows: list[dict[str, object]], label: str) -> np.ndarray:
    """The chance of the label in each row."""
    answers = orjson.loads(loaded.answer(orjson.dumps(rows), 0.0).content)
    return np.array([one["probabilities"][label] for one in answers])


def _exact(loaded: Loaded, row: dict[str, object], label: str) -> dict[str, float]:
    """Shapley values from every set of known inputs (Shapley, 1953)."""
    names = [column.name for column in SIGNATURE.inputs]
    worth = {}
    for size in range(len(names) + 1):
        for known in combinations(names, size):
            mixed: list[dict[str, object]] = [
                {name: (row if name in known else other).get(name) for name in names}
                for other in ROWS
            ]
            worth[known] = float(_asked(loaded, mixed, label).mean())
    count = len(names)
    return {
        name: sum(
            factorial(len(known)) * factorial(count - len(known) - 1) / factorial(count)
            * (worth[tuple(one for one in names if one in {*known, name})] - worth[known])
            for known in worth
            if name not in known
        )
        for name in names
    }  # fmt: skip


def test_what_inputs_give_adds_up_and_is_what_shapley_says(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    row: dict[str, object] = {**ROWS[1]}
    found = {one.field: one.moved for one in reasons(loaded, orjson.dumps(row))}
    label = orjson.loads(loaded.answer(orjson.dumps([row]), 0.0).content)[0]["prediction"]
    exact = _exact(loaded, row, label)
    assert set(found) == set(exact)
    for name, moved in found.items():
        assert moved == pytest.approx(exact[name], abs=0.005), name
    usual: list[dict[str, object]] = [{**one} for one in ROWS]
    lead = _asked(loaded, [row], label)[0] - _asked(loaded, usual, label).mean()
    assert sum(found.values()) == pytest.approx(lead, abs=1e-12)
    assert found["Wind (mph)"] > found["holiday"] > 0 > found["carrier"]
    assert found["time_hour"] == 0, "the graph does not use it"


def test_many_inputs_are_asked_about_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = _loaded(tmp_path)
    whole = reasons(loaded, orjson.dumps(ROWS[1]))
    monkeypatch.setattr("serving.reasons.CELLS", 60)
    assert reasons(loaded, orjson.dumps(ROWS[1])) == whole


def test_for_a_number_it_is_said_in_its_unit_and_the_most_comes_first(tmp_path: Path) -> None:
    loaded = _loaded(
        tmp_path, Signature(**{**dict(SIGNATURE), "task": "regression", "classes": ()})
    )
    found = reasons(loaded, orjson.dumps(ROWS[1]))
    assert found[0].field == "Wind (mph)"
    assert found[0].moved == pytest.approx(0.1 * (30 - (9.2 + 30) / 4))
    sizes = [abs(one.moved) for one in found]
    assert sizes == sorted(sizes, reverse=True)


def test_reasons_are_those_of_one_row(tmp_path: Path) -> None:
    with pytest.raises(Bad, match="Ask about one row"):
        reasons(_loaded(tmp_path), orjson.dumps(ROWS))
