"""What was tried so that groups are treated alike: one chart of fairness against quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter import Charter
from tasks.auditing.sections import treated
from tasks.auditing.treatment import Figure, Treatment
from tasks.pages import Fact, Section, blocks, charts, keep, render, siblings, tables
from tasks.pages.charts import Offer
from tasks.pages.figures import number

if TYPE_CHECKING:
    from tasks.mitigate import Arm, Mitigated


def write(charter: Charter, found: Mitigated) -> None:
    """Write the page to the place that the record names."""
    arms = [arm for arm in found.arms if arm.treatment and arm.quality]
    taken = next((arm for arm in arms if arm.name and arm.name == found.chosen), arms[0])
    assert taken.treatment is not None
    html = render(
        title=f"{charter.name}: mitigation",
        subtitle="What it costs to treat groups alike, and what was done",
        project=charter.name,
        facts=_facts(found, arms[0], taken),
        sections=[
            _chart(charter, found, arms),
            _arms(found),
            *treated(taken.treatment, f"training rows, out of fold, with {_name(taken)}"),
        ],
        links=siblings("Mitigation", charter.name),
        footer=f"Mitigation {found.fingerprint[:12]}; on training rows that the models were not "
        "fitted on. The holdout proves the model that was taken: see the scorecard.",
    )
    keep(found.page, html)


def _facts(found: Mitigated, first: Arm, taken: Arm) -> list[Fact]:
    before, after = first.treatment, taken.treatment
    assert before is not None
    assert after is not None
    return [
        Fact("taken", _name(taken) if found.chosen else "none", taken.about),
        Fact("difference, of its limit", f"{before.excess:.0%} → {after.excess:.0%}"
             if found.chosen else f"{before.excess:.0%}", "the worst of the judged columns"),
        Fact(found.measure, _value(taken.quality), f"out of fold; {_value(first.quality)} unmitigated"),
        Fact("tried", f"{len(found.arms) - 1}", "mitigations, each as the search chose the model"),
    ]  # fmt: skip


def _chart(charter: Charter, found: Mitigated, arms: list[Arm]) -> Section:
    limits = {one.limit for one in _treatment(arms[0]).disparities if one.limit is not None}
    one = limits.pop() if len(limits) == 1 else None
    words = _treatment(arms[0]).metric.replace("_", " ")
    offers = [
        Offer(_name(arm), _apart(_treatment(arm), one), _ends(arm.quality),
              bool(found.chosen) and arm.name == found.chosen)
        for arm in arms
    ]  # fmt: skip
    chart = charts.tradeoff(
        "Fairness against quality", offers, up=found.measure,
        across=f"{words} difference" if one else f"{words} difference, of its limit",
        limit=one or 1.0,
        caption=f"Further left is fairer, further {_better(found)} is better. Each dot with its 95 % "
        "bootstrap intervals; all arms on the same rows, folds, parameters and threshold rule.",
    )  # fmt: skip
    return Section(
        "Fairness against quality", found.reason[0].upper() + found.reason[1:] + ".", chart
    )


def _better(found: Mitigated) -> str:
    """Which way the quality grows on the chart."""
    from tasks.metrics import greater_is_better

    return "up" if greater_is_better(found.measure) else "down"


def _apart(found: Treatment, limit: float | None) -> tuple[float, float, float]:
    """The judged column that is worst by its limit: its difference, or that over the limit."""
    held = [one for one in found.disparities if one.limit is not None]
    known = [one for one in held if one.figure.value == one.figure.value]
    if not known:
        return 0.0, 0.0, 0.0
    worst = max(known, key=lambda one: one.figure.value / (one.limit or 1.0))
    share = 1.0 if limit else worst.limit or 1.0
    figure = worst.figure
    return figure.value / share, figure.low / share, figure.high / share


def _arms(found: Mitigated) -> Section:
    rows = [_row(arm, found) for arm in found.arms]
    heads = (
        "", "largest difference", found.measure, "balanced accuracy", "positive rate",
    )  # fmt: skip
    constant = next((arm.treatment.constant for arm in found.arms if arm.treatment), {})
    always = (
        "constant model", "0", number(constant.get(found.measure)),
        number(constant.get("balanced_accuracy")), number(constant.get("positive_rate")),
    )  # fmt: skip
    return Section(
        "Every arm",
        "Fairness alone is cheap: whoever answers always the same treats everybody alike. So each "
        "arm stands beside the share of its positive answers, balanced accuracy, and the constant "
        "model. The folds have a seed each.",
        blocks.stack(
            tables.table("What was tried", heads, [*rows, always]),
            blocks.points(_outcome(arm, found) for arm in found.arms),
        ),
    )


def _row(arm: Arm, found: Mitigated) -> tuple[str, ...]:
    if arm.treatment is None:
        return (_name(arm), "–", "–", "–", "–")
    quality = arm.treatment.quality
    return (
        _name(arm), _range(_apart(arm.treatment, 1.0)),
        _shown(arm.quality), _value(quality.get("balanced_accuracy")),
        _value(quality.get("positive_rate")),
    )  # fmt: skip


def _outcome(arm: Arm, found: Mitigated) -> str:
    """What the arm does, and why it was taken or not."""
    took = f", {arm.seconds:.0f} s" if arm.seconds else ""
    folds = [apart for apart, _ in arm.folds if apart == apart]
    spread = f"; {min(folds):.0%} to {max(folds):.0%} of the limit by fold" if folds else ""
    if arm.name and arm.name == found.chosen:
        why = "taken"
    elif arm.why:
        why = f"not taken: {arm.why}"
    else:
        why = "within the limits" if arm.name else "kept: every limit holds"
    return f"{_name(arm)} ({arm.about}{took}): {why}{spread}"


def _treatment(arm: Arm) -> Treatment:
    assert arm.treatment is not None
    return arm.treatment


def _name(arm: Arm) -> str:
    return arm.name.replace("_", " ") if arm.name else "unmitigated"


def _ends(figure: Figure | None) -> tuple[float, float, float]:
    return (figure.value, figure.low, figure.high) if figure else (0.0, 0.0, 0.0)


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    return _range((figure.value, figure.low, figure.high))


def _value(figure: Figure | None) -> str:
    return "–" if figure is None else number(figure.value)


def _range(ends: tuple[float, float, float]) -> str:
    return f"{number(ends[0])} ({number(ends[1])} to {number(ends[2])})"
