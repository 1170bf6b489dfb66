"""Odd rows as a page: what makes them odd, the oddest ones, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from charter import Charter
from tasks.detection.trial import Tried
from tasks.detection.wording import Usual, reasons
from tasks.pages import Fact, Section, charts, figures, render, siblings, tables

if TYPE_CHECKING:
    from tasks.detect import Detected

MOST = 20
"""Rows that are shown."""
BARS = 40
SMALL = 1e-6
"""Smallest score that is shown."""


@dataclass(frozen=True)
class Seen:
    """The drawn rows, with how odd each one is."""

    rows: pa.Table
    taken: Tried
    score: np.ndarray

    @property
    def odd(self) -> np.ndarray:
        """bool, shape (rows,)."""
        return np.asarray(self.score > self.taken.threshold)


def page(charter: Charter, record: Detected, seen: Seen, knows: tuple[Usual, ...]) -> str:
    """The HTML."""
    best = record.taken
    return render(
        title=f"{charter.name}: anomalies",
        subtitle=charter.goal.question or "Which rows are unlike the others?",
        project=charter.name,
        facts=[
            Fact("Odd rows", f"{record.odd:,}", f"{figures.share(record.odd / record.table.rows)}, by {best.detector}"),
            Fact("Stability", f"{best.stability:.2f}", "1: other halves of the rows find the same"),
            Fact("One far value", "–" if best.far is None else f"{best.far:.3f}", "ROC AUC against real rows"),
            Fact("Shuffled", f"{best.shuffled:.3f}", "ROC AUC; 0.5 where columns do not go together"),
        ],
        sections=[
            Section("Gates", "", tables.verdicts(record.verdicts)),
            _beyond(record),
            *_oddest(charter, seen, knows),
            _scores(seen),
            *_truth(record),
            _attempts(record),
        ],
        links=siblings("Anomalies", charter.name),
        footer=f"Table {record.table.where}, version {record.table.version}. Odd rows were found in "
        f"{record.found_in:,} rows, judged on {record.judged_on:,} others, and {record.table.rows:,} rows "
        "were looked at."
        + (f" Of {record.by_people:,} people told it, which stands." if record.by_people else ""),
    )  # fmt: skip


def _beyond(record: Detected) -> Section:
    rows = [
        (one.label, one.usual, tables.meter(one.share, figures.share(one.share)))
        for one in record.beyond
    ]
    return Section(
        "What makes rows odd",
        "Usual are the values between which 98 % of the other rows lie, and of categories those that at "
        "least 1 % of them have. A row may be odd in several columns, or in none: where only the values "
        "together are unusual.",
        tables.table(
            "Columns", ("Column", "Usual", "Odd rows beyond it"), rows, wrap=True
        ),
    )  # fmt: skip


def _oddest(charter: Charter, seen: Seen, knows: tuple[Usual, ...]) -> list[Section]:
    if charter.privacy.identifiers or charter.privacy.quasi_identifiers:
        return []  # a page shows no single person
    odd = np.flatnonzero(seen.odd)
    first = odd[np.argsort(-seen.score[odd], kind="stable")][:MOST]
    shown = seen.rows.take(pa.array(first))
    key = [name for name in charter.data.key if name in shown.column_names]
    names = [
        ", ".join(str(shown.column(name)[at].as_py()) for name in key) or str(at + 1)
        for at in range(len(first))
    ]
    rows = [
        (name, figures.number(float(seen.score[at] / seen.taken.threshold)), why)
        for name, at, why in zip(names, first, reasons(knows, shown), strict=True)
    ]
    return [
        Section(
            "The oddest rows",
            "Of those that were drawn. Score: as a multiple of the one from which on a row is odd.",
            tables.table(
                "Odd rows", (", ".join(key) or "Row", "Score", "What is odd"), rows, wrap=True
            ),
        )
    ]  # fmt: skip


def _scores(seen: Seen) -> Section:
    size = np.log10(np.maximum(seen.score / seen.taken.threshold, SMALL))
    counts, edges = np.histogram(size, BARS)
    return Section(
        "How odd rows are",
        "All drawn rows by their score, each bar as many times the one before it; from 1 on a row is "
        "called odd.",
        charts.histogram(
            "Score", edges.tolist(), counts.tolist(), shown=lambda size: figures.number(10**size),
            wide=True,
        ),
    )  # fmt: skip


def _truth(record: Detected) -> list[Section]:
    truth = record.truth
    if truth is None:
        return []
    rows = [
        ("ROC AUC of the score", f"{truth.roc_auc:.3f}"),
        ("Average precision of the score", f"{truth.average_precision:.3f}"),
        (f"Of the rows that {truth.column} calls odd: called odd here", figures.share(truth.found)),
        (f"Of the rows called odd here: those that {truth.column} calls odd", figures.share(truth.right)),
    ]  # fmt: skip
    return [
        Section(
            f"Against {truth.column}",
            f"It says so of {truth.odd:,} of {truth.rows:,} drawn rows. It is no input, and nothing is "
            "decided by it.",
            tables.table("What is known", ("Measure", "Value"), rows),
        )
    ]


def _attempts(record: Detected) -> Section:
    rows = [
        (f"→ {one.detector}" if one.taken else one.detector,
         "–" if one.far is None else f"{one.far:.3f}", f"{one.shuffled:.3f}", f"{one.stability:.2f}",
         f"{one.ranks:.2f}", f"{one.flagged:.2%}")
        for one in record.attempts
    ]  # fmt: skip
    return Section(
        "What was tried",
        "Among those whose odd rows other halves of the rows find again, the one that tells planted rows "
        "from real ones best is taken (the mean of both ROC AUCs); of those alike, the simpler one.",
        tables.table(
            "Ways of finding odd rows",
            ("Detector", "One far value", "Shuffled", "Stability", "Ranks", "Odd among others"), rows,
        ),
    )  # fmt: skip
