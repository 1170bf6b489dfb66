"""The scorecard as a page: the verdicts first, then the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks import metrics
from tasks.auditing.sections import treated
from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables
from tasks.pages.curves import Course
from tasks.pages.figures import number, times

if TYPE_CHECKING:
    from tasks.evaluate import Judgement, Measure, Scorecard
    from tasks.judgement.dependence import Dependence


def write(judgement: Judgement) -> None:
    """Write the page to the place that the scorecard names."""
    card = judgement.scorecard
    sections = [_gates(card), _ladder(card), _holdout(judgement)]
    sections += [_slices(card)] if card.slices else []
    sections += treated(card.fairness, "the holdout") if card.fairness else []
    sections += [_answers(judgement)] if judgement.confusion else []
    sections += [_dependences(judgement)] if judgement.dependences else []
    sections += [_custody(card)]
    html = render(
        title=f"{card.project}: scorecard",
        subtitle=judgement.question,
        project=card.project,
        facts=_facts(judgement),
        sections=sections,
        links=siblings("Scorecard", card.project),
        footer=f"Judgement {card.fingerprint[:12]}; the same numbers stand in {card.numbers}.",
    )
    keep(card.page, html)


def _facts(judgement: Judgement) -> list[Fact]:
    card = judgement.scorecard
    main = next(measure for measure in card.measures if measure.name == card.metric)
    stopped = sum(verdict.stops for verdict in card.verdicts)
    warned = sum(not verdict.passed and not verdict.stops for verdict in card.verdicts)
    passed = sum(verdict.passed for verdict in card.verdicts)
    return [
        Fact(card.metric, number(main.value), f"{number(main.low)} to {number(main.high)}"),
        Fact("model", card.family, "the rung that was taken"),
        Fact("gates passed", f"{passed} of {len(card.verdicts)}",
             f"{stopped} failed, {warned} with a warning"),
        Fact("rows in the holdout", f"{judgement.rows:,}", f"opened {times(len(card.looks))}"),
    ]  # fmt: skip


def _gates(card: Scorecard) -> Section:
    stopped = [verdict.gate for verdict in card.verdicts if verdict.stops]
    lead = (
        f"Not deployed: {', '.join(stopped)} did not pass."
        if stopped
        else "Every gate that can stop a release passed."
    )
    return Section("Gates", lead, tables.verdicts(card.verdicts))


def _ladder(card: Scorecard) -> Section:
    rows = [
        (
            f"→ {rung.family}" if rung.taken else rung.family,
            number(rung.score), _range(rung.low, rung.high), number(rung.row_ms),
            number(rung.model_mb), str(rung.trials), rung.why,
        )
        for rung in card.ladder
    ]  # fmt: skip
    heads = ("rung", card.metric, "95 % interval", "ms a row", "MB", "trials", "why")
    scored = [
        (rung.family, rung.score, rung.low, rung.high)
        for rung in card.ladder
        if rung.score is not None and rung.low is not None and rung.high is not None
    ]
    return Section(
        "The ladder",
        "Simple first: a rung is taken only when its gain pays for its cost. Scores are means "
        "over the folds of the training rows.",
        blocks.stack(
            charts.intervals(f"{card.metric} of each rung", scored, wide=True),
            tables.table("The rungs, simplest first", heads, rows, wrap=True),
        ),
    )


def _holdout(judgement: Judgement) -> Section:
    card = judgement.scorecard
    metrics_table = tables.table(
        "Metrics", ("metric", "value", "low", "high"), [_line(m) for m in card.measures]
    )
    gains = [(name, gain.value, gain.low, gain.high) for name, gain in card.gains.items()]
    costs = blocks.prose(
        f"Errors cost {number(judgement.cost)} a row. The best answer that ignores the row would "
        f"cost {number(judgement.constant_cost)}."
    )
    drawn = f"{judgement.drawn} whole days or hours drawn" if judgement.drawn else "rows drawn"
    better = "larger is better" if metrics.greater_is_better(card.metric) else "smaller is better"
    body = [metrics_table]
    if gains:
        title = f"Gain over each baseline in {card.metric}"
        body += [charts.intervals(title, gains, mark=0.0, wide=True)]
    return Section(
        "On the holdout",
        f"Rows that neither search nor features have seen, with 95 % bootstrap intervals ({drawn}). "
        f"{card.metric}: {better}.",
        blocks.stack(*body, costs),
    )


def _slices(card: Scorecard) -> Section:
    shown = [
        (f"{part.column} = {part.value}", part.measure.value, part.measure.low, part.measure.high)
        for part in card.slices[:20]
    ]
    main = next(measure for measure in card.measures if measure.name == card.metric)
    title = f"{card.metric} of each slice, worst first"
    heads = ("slice", "rows", card.metric, "95 % interval")
    rows = [
        (f"{part.column} = {part.value}", part.rows, part.measure.value,
         _range(part.measure.low, part.measure.high))
        for part in card.slices
    ]  # fmt: skip
    return Section(
        "Slices",
        f"Parts of the holdout with enough rows. The line marks the whole, {number(main.value)}.",
        blocks.stack(
            charts.intervals(title, shown, mark=main.value, wide=True),
            blocks.fold("All slices as a table", tables.table("Slices", heads, rows)),
        ),
    )


def _answers(judgement: Judgement) -> Section:
    card, classes = judgement.scorecard, judgement.classes
    rows: list[tuple[str | int, ...]] = [
        (f"is {label}", *counts) for label, counts in zip(classes, judgement.confusion, strict=True)
    ]
    confusion = tables.table(
        "Rows by truth and answer", ("", *(f"answered {label}" for label in classes)), rows
    )
    points = [(point.said, point.was, point.low, point.high) for point in judgement.reliability]
    threshold = card.decision.threshold
    rule = (
        f"{classes[1]} is answered from a probability of {number(threshold)} on"
        if threshold is not None
        else "The answer is the class with the largest probability times cost of missing it"
    )
    return Section(
        "Answers and calibration",
        f"{rule}. Probabilities are off by {figures.share(card.calibration_error or 0.0)} "
        "on average.",
        blocks.beside(charts.reliability("What was said, and what came true", points), confusion),
    )


def _dependences(judgement: Judgement) -> Section:
    of = judgement.dependences[0].of
    said = f"the chance of {of}" if of else "the answer"
    return Section(
        "How the answer hangs on the inputs",
        f"The mean of {said} over training rows when the one input alone takes each value. The band "
        "is where four in five rows move, each about its own mean: where it fans out, other inputs "
        "have a say in what this one does. It shows what the model does, not what causes what.",
        blocks.stack(*(_dependence(one) for one in judgement.dependences)),
    )


def _dependence(one: Dependence) -> str:
    if one.ordered:
        course = Course(one.column, one.mean, one.low, one.high)
        return charts.line(one.column, one.values, [course])
    items = list(zip(one.values, one.mean, one.low, one.high, strict=True))
    return charts.intervals(one.column, items, wide=True)


def _custody(card: Scorecard) -> Section:
    rows = [(look.at, look.by, look.why) for look in card.looks]
    return Section(
        "Looks at the holdout",
        "Each opening of the holdout is written down; choosing by it would make it worthless.",
        tables.table("Every look, oldest first", ("when", "by", "why"), rows),
    )


def _line(measure: Measure) -> tuple[str, float, float, float]:
    return measure.name, measure.value, measure.low, measure.high


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"
