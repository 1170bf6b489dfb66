"""One verdict for each clause of `evaluation`, and for what errors cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from charter import Charter, Verdict
from tasks import metrics
from tasks.judgement.case import Case
from tasks.splitting.assignment import SHARED

if TYPE_CHECKING:
    from tasks.evaluate import Measure, Slice
    from tasks.split import Look

MISCALIBRATED = 0.05


def verdicts(
    charter: Charter,
    case: Case,
    measures: Sequence[Measure],
    gains: Mapping[str, Measure],
    parts: Sequence[Slice],
) -> Iterator[Verdict]:
    """The clauses that the metrics decide, in the charter's order."""
    yield from _minimum(charter, {measure.name: measure for measure in measures})
    yield from _beat(charter, gains)
    if parts:
        yield _slices(charter, case, parts)
    elif charter.evaluation.slices:
        yield _unsliced(charter)
    yield from _cost(charter, case)


def _minimum(charter: Charter, measures: Mapping[str, Measure]) -> Iterator[Verdict]:
    for name, bound in charter.evaluation.minimum.items():
        found = measures[name]
        word = "at least" if metrics.greater_is_better(name) else "at most"
        yield Verdict(
            gate=f"evaluation.minimum.{name}",
            passed=metrics.gain(name, found.value, bound) >= 0,
            message=f"{name} is {found.value:.4g} on the holdout, wanted {word} {bound:g}",
            numbers={"value": found.value, "bound": bound},
        )


def _beat(charter: Charter, gains: Mapping[str, Measure]) -> Iterator[Verdict]:
    """What has learned nothing must not pass by luck. Against a rung that has learned, the folds
    have said already whether the higher one pays, so that doubt on the holdout warns."""
    for baseline, margin in charter.evaluation.beat.items():
        found = gains[baseline]
        far, sure = found.value >= margin, margin < 0 or found.low > 0
        doubt = "" if sure else "; the interval leaves open whether it is better at all"
        yield Verdict(
            gate=f"evaluation.beat.{baseline}",
            passed=far and sure,
            message=f"{found.value:.4g} better than {baseline} ({found.low:.4g} to "
            f"{found.high:.4g}), wanted at least {margin:g}{doubt}",
            numbers={"gain": found.value, "low": found.low, "wanted": margin},
            level="warn" if far and baseline != "dummy" else "fail",
        )


def _slices(charter: Charter, case: Case, parts: Sequence[Slice]) -> Verdict:
    whole = metrics.measure(case.metric, case.truth, case.ours, case.decision, case.prices)
    worst, bound = parts[0], charter.evaluation.slice_gap
    gap = metrics.gain(case.metric, whole, worst.measure.value)
    beyond = min(
        metrics.gain(case.metric, whole, end) for end in (worst.measure.low, worst.measure.high)
    )
    said = (
        f"{worst.column} = {worst.value} is the worst slice: {worst.measure.value:.4g} "
        f"on {worst.rows:,} rows, {gap:.4g} worse than the whole"
    )
    numbers = {"gap": gap}
    if bound is None:
        return Verdict(
            gate="evaluation.slices", passed=beyond <= 0, message=said, numbers=numbers,
            level="warn",
        )  # fmt: skip
    return Verdict(
        gate="evaluation.slice_gap", passed=gap <= bound,
        message=f"{said}, wanted at most {bound:g}", numbers={**numbers, "bound": bound},
    )  # fmt: skip


def _unsliced(charter: Charter) -> Verdict:
    """A gap that cannot be measured must not stop a release, but nor may it pass unseen."""
    names = ", ".join(charter.evaluation.slices)
    asked = charter.evaluation.slice_gap is not None
    return Verdict(
        gate="evaluation.slice_gap" if asked else "evaluation.slices",
        passed=False,
        message=f"no value of {names} has enough rows of the holdout to be judged",
        level="warn",
    )


def _cost(charter: Charter, case: Case) -> Iterator[Verdict]:
    if charter.goal.cost == type(charter.goal.cost)():
        return
    ours = metrics.measure("cost", case.truth, case.ours, case.decision, case.prices)
    constant = cheapest_constant(case)
    yield Verdict(
        gate="goal.cost",
        passed=ours < constant,
        message=f"the answers cost {ours:.4g} a row; the best answer that is always the same "
        f"would cost {constant:.4g}",
        numbers={"cost": ours, "constant": constant},
        level="warn",
    )


def cheapest_constant(case: Case) -> float:
    """What the best answer that ignores the row would cost, per row."""
    if case.ours.ndim == 1:
        over, under = case.prices
        best = np.full(len(case.truth), np.quantile(case.truth, under / (over + under)))
        return metrics.measure("cost", case.truth, best, None, case.prices)
    return float(case.prices[case.truth].mean(axis=0).min())


def calibrated(error: float) -> Verdict:
    """Warns where probabilities cannot be taken at their word."""
    return Verdict(
        gate="calibration",
        passed=error <= MISCALIBRATED,
        message=f"probabilities are off by {error:.1%} on average, wanted at most "
        f"{MISCALIBRATED:.0%}",
        numbers={"error": error},
        level="warn",
    )


def apart(shared: int, held: int) -> Verdict:
    """Warns where rows of the holdout have twins among the training rows: such answers can be
    remembered."""
    return Verdict(
        gate="twins",
        passed=shared < SHARED * held,
        message=f"{shared:,} of {held:,} rows of the holdout have a twin among the training rows"
        + (", whose answers a model can remember" if shared else ""),
        numbers={"shared": float(shared), "held": float(held)},
        level="warn",
    )


def custody(looks: Sequence[Look], ours: str) -> Verdict:
    """Warns where the holdout has judged other studies before: choosing among them overfits it."""
    others = {look.why for look in looks if look.by == "evaluate"} - {ours}
    return Verdict(
        gate="holdout",
        passed=len(others) <= 1,
        message=f"the holdout judged {len(others)} other studies before this one"
        if others
        else "the holdout was opened for this study alone",
        numbers={"studies": float(len(others))},
        level="warn",
    )
