"""Rows that are unlike the others: found, judged, explained, and written as the target."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Frozen, Refusal, Verdict
from charter.anomalies import Anomalies, DetectorName
from tasks import lake
from tasks.detection.truth import Truth, truth
from tasks.finding.record import Finding, fingerprint, known, note, where
from tasks.finding.rows import checked, drawn, filled, tally
from tasks.lake import Table
from tasks.pages import keep
from tasks.progress import report

if TYPE_CHECKING:
    from tasks.detection.trial import Tried
    from tasks.detection.wording import Usual

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when other ones of the same rows would be odd."""
DRAWN, MOST = 20_000, 100_000
"""Rows that are looked at, those that judge included; more, up to the second, where odd rows are rare, …"""
ENOUGH = 200
"""… so that about so many are odd."""
FEWEST = 20
"""Odd rows without which nothing can be learned of them."""
TYPICAL = 0.2
"""Share of the odd rows that are beyond the usual in a column which is said to make rows odd."""


class Attempt(Frozen):
    """One detector."""

    detector: DetectorName
    far: float | None
    """ROC AUC with which rows given one far value are told from real ones; None: no column is a
    number."""
    shuffled: float
    """The same for rows whose columns come from different rows; 0.5 where columns do not go together."""
    stability: float
    """Mean Jaccard index of what two halves of the rows call odd; 1: always the same."""
    ranks: float
    """Mean rank correlation of the scores of two halves; 1: always the same order."""
    flagged: float
    """Share of odd rows among those that judged."""
    taken: bool = False


class Beyond(Frozen):
    """How one column makes rows odd."""

    label: str
    usual: str
    share: float
    """Of the odd rows: those with a value beyond the usual."""


class Detected(Finding):
    """The rows, each odd or not, and how sure that is."""

    odd: int
    """Rows that are called odd, those that people told included."""
    by_people: int
    """Rows of which a person said whether they are odd, which stands."""
    beyond: tuple[Beyond, ...]
    """By column, what makes most rows odd first."""
    attempts: tuple[Attempt, ...]
    """Simplest detectors first."""
    truth: Truth | None = None

    @property
    def taken(self) -> Attempt:
        return next(one for one in self.attempts if one.taken)

    @property
    def why(self) -> str:
        """What makes rows odd, in words."""
        names = [one.label for one in self.beyond if one.share >= TYPICAL][:3]
        return f"most often in {', '.join(names)}" if names else "in how columns go together"

    @property
    def says(self) -> dict[str, str]:
        return {"true": f"odd: unlike other rows, {self.why}", "false": "usual"}


def detect(charter: Charter, table: Table) -> Detected:
    """Fill the target of `goal.target.anomalies`: true for the rows that are least like the others.

    Every detector is fitted on one draw of the rows and judged on another, later one where the rows
    have a time: by how well it finds planted oddities, among those that agree with themselves when
    fitted on other halves. What a person told of a row (feedback) stands. Refused where no column
    tells rows apart or too few rows are odd. The same rows and clauses are looked through once;
    memory is a batch and the drawn rows.
    """
    checked(charter, table)
    mark = fingerprint(charter, table, WAY)
    detected = known(Detected, charter, mark)
    if detected is None:
        detected = _found(charter, table, mark)
        note(charter, detected)
    log.info("%d of %d rows are odd", detected.odd, detected.table.rows)
    return detected


