"""Groups that nobody has named yet: found, judged, described, and written as the target."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen, Refusal, Verdict
from charter.clusters import ClusteringName, Clusters
from tasks import lake
from tasks.finding.record import Finding, fingerprint, known, note, where
from tasks.finding.rows import checked, drawn, filled, tally
from tasks.lake import Table
from tasks.pages import keep
from tasks.progress import report

if TYPE_CHECKING:
    from tasks.clustering.trial import Tried
    from tasks.finding.columns import Preparation

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same rows would be sorted differently."""
MOST = 5_000
"""Rows that groups are found in, those that judge included."""


class Group(Frozen):
    """One group of rows."""

    name: str
    rows: int
    words: tuple[str, ...]
    """What is typical of it, the clearest first."""

    @property
    def said(self) -> str:
        return f"{self.name}: {', '.join(self.words)}"


class Attempt(Frozen):
    """One family with one setting."""

    family: ClusteringName
    groups: int
    silhouette: float
    """Mean over the judging rows, -1 to 1; larger is better."""
    davies_bouldin: float
    """From 0; smaller is better."""
    stability: float
    """Mean adjusted Rand index of groups found in other draws of the rows; 1: always the same."""
    taken: bool = False


class Clustered(Finding):
    """The rows with their groups, and how clear these are."""

    groups: tuple[Group, ...]
    attempts: tuple[Attempt, ...]
    """Simplest families and fewest groups first."""

    @property
    def taken(self) -> Attempt:
        return next(one for one in self.attempts if one.taken)

    @property
    def says(self) -> dict[str, str]:
        return {group.name: group.said for group in self.groups}


def cluster(charter: Charter, table: Table) -> Clustered:
    """Fill the target of `goal.target.clusters` with the group of each row.

    Every family and number of groups is found in one draw of the rows and judged on another: by
    silhouette among those that other draws find again. A group keeps the name that most of its rows
    had when the live release was trained. Refused where no column tells rows apart, or nothing
    found has groups of a fit number and size. The same rows and clauses are sorted once; memory is
    a batch and the drawn rows.
    """
    checked(charter, table)
    mark = fingerprint(charter, table, WAY)
    clustered = known(Clustered, charter, mark)
    if clustered is None:
        clustered = _found(charter, table, mark)
        note(charter, clustered)
    best = clustered.taken
    log.info("%d groups by %s, silhouette %.2f", best.groups, best.family, best.silhouette)
    return clustered


def _found(charter: Charter, table: Table, mark: str) -> Clustered:
    from tasks.clustering.naming import letters
    from tasks.clustering.page import page
    from tasks.clustering.trial import best, trials
    from tasks.finding.columns import names, prepared

    clusters = charter.goal.target.clusters
    assert clusters is not None
    schema = lake.dataset(table).schema.remove_metadata()
    report("cluster", 0, 1, "drawing rows")
    fit, judge = drawn(charter, table, names(charter, schema), MOST)
    preparation = prepared(charter, fit, fewer=True)
    X, others = preparation.rows(fit), preparation.rows(judge)
    tried = trials(clusters, X, others, charter.evaluation.seed)
    taken = best(clusters, tried)
    if taken is None:
        raise _none(clusters, fit.num_rows)
    sizes = np.bincount(taken.found.assign(others), minlength=taken.found.groups)
    called = letters(charter, where(charter), preparation, taken.found, sizes.tolist(), MOST)

    def grouped(batch: pa.RecordBatch) -> pa.Array:
        groups = taken.found.assign(preparation.rows(pa.Table.from_batches([batch])))
        return pa.array(np.array(called, dtype=object)[groups], pa.string())

    made = filled(charter, "cluster", table, where(charter), mark, grouped)
    counts = tally(charter, made)
    clustered = Clustered(
        project=charter.name, fingerprint=mark, table=made,
        columns=tuple(preparation.names),
        groups=_groups(charter, preparation, judge, taken, called, counts),
        attempts=tuple(_attempt(one, one is taken) for one in tried),
        found_in=fit.num_rows, judged_on=judge.num_rows,
        verdicts=tuple(_verdicts(clusters, taken)), page=f"pages/{charter.name}/clusters.html",
    )  # fmt: skip
    keep(clustered.page, page(charter, clustered, preparation, judge, taken, called))
    report("cluster", 1, 1, clustered.page)
    return clustered


def _groups(
    charter: Charter, preparation: Preparation, judge: pa.Table, taken: Tried, called: list[str],
    counts: Counter[object],
) -> tuple[Group, ...]:  # fmt: skip
    """By name."""
    from tasks.clustering.wording import described

    mine = taken.found.assign(preparation.rows(judge))
    groups = [
        Group(
            name=name, rows=counts[name],
            words=described(preparation.columns, judge, mine == at, charter.data.labels),
        )
        for at, name in enumerate(called)
    ]  # fmt: skip
    return tuple(sorted(groups, key=lambda group: group.name))


def _attempt(one: Tried, taken: bool) -> Attempt:
    return Attempt(
        family=one.clustering.name, groups=one.found.groups, silhouette=one.silhouette,
        davies_bouldin=one.davies_bouldin, stability=one.stability, taken=taken,
    )  # fmt: skip


def _verdicts(clusters: Clusters, taken: Tried) -> Iterator[Verdict]:
    asked = (
        ("silhouette", taken.silhouette, clusters.silhouette, "rows are nearer to their own group"),
        ("stability", taken.stability, clusters.stability, "other draws find the same groups"),
    )
    for name, value, least, meaning in asked:
        yield Verdict(
            gate=f"goal.target.clusters.{name}", passed=value >= least,
            message=f"{meaning}: {value:.2f} (1 at best), wanted at least {least:g}.",
            numbers={name: value, "wanted": least},
        )  # fmt: skip


def _none(clusters: Clusters, rows: int) -> Refusal:
    from tasks.clustering.trial import FEWEST, SMALLEST

    return Refusal(
        "charter.goal.target.clusters",
        f"found no {clusters.least} to {clusters.most} groups of at least "
        f"{max(FEWEST, round(SMALLEST * rows)):,} of {rows:,} rows",
        "wanted groups that are large enough to learn",
        "Bring more rows, widen least and most, or name fewer columns in clusters.columns.",
    )
