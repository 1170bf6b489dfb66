"""What every way of finding groups owes: one walk through all of them."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from charter.clusters import ClusteringName
from tasks.clusterings import CLUSTERINGS, Clustering

every = pytest.mark.parametrize("member", CLUSTERINGS, ids=lambda member: member.name)
CENTRES = np.array([[0, 0, 0], [8, 0, 0], [0, 8, 8]], dtype=float)


def _blobs(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three clouds well apart, and which one each row is of."""
    rng = np.random.default_rng(seed)
    cloud = rng.integers(0, 3, rows)
    return CENTRES[cloud] + rng.normal(size=(rows, 3)), cloud


def _setting(member: Clustering) -> int:
    """The one that the search would find three clouds with."""
    settings = list(member.settings(600, 2, 8))
    return 3 if 3 in settings else settings[0]


def test_the_catalogue_has_every_name_once() -> None:
    assert sorted(member.name for member in CLUSTERINGS) == sorted(get_args(ClusteringName))


@every
def test_it_finds_what_is_there_and_sorts_rows_that_it_never_saw(member: Clustering) -> None:
    from sklearn.metrics import adjusted_rand_score

    found = member.fit(_blobs(600, seed=0)[0], _setting(member), 0)
    assert found is not None
    assert found.groups == 3
    rows, cloud = _blobs(400, seed=1)
    groups = found.assign(rows)
    assert groups.shape == (400,)
    assert set(groups.tolist()) == {0, 1, 2}
    assert adjusted_rand_score(groups, cloud) > 0.98


@every
def test_one_row_is_sorted_as_in_a_batch(member: Clustering) -> None:
    found = member.fit(_blobs(600, seed=0)[0], _setting(member), 0)
    assert found is not None
    rows, _ = _blobs(50, seed=2)
    alone = [int(found.assign(rows[at : at + 1])[0]) for at in range(50)]
    assert alone == found.assign(rows).tolist()


@every
def test_the_same_seed_finds_the_same(member: Clustering) -> None:
    rows, _ = _blobs(600, seed=0)
    one, other = (member.fit(rows, _setting(member), 7) for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.assign(rows).tolist() == other.assign(rows).tolist()


@every
def test_rows_that_are_all_alike_have_no_groups(member: Clustering) -> None:
    assert member.fit(np.zeros((100, 3)), _setting(member), 0) is None
