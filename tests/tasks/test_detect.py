"""Rows that are unlike the others: found where there are some, refused where it is noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Refusal
from serving.home import place
from tasks import lake
from tasks.detect import Detected, detect
from tasks.lake import Table
from tests.tasks import material

pytestmark = pytest.mark.usefixtures("root")
ROWS, ODD = 2_000, 30
QUICK = {"detectors": ["distance"]}


def _charter(**anomalies: Any) -> Any:
    return material.charter(
        goal={"target": {"column": "odd", "anomalies": {"share": ODD / ROWS, **QUICK, **anomalies}}},
        data={
            "source": {"kind": "csv", "path": "toy.csv"}, "key": ["id"],
            "columns": {"size": {"label": "Size"}, "word": {"role": "text"}},
        },
    )  # fmt: skip


def _table(rows: pa.Table, told: list[bool | None] | None = None) -> Table:
    answers = pa.array(told or [None] * rows.num_rows, pa.bool_())
    made = rows.append_column("odd", answers)
    if "id" not in made.schema.names:
        made = made.append_column("id", pa.array(np.arange(rows.num_rows)))
    return lake.write("tables/toy/table", "toy", made.to_reader(max_chunksize=250), "f" * 64)


def _rows(seed: int = 0) -> tuple[pa.Table, np.ndarray]:
    """Weight goes with size; of some rows the size is far off, of others both are usual
    and disagree."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=ROWS)
    weight = 1_000 * (size + 0.1 * rng.normal(size=ROWS))
    odd = np.zeros(ROWS, dtype=bool)
    odd[rng.permutation(ROWS)[:ODD]] = True
    at = np.flatnonzero(odd)
    size[at[:15]] += 12
    size[at[15:]] = rng.choice([-1, 1], 15) * rng.uniform(1.2, 2.1, 15)
    weight[at[15:]] = -1_000 * size[at[15:]]
    table = pa.table(
        {
            "id": np.arange(ROWS), "size": pa.array(size, mask=rng.random(ROWS) < 0.01),
            "weight": weight, "colour": rng.choice(["red", "blue"], ROWS),
            "word": [f"word {n}" for n in range(ROWS)],
            "fraud": pa.array(np.where(odd, "yes", "no"), mask=rng.random(ROWS) < 0.2),
        }
    )  # fmt: skip
    return table, odd


def _flags(detected: Detected) -> np.ndarray:
    return np.concatenate([batch["odd"].to_numpy(zero_copy_only=False) for batch in lake.read(detected.table, ["odd"])])  # fmt: skip


def test_rows_that_are_odd_are_found_and_explained() -> None:
    rows, odd = _rows()
    table = _table(rows)
    found = detect(_charter(known="fraud", detectors=["distance", "neighbours"]), table)
    assert found.columns == ("size", "weight", "colour")  # no key, no text, not what is known
    flags = _flags(found)
    assert found.odd == flags.sum()
    assert (flags & odd).sum() >= 0.9 * ODD
    assert flags.sum() <= 1.2 * ODD  # the share is that of a draw
    assert found.beyond[0].label == "Size"
    assert "Size" in found.says["true"]
    assert all(verdict.passed for verdict in found.verdicts)
    assert found.truth is not None
    assert found.truth.rows == rows["fraud"].drop_null().length()
    assert found.truth.average_precision > 0.9
    page = place(found.page).read_text()
    far = np.flatnonzero(odd)[np.argmax(np.nan_to_num(rows["size"].to_numpy()[odd]))]
    assert f">{far}</th>" in page
    assert "(usual: " in page
    assert "no single value: how they go together" in page
    # Nothing but the target is touched, and no row is moved.
    kept = pa.Table.from_batches(lake.read(found.table)).drop_columns(["odd"])
    assert kept.equals(pa.Table.from_batches(lake.read(table)).drop_columns(["odd"]))


def test_what_a_person_told_of_a_row_stands() -> None:
    rows, odd = _rows()
    told: list[bool | None] = [None] * ROWS
    first, usual = int(np.flatnonzero(odd)[0]), int(np.flatnonzero(~odd)[0])
    told[first], told[usual] = False, True
    found = detect(_charter(), _table(rows, told))
    assert found.by_people == 2
    flags = _flags(found)
    assert (flags[first], flags[usual]) == (False, True)


def test_the_same_rows_are_looked_through_once_and_an_old_training_set_is_known() -> None:
    table = _table(_rows()[0])
    first = detect(_charter(), table)
    assert detect(_charter(), table) == first
    assert detect(_charter(), first.table) == first
    place(first.page).unlink()
    assert detect(_charter(), table) == first
    assert place(first.page).exists()
    assert detect(_charter(columns=["size"]), table).fingerprint != first.fingerprint


def test_noise_does_not_pass_its_gates() -> None:
    rng = np.random.default_rng(0)
    noise = pa.table({f"n{at}": rng.random(ROWS) for at in range(6)})
    found = detect(_charter(detectors=["isolation_forest"]), _table(noise))
    assert {one.gate.rpartition(".")[2]: one.passed for one in found.verdicts} == {
        "stability": False, "planted": False, "share": True,
    }  # fmt: skip


def test_later_rows_judge_and_more_odd_ones_among_them_are_refused() -> None:
    rows, _ = _rows()
    day = np.arange(ROWS) * 86_400_000_000
    size = np.where(np.arange(ROWS) >= 1_400, rows["size"].to_numpy() * 6, rows["size"].to_numpy())
    moved = rows.set_column(1, "size", pa.array(size)).append_column("day", pa.array(day, pa.timestamp("us")))  # fmt: skip
    charter = _charter(columns=["size"])
    timed = charter.model_copy(update={"data": charter.data.model_copy(update={"time": "day"})})
    share = [detect(words, _table(moved)).verdicts[2].passed for words in (charter, timed)]
    assert share == [True, False]


@pytest.mark.parametrize(
    ("rows", "anomalies", "said"),
    [
        ({"n": [1.0] * 2_000}, {}, "no column that tells rows apart"),
        ({"n": [1.0, 2.0] * 500}, {}, "1,000 rows with a share of 0.015.*share to 0.02 or more"),
        ({"n": [1.0, 2.0] * 1_000}, {}, "found 0 odd ones among 2,000 rows"),
        ({"n": np.arange(2_000.0)}, {"columns": ["m"]}, "no column m"),
        ({"n": np.arange(2_000.0), "m": np.arange(2_000.0)}, {"known": "m"}, "2,000 different values in m"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_found_it_says_why(
    rows: dict[str, Any], anomalies: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        detect(_charter(**anomalies), _table(pa.table(rows)))


def test_a_table_with_groups_is_no_table_of_odd_rows() -> None:
    groups = pa.table({"n": np.arange(2_000.0), "odd": pa.array(["A"] * 2_000)})
    table = lake.write("tables/toy/found", "toy", groups.to_reader(), "e" * 64)
    with pytest.raises(Refusal, match="whose odd is string"):
        detect(_charter(), table)
