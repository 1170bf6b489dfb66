"""What moved an answer."""

from __future__ import annotations

from pathlib import Path

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


def test_an_input_gives_what_the_answer_loses_without_it(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    row = ROWS[1]
    found = {one.field: one.moved for one in reasons(loaded, orjson.dumps(row))}
    assert set(found) == {column.name for column in SIGNATURE.inputs}
    asked = [row, *({**row, "Wind (mph)": other.get("Wind (mph)")} for other in ROWS)]
    answers = orjson.loads(loaded.answer(orjson.dumps(asked), 0.0).content)
    said, *others = (one["probabilities"][answers[0]["prediction"]] for one in answers)
    assert found["Wind (mph)"] == pytest.approx(said - sum(others) / len(others), abs=1e-12)
    assert found["Wind (mph)"] > found["holiday"] > 0 > found["carrier"]
    assert found["time_hour"] == 0, "the graph does not use it"


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
