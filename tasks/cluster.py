"""Groups that nobody has named yet: found, judged, described, and written as the target."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from charter import Charter, Frozen, Refusal, Verdict
from charter.clusters import ClusteringName, Clusters
from serving.home import place
from tasks import lake
from tasks.exploration.target import known_target
from tasks.lake import Table
from tasks.pages import keep
from tasks.progress import report

if TYPE_CHECKING:
    from tasks.clustering.columns import Preparation
    from tasks.clustering.trial import Tried

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same rows would be sorted differently."""
MOST = 5_000
"""Rows that groups are found in, …"""
JUDGING = 0.3
"""… and the share of them that only judges."""


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


class Clustered(Frozen):
    """The rows with their groups, and how clear these are."""

    project: str
    fingerprint: str
    table: Table
    """`tables/<project>/clustered`: the rows that came in, the target filled."""
    columns: tuple[str, ...]
    """By what rows are alike."""
    groups: tuple[Group, ...]
    attempts: tuple[Attempt, ...]
    """Simplest families and fewest groups first."""
    found_in: int
    judged_on: int
    """Rows that groups were found in, and other ones that judged them."""
    verdicts: tuple[Verdict, ...]
    page: str

    @property
    def taken(self) -> Attempt:
        return next(one for one in self.attempts if one.taken)

    def told(self, charter: Charter) -> Charter:
        """The charter that says the groups in words, where it has none of its own, and by which
        columns they are made."""
        goal, experience = charter.goal, charter.experience
        assert goal.target.clusters is not None
        clusters = goal.target.clusters.model_copy(update={"columns": self.columns})
        target = goal.target.model_copy(update={"clusters": clusters})
        say = {group.name: group.said for group in self.groups} | experience.say
        return charter.model_copy(
            update={
                "goal": goal.model_copy(update={"target": target}),
                "experience": experience.model_copy(update={"say": say}),
            }
        )


def cluster(charter: Charter, table: Table) -> Clustered:
    """Fill the target of `goal.target.clusters` with the group of each row.

    Every family and number of groups is found in one draw of the rows and judged on another: by
    silhouette among those that other draws find again. A group keeps the name that most of its rows
    had when the live release was trained. Refused where no column tells rows apart, or nothing
    found has groups of a fit number and size. The same rows and clauses are sorted once; memory is
    a batch and the drawn rows.
    """
    known_target(charter, lake.dataset(table).schema.names)
    again = table.where == _where(charter)  # an old training set, whose groups are known
    fingerprint = table.fingerprint if again else _fingerprint(charter, table)
    note = f"tables/{charter.name}/clusterings/{fingerprint[:16]}.json"
    if place(note).exists():
        known = Clustered.model_validate_json(place(note).read_bytes())
        if lake.is_whole(known.table) and place(known.page).exists():
            return known
    clustered = _found(charter, table, fingerprint)
    keep(note, clustered.model_dump_json(indent=1))
    best = clustered.taken
    log.info("%d groups by %s, silhouette %.2f", best.groups, best.family, best.silhouette)
    return clustered


def _found(charter: Charter, table: Table, fingerprint: str) -> Clustered:
    from tasks.clustering.columns import names, prepared
    from tasks.clustering.naming import letters
    from tasks.clustering.page import page
    from tasks.clustering.trial import best, trials

    clusters = charter.goal.target.clusters
    assert clusters is not None
    schema = lake.dataset(table).schema.remove_metadata()
    report("cluster", 0, 1, "drawing rows")
    fit, judge = _drawn(charter, table, names(charter, schema))
    preparation = prepared(charter, fit)
    X, others = preparation.rows(fit), preparation.rows(judge)
    tried = trials(clusters, X, others, charter.evaluation.seed)
    taken = best(clusters, tried)
    if taken is None:
        raise _none(clusters, fit.num_rows)
    sizes = np.bincount(taken.found.assign(others), minlength=taken.found.groups)
    called = letters(charter, _where(charter), preparation, taken.found, sizes.tolist(), MOST)
    counts = np.zeros(len(called), dtype=np.int64)
    batches = _sorted(charter, table, preparation, taken, called, counts)
    made = lake.write(
        _where(charter), charter.name,
        pa.RecordBatchReader.from_batches(schema, batches), fingerprint,
    )  # fmt: skip
    clustered = Clustered(
        project=charter.name, fingerprint=fingerprint, table=made,
        columns=tuple(preparation.names),
        groups=_groups(charter, preparation, judge, taken, called, counts),
        attempts=tuple(_attempt(one, one is taken) for one in tried),
        found_in=fit.num_rows, judged_on=judge.num_rows,
        verdicts=tuple(_verdicts(clusters, taken)), page=f"pages/{charter.name}/clusters.html",
    )  # fmt: skip
    keep(clustered.page, page(charter, clustered, preparation, judge, taken, called))
    report("cluster", 1, 1, clustered.page)
    return clustered


