"""Groups that nobody named: found where there are some, refused where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from charter import Charter, Refusal
from charter.clusters import Clusters
from serving.home import place
from tasks import lake
from tasks.cluster import Clustered, cluster
from tasks.clustering.trial import trials
from tasks.clusterings import Clustering, Found
from tasks.clusterings.kmeans import KMEANS
from tasks.lake import Table
from tests.tasks import material

pytestmark = pytest.mark.usefixtures("root")
GAP = 7.0


def _charter(**clusters: Any) -> Charter:
    target = {"column": "kind", "clusters": {"most": 5, **clusters}}
    return material.charter(
        goal={"target": target},
        data={
            "source": {"kind": "csv", "path": "toy.csv"}, "key": ["id"],
            "columns": {"size": {"label": "Size"}, "word": {"role": "text"}},
        },
    )  # fmt: skip


def _table(rows: pa.Table) -> Table:
    nobody_knows = pa.nulls(rows.num_rows, pa.string())
    made = rows.append_column("kind", nobody_knows)
    return lake.write("tables/toy/table", "toy", made.to_reader(max_chunksize=250), "f" * 64)


def _three(rows: int = 900, gap: float = GAP) -> tuple[pa.Table, np.ndarray]:
    """Two numbers and a colour, of three kinds; half, a third and a sixth of the rows."""
    rng = np.random.default_rng(0)
    kind = rng.choice(3, rows, p=[1 / 2, 1 / 3, 1 / 6])
    size, weight = rng.normal(size=(2, rows))
    table = pa.table(
        {
            "id": pa.array(np.arange(rows)),
            "size": pa.array(size + gap * (kind == 1), mask=rng.random(rows) < 0.03),
            "weight": pa.array(1_000 * (weight + gap * (kind == 2))),
            "colour": pa.array(np.where(kind == 2, "red", rng.choice(["blue", "green"], rows))),
            "word": pa.array([f"word {n}" for n in range(rows)]),
            "always": pa.array(np.ones(rows)),
        }
    )
    return table, kind


def _sorted(clustered: Clustered) -> list[str]:
    return [str(one) for batch in lake.read(clustered.table, ["kind"]) for one in batch["kind"].to_pylist()]  # fmt: skip


def test_kinds_that_are_there_are_found_named_by_size_and_put_into_words() -> None:
    from sklearn.metrics import adjusted_rand_score

    rows, kind = _three()
    table = _table(rows)
    found = cluster(_charter(), table)
    assert [group.name for group in found.groups] == ["A", "B", "C"]
    assert sum(group.rows for group in found.groups) == 900
    assert found.taken.groups == 3
    assert found.columns == ("size", "weight", "colour")  # no key, no text, nothing constant
    assert adjusted_rand_score(_sorted(found), kind) > 0.95
    names = dict(zip(kind.tolist(), _sorted(found), strict=True))
    assert names == {0: "A", 1: "B", 2: "C"}
    b, c = found.groups[1], found.groups[2]
    assert b.words[0].startswith("Size high (")
    assert any(said.startswith("weight high (") for said in c.words)
    assert any(said.startswith("colour red (100") for said in c.words)
    assert all(verdict.passed for verdict in found.verdicts)
    page = place(found.page).read_text()
    assert "Size high" in page
    # Nothing but the target is touched, and no row is moved.
    kept = pa.Table.from_batches(lake.read(found.table)).drop_columns(["kind"])
    assert kept.equals(pa.Table.from_batches(lake.read(table)).drop_columns(["kind"]))


def test_the_same_rows_are_sorted_once() -> None:
    table = _table(_three(600)[0])
    first = cluster(_charter(), table)
    assert cluster(_charter(), table) == first
    assert cluster(_charter(most=4), table).table.version == first.table.version + 1


def test_what_has_no_groups_does_not_pass_its_gates() -> None:
    rng = np.random.default_rng(0)
    noise = pa.table({f"n{at}": rng.random(800) for at in range(6)})
    found = cluster(_charter(silhouette=0.3, stability=0.9), _table(noise))
    assert any(verdict.stops for verdict in found.verdicts)


def test_two_kinds_that_touch_pass_when_less_is_asked_for() -> None:
    table = _table(_three(gap=3.0)[0])
    asked = {name: cluster(_charter(silhouette=name), table).verdicts[0].passed for name in (0.1, 0.95)}  # fmt: skip
    assert asked == {0.1: True, 0.95: False}


@pytest.mark.parametrize(
    ("rows", "clusters", "said"),
    [
        ({"n": [1.0] * 50}, {}, "no column that tells rows apart"),
        ({"n": [1.0, 2.0] * 4}, {}, "no 2 to 5 groups of at least 10 of"),
        ({"n": [1.0]}, {}, "found 1 rows"),
        ({"n": [1.0, 2.0] * 50}, {"columns": ["m"]}, "no column m"),
    ],
)
def test_where_nothing_can_be_found_it_says_why(
    rows: dict[str, list[float]], clusters: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        cluster(_charter(**clusters), _table(pa.table(rows)))


def test_only_the_columns_that_the_charter_names_make_groups() -> None:
    found = cluster(_charter(columns=["size"]), _table(_three()[0]))
    assert found.columns == ("size",)
    assert found.taken.groups == 2
    told = found.told(_charter(columns=["size"]))
    assert told.experience.say["B"].startswith("B: Size high (")


def test_groups_are_found_in_a_draw_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.metrics import adjusted_rand_score

    monkeypatch.setattr("tasks.cluster.MOST", 400)
    rows, kind = _three(3_000)
    found = cluster(_charter(), _table(rows))
    assert (found.found_in, found.judged_on) == (280, 120)
    assert adjusted_rand_score(_sorted(found), kind) > 0.95


def test_a_page_that_is_gone_is_made_again() -> None:
    table = _table(_three(600)[0])
    first = cluster(_charter(), table)
    place(first.page).unlink()
    assert cluster(_charter(), table) == first
    assert place(first.page).exists()


def test_groups_that_no_other_draw_finds_are_not_stable() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2)) + 9 * (np.arange(200) % 2)[:, None]
    whole = KMEANS.fit(rows, 2, 0)

    def once(X: np.ndarray, setting: int, seed: int) -> Found | None:
        return whole if len(X) == len(rows) else None

    lucky = Clustering("kmeans", lambda *_: [2], False, once)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tasks.clustering.trial.CLUSTERINGS", (lucky,))
        (tried,) = trials(Clusters(), rows, rows, 0)
    assert tried.stability == 0
    assert tried.silhouette > 0.7


@pytest.mark.parametrize(
    ("clauses", "columns", "why"),
    [
        ({"features": {"drop": ["size"]}}, ["size", "weight"], "another clause"),
        ({}, ["size", "always"], "do not tell rows apart"),
        (
            {"evaluation": {"split": {"by": "group", "column": "colour"}}},
            ["colour"],
            "another clause",
        ),
    ],
)
def test_a_column_that_is_listed_and_cannot_be_used_is_refused(
    clauses: dict[str, Any], columns: list[str], why: str
) -> None:
    charter = _charter(columns=columns)
    charter = Charter.model_validate({**charter.model_dump(mode="json", by_alias=True), **clauses})
    with pytest.raises(Refusal, match=why):
        cluster(charter, _table(_three()[0]))


def test_what_makes_the_split_makes_no_groups() -> None:
    charter = _charter()
    split = {"evaluation": {"split": {"by": "group", "column": "colour"}}}
    charter = Charter.model_validate({**charter.model_dump(mode="json", by_alias=True), **split})
    assert "colour" not in cluster(charter, _table(_three()[0])).columns


def test_the_old_training_set_of_a_card_has_its_groups() -> None:
    first = cluster(_charter(), _table(_three(600)[0]))
    assert cluster(_charter(), first.table) == first


def test_a_table_from_before_the_target_is_refused() -> None:
    rows = _three(100)[0]
    old = lake.write("tables/toy/table", "toy", rows.to_reader(), "e" * 64)
    with pytest.raises(Refusal, match="no column kind in the table"):
        cluster(_charter(), old)
