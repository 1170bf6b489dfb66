"""The looks at a canary: how often it may be compared without luck deciding in the end.

A look is taken at `deployment.canary.rows` rows with a truth, each time they have doubled, and once
more when the time is over. Each spends half of what the one before it spent of
`runtime.false_promotion_rate`, so that all of them together stay within it, however many there are
(alpha spending by the union bound).
"""

from __future__ import annotations

import os

import numpy as np

from charter import Charter, Frozen
from serving.home import place
from serving.predictor import Predictor
from serving.releases import Canary
from tasks import metrics
from tasks.comparison.answers import spoken
from tasks.comparison.duel import Duel
from tasks.comparison.unseen import Unseen
from tasks.evaluate import Measure
from tasks.split import Rows
from tasks.splitting import spans
from tasks.trying.stream import Stream

RULE = "that both were tried on"


class Look(Frozen):
    """One comparison on the stream."""

    rows: int
    blocks: int | None = None
    """Days or hours that were drawn; None: single rows were."""
    champion: float
    canary: float
    """The metric of each on the same rows."""
    gain: Measure
    """By how much the canary is better, with its interval."""
    confidence: float
    """Of the interval, 0 to 1."""
    words: str

    @property
    def better(self) -> bool:
        """Beyond doubt; a gain without a value is not."""
        return self.gain.low > 0

    @property
    def worse(self) -> bool:
        return self.gain.high < 0


class Looks(Frozen):
    """All looks at one canary, oldest first."""

    looks: tuple[Look, ...] = ()

    def wanted(self, least: int) -> int:
        """Rows of the next look."""
        return 2 * self.looks[-1].rows if self.looks else least

    def due(self, rows: int, least: int, over: bool) -> bool:
        """Whether so many rows are enough for the next look; `over`: there is no later one."""
        if over and self.looks:
            return rows > self.looks[-1].rows
        return rows >= self.wanted(least)


def known(project: str, canary: Canary) -> Looks:
    """The looks that were taken."""
    path = place(_where(project, canary))
    return Looks.model_validate_json(path.read_bytes()) if path.exists() else Looks()


def keep(project: str, canary: Canary, looks: Looks) -> None:
    """Write them down before anything follows from them, so that a kill does not buy another look."""
    path = place(_where(project, canary))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(looks.model_dump_json(indent=1))
    draft.replace(path)


def look(
    charter: Charter, metric: str, stream: Stream, ours: Predictor, theirs: Predictor, before: int
) -> Look | None:
    """Both on the same rows, after `before` looks; None where too few days or hours tell."""
    luck = charter.runtime.false_promotion_rate / 2 ** (before + 1)
    rows = _rows(charter, stream)
    if rows.lacks:
        return None
    signature = ours.signature
    duel = Duel(
        rows, spoken(ours, stream.ours, signature.classes),
        spoken(theirs, stream.theirs, signature.classes),
        metrics.prices(charter.goal.cost, signature.task, signature.classes),
        charter.evaluation.seed, luck,
    )  # fmt: skip
    gain = duel.gain(metric)
    theirs_value, ours_value = duel.both(metric)
    return Look(
        rows=len(stream), blocks=rows.drawn, champion=theirs_value, canary=ours_value, gain=gain,
        confidence=1 - 2 * luck, words=duel.words(gain),
    )  # fmt: skip


def own(charter: Charter, metric: str, stream: Stream, predictor: Predictor, tried: bool) -> float:
    """The metric of one of the two on the rows that it answered then; NaN where they are too few."""
    mine = stream.only(stream.tried == tried)
    classes = predictor.signature.classes
    said = spoken(predictor, mine.ours if tried else mine.theirs, classes)
    if len(mine) < 2:
        return float("nan")
    truth = mine.truth.astype(np.int64) if classes else mine.truth
    prices = metrics.prices(charter.goal.cost, predictor.signature.task, classes)
    return metrics.measure(metric, truth, said.prediction, said.decision, prices)


def _rows(charter: Charter, stream: Stream) -> Unseen:
    import pyarrow as pa

    truth = stream.truth.astype(np.int64) if stream.ours.ndim == 2 else stream.truth
    timed = charter.data.time is not None
    blocks = spans.spans(stream.seconds) if timed else None
    return Unseen(Rows(pa.table({}), truth), RULE, timed, blocks)


def _where(project: str, canary: Canary) -> str:
    moment = "".join(sign for sign in canary.at if sign.isdigit())
    return f"comparisons/{project}/canary-{canary.release}-{moment}.json"