def _where(charter: Charter) -> str:
    return f"tables/{charter.name}/clustered"


def _drawn(charter: Charter, table: Table, names: list[str]) -> tuple[pa.Table, pa.Table]:
    """Rows to find groups in and other ones to judge them by, at most MOST together, in their order."""
    rng = np.random.default_rng(charter.evaluation.seed)
    chosen = rng.permutation(table.rows)[:MOST]
    side = np.zeros(table.rows, dtype=np.int8)  # 1: finds, 2: judges
    side[chosen] = 1
    side[chosen[: int(JUDGING * len(chosen))]] = 2
    parts: tuple[list[pa.RecordBatch], list[pa.RecordBatch]] = ([], [])
    start = 0
    for batch in lake.read(table, names):
        mine = side[start : start + batch.num_rows]
        start += batch.num_rows
        for at, kept in enumerate(parts, start=1):
            kept.append(batch.filter(pa.array(mine == at)))
    fields = lake.dataset(table).schema.remove_metadata()
    schema = pa.schema([fields.field(name) for name in names])
    fit, judge = (pa.Table.from_batches(kept, schema) for kept in parts)
    if min(fit.num_rows, judge.num_rows) < 2:
        raise Refusal(
            "charter.goal.target.clusters", f"found {table.rows:,} rows",
            "wanted some to find groups in and others to judge them by", "Bring more rows.",
        )  # fmt: skip
    return fit, judge


def _sorted(
    charter: Charter, table: Table, preparation: Preparation, taken: Tried, called: list[str],
    counts: np.ndarray,
) -> Iterator[pa.RecordBatch]:  # fmt: skip
    """The rows with the name of their group; counts them on the way."""
    done, target = 0, charter.goal.target.column
    for batch in lake.read(table):
        place = batch.schema.get_field_index(target)
        groups = taken.found.assign(preparation.rows(pa.Table.from_batches([batch])))
        counts += np.bincount(groups, minlength=len(called))
        filled = pa.array(np.array(called, dtype=object)[groups], batch.schema.field(place).type)
        done += batch.num_rows
        report("cluster", done, max(table.rows, 1), "rows")
        yield batch.set_column(place, batch.schema.field(place), filled)


def _groups(
    charter: Charter, preparation: Preparation, judge: pa.Table, taken: Tried, called: list[str],
    counts: np.ndarray,
) -> tuple[Group, ...]:  # fmt: skip
    """By name."""
    from tasks.clustering.wording import described

    labels = {name: said.label for name, said in charter.data.columns.items() if said.label}
    mine = taken.found.assign(preparation.rows(judge))
    groups = [
        Group(
            name=name, rows=int(counts[at]),
            words=described(preparation.columns, judge, mine == at, labels),
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


def _fingerprint(charter: Charter, table: Table) -> str:
    """Of the rows and of every clause that is read here; not of the release that is live, which only
    names what is found anew."""
    said = [
        WAY, charter.name, table.where, table.version, table.fingerprint,
        charter.goal.target.model_dump(mode="json"), charter.data.model_dump(mode="json"),
        charter.features.drop, charter.privacy.model_dump(mode="json"),
        charter.fairness.sensitive, charter.fairness.at_prediction, charter.evaluation.seed,
        charter.split.model_dump(mode="json"),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
