"""Groups as a page: what each one is like, how clear they are, and what else was tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from charter import Charter
from tasks.finding.columns import Preparation, texts
from tasks.pages import Fact, Section, charts, figures, render, siblings, tables

if TYPE_CHECKING:
    from tasks.cluster import Clustered
    from tasks.clustering.trial import Tried

MOST = 24
"""Lines of the map, those that tell groups apart best."""


def page(
    charter: Charter, record: Clustered, preparation: Preparation, rows: pa.Table, taken: Tried,
    called: list[str],
) -> str:  # fmt: skip
    """The HTML; `rows` are those that judged."""
    best = record.taken
    return render(
        title=f"{charter.name}: clusters",
        subtitle=charter.goal.question or "Which rows are alike?",
        project=charter.name,
        facts=[
            Fact("Groups", str(best.groups), f"found by {best.family}"),
            Fact("Silhouette", f"{best.silhouette:.2f}", "1: well apart, 0: on the border"),
            Fact("Davies–Bouldin", f"{best.davies_bouldin:.2f}", "smaller is better"),
            Fact("Stability", f"{best.stability:.2f}", "1: other draws find the same"),
        ],
        sections=[
            Section("Gates", "", tables.verdicts(record.verdicts)),
            _groups(record),
            _map(preparation, rows, taken, called),
            _attempts(record),
        ],
        links=siblings("Clusters", charter.name),
        footer=f"Table {record.table.where}, version {record.table.version}. Groups were found in "
        f"{record.found_in:,} rows, judged on {record.judged_on:,} others, and {record.table.rows:,} "
        "rows were sorted.",
    )  # fmt: skip


def _groups(record: Clustered) -> Section:
    rows = [
        (one.name, one.rows, tables.meter(share := one.rows / record.table.rows, figures.share(share)),
         "; ".join(one.words))
        for one in record.groups
    ]  # fmt: skip
    return Section(
        "What each group is like",
        f"By {', '.join(record.columns)}; the clearest first, against all other rows.",
        tables.table("Groups", ("Group", "Rows", "Share", "Typical"), rows, wrap=True),
    )


def _map(preparation: Preparation, rows: pa.Table, taken: Tried, called: list[str]) -> Section:
    groups = taken.found.assign(preparation.rows(rows))
    order = sorted(range(len(called)), key=lambda at: called[at])
    lines = [(name, [apart[at] for at in order]) for name, apart in _apart(preparation, rows, groups, len(called))]  # fmt: skip
    lines.sort(key=lambda line: -max(abs(value) for value in line[1]))
    shown = lines[:MOST]
    return Section(
        "By what they differ",
        "Of numbers: how much more often a row of the group has the larger value than one of the "
        "others, less how much more often the smaller one (Cliff's delta, -1 to 1). Of categories: "
        "its share in the group, less that in the others.",
        charts.heat_map(
            "Groups against all other rows", [name for name, _ in shown], [values for _, values in shown],
            columns=[called[at] for at in order],
        ),
    )  # fmt: skip


def _apart(
    preparation: Preparation, rows: pa.Table, groups: np.ndarray, count: int
) -> Iterator[tuple[str, list[float]]]:
    for column in preparation.columns:
        values = rows.column(column.name)
        if column.levels:
            found = np.array(texts(values))
            for level in column.levels:
                here = found == level
                yield f"{column.name} {level}", [_lead(here, groups == at) for at in range(count)]
        else:
            ranks = rankdata(column.numbers(values)[:, 0]) / len(groups)
            yield column.name, [2 * _lead(ranks, groups == at) for at in range(count)]


def _lead(values: np.ndarray, mine: np.ndarray) -> float:
    """Mean of the group less that of the others; of ranks as shares, half of Cliff's delta."""
    if mine.all() or not mine.any():
        return 0.0
    return float(values[mine].mean() - values[~mine].mean())


def _attempts(record: Clustered) -> Section:
    rows = [
        (f"→ {one.family}" if one.taken else one.family, one.groups, f"{one.silhouette:.3f}",
         f"{one.davies_bouldin:.2f}", f"{one.stability:.2f}")
        for one in record.attempts
    ]  # fmt: skip
    return Section(
        "What was tried",
        "Among those that other draws of the rows find again, the largest silhouette is taken; of "
        "those alike, the simpler family and fewer groups.",
        tables.table(
            "Ways of finding groups",
            ("Family", "Groups", "Silhouette", "Davies–Bouldin", "Stability"), rows,
        ),
    )  # fmt: skip
