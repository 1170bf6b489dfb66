"""Champion against challenger, on rows that neither has seen."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from charter import Charter, Frozen, Verdict
from charter.evaluation import METRICS, Metric
from serving import bundle as bundles
from serving import releases
from serving.home import home, place
from serving.predictor import Predictor
from tasks import history
from tasks.evaluate import Measure
from tasks.history import Entry
from tasks.package import Bundle
from tasks.protection.suppressed import marked
from tasks.split import Split, open_holdout

if TYPE_CHECKING:
    from tasks.comparison.duel import Duel

MOST = 200_000
"""Rows above which an even sample decides."""
SAME = "the challenger is the champion itself: nothing has changed since"
WAY = 2
"""Counts up when the same models would be compared in another way."""


class Promotion(Frozen):
    """Whether the challenger takes the champion's place, and why."""

    project: str
    outcome: Literal["promoted", "kept"]
    champion: int | None
    """The release that is live; None: none is."""
    challenger: str
    """Folder of the bundle, relative to the root."""
    fingerprint: str
    """Of the bundle."""
    rows: int = 0
    """Rows that both were compared on."""
    metric: str
    gain: Measure | None = None
    """By how much the challenger is better (positive: better), with its interval."""
    confidence: float = 0.95
    """Of the interval, 0 to 1."""
    reason: str
    page: str

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """A challenger that does not win is no failure, so this never stops a run."""
        gain = self.gain
        numbers = {"gain": gain.value, "low": gain.low, "high": gain.high} if gain else {}
        return (
            Verdict(
                gate="promotion", passed=self.outcome == "promoted", message=self.reason,
                numbers=numbers, level="warn",
            ),
        )  # fmt: skip

    def entry(self, asked: str, now: datetime | None = None) -> Entry:
        """What the history says of it."""
        gain = self.gain
        return Entry(
            project=self.project, event=self.outcome, why=self.reason, asked=asked,
            now=now.isoformat() if now else None, release=self.champion, previous=self.champion,
            metric=self.metric, rows=self.rows, key=f"{self.fingerprint} {self.champion}",
            gain=gain.value if gain else None, low=gain.low if gain else None,
            high=gain.high if gain else None,
        )  # fmt: skip


class Line(Frozen):
    """One metric of both."""

    metric: str
    champion: float
    challenger: float
    gain: Measure


class Comparison(Frozen):
    """The promotion with what only its page shows."""

    question: str
    promotion: Promotion
    rule: str = ""
    blocks: int | None = None
    """Days or hours that were drawn; None: single rows were."""
    lines: tuple[Line, ...] = ()
    """The charter's metric first."""


def compare(charter: Charter, split: Split, bundle: Bundle) -> Promotion:
    """Promote the challenger only if it is better beyond doubt; a tie keeps the champion.

    Both answer the same rows of the challenger's holdout, each with its own preprocessing: rows
    that the champion did not train on either. The gain is bootstrapped in pairs; where the project
    has a time, whole days are drawn, since the rows of a day belong together. Promoted when the low
    end of the interval is above 0 (`runtime.false_promotion_rate`). A bundle that was rolled back is not promoted again.
    """
    from tasks.comparison.page import write

    live = releases.live(home() / "releases" / charter.name)
    where = f"comparisons/{charter.name}/{_fingerprint(charter, split, bundle, live)[:16]}.json"
    if place(where).exists():
        comparison = Comparison.model_validate_json(place(where).read_bytes())
    else:
        comparison = _compared(charter, split, bundle, live)
        _keep(where, comparison)
    comparison = _not_again(_replaced(charter, comparison))
    write(comparison)
    return comparison.promotion


def _compared(
    charter: Charter, split: Split, bundle: Bundle, live: releases.Live | None
) -> Comparison:
    case = Comparison(
        question=charter.goal.question,
        promotion=Promotion(
            project=charter.name, outcome="promoted", champion=live.release if live else None,
            challenger=bundle.where, fingerprint=bundle.fingerprint, metric=split.training.metric,
            confidence=1 - 2 * charter.runtime.false_promotion_rate,
            reason="there is no champion yet", page=f"pages/{charter.name}/comparison.html",
        ),
    )  # fmt: skip
    if live is None:
        return case
    theirs = Predictor(home() / "releases" / charter.name / str(live.release))
    ours = Predictor(place(bundle.where))
    pointless = _pointless(charter, theirs, ours)
    return _kept(case, pointless) if pointless else _duel(charter, split, case, ours, theirs)