def _found(charter: Charter, table: Table, mark: str) -> Detected:
    from tasks.detection.page import Seen, page
    from tasks.detection.trial import best, trials
    from tasks.detection.wording import usual
    from tasks.finding.columns import names, prepared

    anomalies = charter.goal.target.anomalies
    assert anomalies is not None
    most = min(MOST, max(DRAWN, ceil(ENOUGH / anomalies.share)))
    if anomalies.share * min(most, table.rows) < FEWEST:
        raise _few(anomalies, f"{table.rows:,} rows", min(most, table.rows))
    report("detect", 0, 1, "drawing rows")
    inputs = names(charter, lake.dataset(table).schema.remove_metadata())
    beside = [
        name for name in (*charter.goal.target.known, *charter.data.key) if name not in inputs
    ]
    fit, judge = drawn(charter, table, [*inputs, *dict.fromkeys(beside)], most, charter.data.time)
    preparation = prepared(charter, fit.select(inputs), fewer=False)
    X, others = preparation.rows(fit), preparation.rows(judge)
    tried = trials(anomalies, preparation, X, others, charter.evaluation.seed)
    taken = best(anomalies, tried)
    rows = pa.concat_tables([fit, judge])
    seen = Seen(rows, taken, taken.score(np.vstack([X, others])))
    knows = usual(preparation.columns, rows, seen.odd, charter.data.labels)
    against = truth(charter, rows, seen.score, seen.odd)

    def answers(batch: pa.RecordBatch) -> pa.Array:
        odd = pa.array(taken.odd(preparation.rows(pa.Table.from_batches([batch]))))
        return pc.coalesce(batch.column(charter.goal.target.column), odd)

    made = filled(charter, "detect", table, where(charter), mark, answers)
    count = tally(charter, made)[True]
    if not FEWEST <= count <= made.rows - FEWEST:
        raise _few(anomalies, f"{count:,} odd ones among {made.rows:,} rows", made.rows)
    told = 0 if table.where == made.where else table.rows - tally(charter, table)[None]
    detected = Detected(
        project=charter.name, fingerprint=mark, table=made, columns=tuple(preparation.names),
        odd=count, by_people=told, beyond=_beyond(knows, rows, seen.odd),
        attempts=tuple(_attempt(one, one is taken) for one in tried),
        truth=against,
        found_in=fit.num_rows, judged_on=judge.num_rows,
        verdicts=tuple(_verdicts(anomalies, taken, judge.num_rows)),
        page=f"pages/{charter.name}/anomalies.html",
    )  # fmt: skip
    keep(detected.page, page(charter, detected, seen, knows))
    report("detect", 1, 1, detected.page)
    return detected


def _beyond(knows: tuple[Usual, ...], rows: pa.Table, odd: np.ndarray) -> tuple[Beyond, ...]:
    mine = rows.filter(pa.array(odd))
    shares = [
        Beyond(
            label=one.label, usual=one.said,
            share=float(np.mean(one.beyond(mine.column(one.column.name)) > 0)) if len(mine) else 0.0,
        )
        for one in knows
    ]  # fmt: skip
    return tuple(sorted(shares, key=lambda one: -one.share))


def _attempt(one: Tried, taken: bool) -> Attempt:
    return Attempt(
        detector=one.detector.name, far=one.far, shuffled=one.shuffled, stability=one.stability,
        ranks=one.ranks, flagged=one.flagged, taken=taken,
    )  # fmt: skip


def _verdicts(anomalies: Anomalies, taken: Tried, rows: int) -> Iterator[Verdict]:
    from scipy.stats import binomtest

    yield Verdict(
        gate="goal.target.anomalies.stability", passed=taken.stability >= anomalies.stability,
        message=f"other halves of the rows find the same odd ones: {taken.stability:.2f} (1 at best), "
        f"wanted at least {anomalies.stability:g}.",
        numbers={"stability": taken.stability, "wanted": anomalies.stability},
    )  # fmt: skip
    planted = taken.shuffled if taken.far is None else taken.far
    how = "columns of different rows" if taken.far is None else "one far value"
    yield Verdict(
        gate="goal.target.anomalies.planted", passed=planted >= anomalies.planted,
        message=f"rows with {how} are told from real ones: ROC AUC {planted:.2f}, wanted at least "
        f"{anomalies.planted:g}.",
        numbers={"planted": planted, "wanted": anomalies.planted},
    )  # fmt: skip
    between = binomtest(round(taken.flagged * rows), rows).proportion_ci(method="wilson")
    yield Verdict(
        gate="goal.target.anomalies.share",
        passed=between.low <= 2 * anomalies.share and between.high >= anomalies.share / 2,
        message=f"of rows that it was not found in {taken.flagged:.2%} are odd ({between.low:.2%} to "
        f"{between.high:.2%}), wanted {anomalies.share:.2%}, not surely more than twice or less than half.",
        numbers={"flagged": taken.flagged, "wanted": anomalies.share},
    )  # fmt: skip


def _few(anomalies: Anomalies, found: str, rows: int) -> Refusal:
    return Refusal(
        "charter.goal.target.anomalies.share", f"found {found} with a share of {anomalies.share:g}",
        f"wanted at least {FEWEST} that are odd, and as many that are not",
        f"Bring more rows, or set share to {FEWEST / max(1, rows):.2g} or more.",
    )  # fmt: skip
