"""One verdict for each clause that a look can decide; what does not pass is an alarm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from charter import Charter, Frozen, Verdict
from charter.runtime import Drift, seconds
from tasks.auditing.treatment import Treatment
from tasks.monitoring.drift import LEAST, Finding
from tasks.monitoring.health import Health
from tasks.monitoring.performance import Performance

NAMED = 3


class Alarm(Frozen):
    """What crossed a limit of the charter."""

    gate: str
    reason: str
    """In words, for people and for the history of the project."""
    curable: bool
    """Whether a new model may help: it helps against drift and age, not against a slow service."""
    about: tuple[str, ...] = ()
    """The columns that it is about; empty where it is about none."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """What is passed on only once."""
        return tuple(f"{self.gate}: {column}" for column in self.about) or (self.gate,)


@dataclass(frozen=True)
class Judged:
    """A verdict, and the alarm that follows from it."""

    verdict: Verdict
    curable: bool = True
    about: tuple[str, ...] = ()

    @property
    def alarm(self) -> Alarm | None:
        if not self.verdict.stops:
            return None
        return Alarm(
            gate=self.verdict.gate, reason=self.verdict.message, curable=self.curable,
            about=self.about,
        )  # fmt: skip


def drift(limit: Drift, found: Sequence[Finding], rows: int, known: bool) -> Judged:
    """Alarm where a column has shifted for sure, and by enough to matter."""
    gate = "runtime.drift"
    if not known:
        said = "the live release brings no reference to compare with; the next training does"
        return Judged(Verdict(gate=gate, passed=False, message=said, level="warn"))
    if not found:
        said = f"{rows:,} rows are too few to compare, at least {LEAST} are needed"
        return Judged(Verdict(gate=gate, passed=True, message=said, numbers={"rows": float(rows)}))
    shifted = [one for one in found if one.shifted]
    largest = max(found, key=lambda one: one.effect)
    numbers = {"effect": largest.effect, "limit": limit.effect, "shifted": float(len(shifted))}
    if shifted:
        words = ", ".join(f"{one.name} (effect {one.effect:.2f})" for one in shifted[:NAMED])
        more = f" and {len(shifted) - NAMED} more" if len(shifted) > NAMED else ""
        said = f"{words}{more} shifted, limit {limit.effect:g}"
    else:
        said = (
            f"none of {len(found)} columns shifted; the largest effect is {largest.effect:.2f} "
            f"({largest.name}), limit {limit.effect:g}"
        )
    verdict = Verdict(gate=gate, passed=not shifted, message=said, numbers=numbers)
    return Judged(verdict, about=tuple(one.name for one in shifted))


def worse(limit: float | None, known: Performance | None, guessed: Performance | None) -> Judged:
    """Alarm where the metric fell behind the scorecard by more than the limit, and not by chance.

    The estimate counts where too little truth is known.
    """
    gate, found = "runtime.worse", known or guessed
    if found is None:
        said = "too little truth is known, and nothing to estimate with"
        return Judged(Verdict(gate=gate, passed=True, message=said, level="warn"))
    far = limit is not None and found.fall > limit and found.certain
    way = "behind" if found.fall > 0 else "ahead of"
    bound = "no limit is set" if limit is None else f"limit {limit:g} behind"
    said = (
        f"{found.metric} is {found.value:.4g} ({found.low:.4g} to {found.high:.4g}), {found.kind} "
        f"on {found.rows:,} rows: {abs(found.fall):.3g} {way} the scorecard, {bound}"
    )
    numbers = {"value": found.value, "low": found.low, "high": found.high, "fall": found.fall}
    return Judged(Verdict(gate=gate, passed=not far, message=said, numbers=numbers))


def fair(charter: Charter, found: Treatment | None) -> Iterator[Judged]:
    """Alarm where two groups are surely further apart than the charter allows."""
    if not charter.fairness.sensitive:
        return
    names = ", ".join(charter.fairness.sensitive)
    if found is None:
        said = f"too few rows with a known truth say what they are by {names}"
        yield Judged(Verdict(gate="fairness.limit", passed=True, message=said, level="warn"))
        return
    for one in found.disparities:
        if one.limit is None:
            continue
        figure, words = one.figure, found.metric.replace("_", " ")
        sure = figure.low > one.limit
        said = (
            f"{words}: groups of {one.of} are {figure.value:.3g} apart ({figure.low:.3g} to "
            f"{figure.high:.3g}) on {found.rows:,} rows, limit {one.limit:g}"
        )
        gate = (
            "fairness.limit"
            if one.of not in charter.fairness.limits
            else f"fairness.limits.{one.of}"
        )
        numbers = {"value": figure.value, "low": figure.low, "limit": one.limit}
        verdict = Verdict(gate=gate, passed=not sure, message=said, numbers=numbers)
        yield Judged(verdict, about=(one.of,) if sure else ())


def age(limit: str | None, days: float) -> Judged:
    """Alarm where the live model is older than the charter allows."""
    old = limit is not None and days * 86_400 > seconds(limit)
    bound = "no limit is set" if limit is None else f"limit {limit}"
    said = f"the model has been live for {days:.1f} days, {bound}"
    verdict = Verdict(gate="runtime.max_age", passed=not old, message=said, numbers={"days": days})
    return Judged(verdict)


def service(charter: Charter, found: Health) -> Iterator[Judged]:
    """Alarm where the service surely fails more often, or is slower, than the charter allows."""
    limit = charter.runtime.error_rate
    said = (
        f"{found.failed:,} of {found.requests:,} requests failed, limit {100 * limit:g} %"
        if found.requests
        else "the service was not asked"
    )
    numbers = {"failing": found.failing, "limit": limit}
    passed = found.surely <= limit
    yield Judged(
        Verdict(gate="runtime.error_rate", passed=passed, message=said, numbers=numbers), False
    )
    if found.p99_ms is None:
        return
    bound = charter.constraints.latency_p99_ms
    said = f"99 of 100 requests took at most {found.p99_ms:.3g} ms, limit {bound:g} ms"
    numbers = {"p99_ms": found.p99_ms, "limit": bound}
    yield Judged(
        Verdict(
            gate="constraints.latency_p99_ms", passed=found.p99_ms <= bound, message=said,
            numbers=numbers,
        ),
        False,
    )  # fmt: skip