def _duel(
    charter: Charter, split: Split, case: Comparison, ours: Predictor, theirs: Predictor
) -> Comparison:
    """Both on the same rows, if there are enough of them."""
    from tasks.comparison.answers import said
    from tasks.comparison.duel import Duel
    from tasks.comparison.unseen import unseen

    why = f"release {case.promotion.champion} against bundle {case.promotion.fingerprint[:16]}"
    opened = open_holdout(split.holdout, by="compare", why=why)
    rows = unseen(charter, opened, theirs.manifest)
    case = case.model_copy(update={"rule": rows.rule, "blocks": rows.drawn})
    if rows.lacks:
        return _kept(case, rows.lacks, rows=rows.count)
    rows, classes = rows.fewer(MOST), ours.signature.classes
    answers = [said(predictor, rows.rows.table, classes) for predictor in (ours, theirs)]
    duel = Duel.under(charter, split.training, rows, *answers)
    lines = tuple(_line(duel, name) for name in _metrics(split))
    gain = lines[0].gain
    reason = duel.words(gain)
    known = {"rows": rows.count, "gain": gain, "reason": reason}
    judged = case.promotion.model_copy(update=known)
    judged_case = case.model_copy(update={"promotion": judged, "lines": lines})
    return judged_case if gain.low > 0 else _kept(judged_case, reason)


def _line(duel: Duel, name: Metric) -> Line:
    champion, challenger = duel.both(name)
    return Line(metric=name, champion=champion, challenger=challenger, gain=duel.gain(name))


def _metrics(split: Split) -> list[Metric]:
    """Every metric of the task, the charter's first."""
    every = METRICS[split.training.task]
    return sorted(every, key=lambda name: name != split.training.metric)


def _pointless(charter: Charter, champion: Predictor, challenger: Predictor) -> str:
    """Why the two are not compared; empty where they are.

    Groups that are found may be two today and three tomorrow, which is the same question.
    """
    theirs, ours = champion.signature, challenger.signature
    same = theirs.task == ours.task or charter.goal.target.sought is not None
    if theirs.target != ours.target or not same:
        return (
            f"the champion answers another question ({theirs.target}, {theirs.task}) than the "
            f"challenger ({ours.target}, {ours.task}); `perennial train` deploys without comparing"
        )
    if champion.manifest.judged == challenger.manifest.judged:
        return SAME
    return ""


def _replaced(charter: Charter, comparison: Comparison) -> Comparison:
    """A champion that learned from a person who was erased goes, better or not."""
    promotion = comparison.promotion
    if promotion.outcome == "promoted" or promotion.champion not in marked(charter.name):
        return comparison
    if promotion.reason == SAME:
        return comparison
    reason = (
        f"release {promotion.champion} learned from a person who was erased since, so it is replaced "
        f"(otherwise: {promotion.reason})"
    )
    known = {"outcome": "promoted", "reason": reason}
    return comparison.model_copy(update={"promotion": promotion.model_copy(update=known)})


def _not_again(comparison: Comparison) -> Comparison:
    """What a person has rolled back, or traffic has shown to be no better, does not come back by itself."""
    project, fingerprint = comparison.promotion.project, comparison.promotion.fingerprint
    folder = home() / "releases" / project
    for number in releases.numbers(folder):
        rollback = history.withdrawn(project, number)
        if rollback and bundles.load(folder / str(number)).manifest.judged == fingerprint:
            ended = "rolled back" if rollback.event == "rolled back" else "withdrawn as a canary"
            said = rollback.asked if rollback.event == "rolled back" else rollback.why
            reason = f"the challenger is release {number}, which was {ended} ({said})"
            return _kept(comparison, reason)
    return comparison


def _kept(case: Comparison, reason: str, **known: int) -> Comparison:
    kept = {"outcome": "kept", "reason": reason, **known}
    return case.model_copy(update={"promotion": case.promotion.model_copy(update=kept)})


def _fingerprint(charter: Charter, split: Split, bundle: Bundle, live: releases.Live | None) -> str:
    said = [
        WAY, live.release if live else "", live.manifest if live else "", bundle.where,
        bundle.fingerprint, split.holdout.seal, charter.fingerprint,
    ]  # fmt: skip
    return hashlib.sha256("\0".join(map(str, said)).encode()).hexdigest()


def _keep(where: str, comparison: Comparison) -> None:
    path = place(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(comparison.model_dump_json(indent=1))
    draft.replace(path)
