"""What is to be predicted, and how rare it is."""

from __future__ import annotations

from markupsafe import Markup

from charter import Charter
from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings
from tasks.exploration.sections.shapes import histogram
from tasks.exploration.target import Truth
from tasks.metrics import resolve
from tasks.pages import Section, blocks, charts, tables
from tasks.pages.figures import number, share

MOST_BARS = 20
RARE = 0.1
FEW = 100
"""A class with a smaller share, or fewer rows, is told apart."""
BLIND = ("accuracy",)
"""Metrics that a rare class hardly moves."""


def section(charter: Charter, found: Findings) -> Section:
    """How often each class is, or how the numbers spread."""
    truth = found.truth
    task = {
        "binary": "one of two classes",
        "multiclass": f"one of {len(truth.classes)} classes",
        "regression": "a number",
    }[truth.task]
    how = (
        " (read off the values; goal.target.task overrules)" if truth.read_off else " (as declared)"
    )
    lead = f"{truth.field.name} is learnt as {task}{how}."
    if truth.task == "binary":
        lead += f" {truth.classes[1]} counts as positive."
    if truth.missing:
        gap = share(truth.missing / found.rows)
        lead += f" {number(truth.missing)} rows ({gap}) have no target and teach nothing."
    if truth.task == "regression":
        spread = blocks.beside(histogram(found.target), _quantiles(found.target))
        return Section("The target", lead, spread)
    return Section("The target", lead, blocks.stack(_balance(charter, truth), _classes(truth)))


def _classes(truth: Truth) -> Markup:
    known = sum(truth.counts)
    classes = sorted(zip(truth.classes, truth.counts, strict=True), key=lambda pair: -pair[1])
    items = [(name, rows / known) for name, rows in classes]
    chart = charts.bars("Share of each class", items[:MOST_BARS], shown=share, top=1.0)
    table = tables.table(
        "Rows per class",
        ("Class", "Rows", "Share"),
        [(name, rows, share(rows / known)) for name, rows in classes],
    )
    return blocks.beside(chart, table)


def _balance(charter: Charter, truth: Truth) -> Markup:
    """What a rare class means for the judgement, where there is one."""
    rows, name = min(zip(truth.counts, truth.classes, strict=True))
    known = sum(truth.counts)
    if rows >= RARE * known and rows >= FEW:
        return blocks.NOTHING
    folds = charter.evaluation.folds
    told = [
        f"Answering {truth.classes[truth.counts.index(max(truth.counts))]} every time would be "
        f"right in {share(max(truth.counts) / known)} of the rows: being right often says little.",
        f"Each of the {folds} folds has about {number(rows // folds)} rows of {name} to judge by, "
        "so that scores move from fold to fold.",
        _judged(charter, truth),
    ]
    heading = f"{name} is rare: {number(rows)} rows, {share(rows / known)}"
    return blocks.notice("warn", heading, blocks.points(told))


def _judged(charter: Charter, truth: Truth) -> str:
    metric = resolve(charter.evaluation.metric, truth.task)
    if metric in BLIND:
        return (
            f"The charter judges by {metric}, which such a class hardly moves: set "
            "evaluation.metric to average_precision or balanced_accuracy, or goal.cost."
        )
    seen = f"The charter judges by {metric}, which does see such a class"
    if charter.goal.cost.given:
        return f"{seen}, and weighs errors as goal.cost says."
    return f"{seen}; what it costs to miss one belongs in goal.cost."


def _quantiles(content: Content) -> Markup:
    names = ("1 %", "5 %", "25 %", "50 %", "75 %", "95 %", "99 %")
    rows: list[tuple[str, str]] = [("smallest", number(content.low))]
    rows += [(name, number(value)) for name, value in zip(names, content.quantiles, strict=True)]
    rows += [
        ("largest", number(content.high)),
        ("mean", number(content.mean)),
        ("standard deviation", number(content.std)),
    ]
    return tables.table(f"{content.name} in numbers", ("Quantile", "Value"), rows)
