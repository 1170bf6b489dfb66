"""The model card: what a person should know before trusting the model.

The headings are those of Mitchell et al., "Model Cards for Model Reporting" (2019). What nobody
has said is named as blank, together with the charter's key that would fill it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charter import Charter
from tasks.packaging.groups import alike, rates
from tasks.pages import Section, blocks, render, tables
from tasks.pages.figures import interval, moment, number, share, times
from tasks.printing.shown import shown
from tasks.protection.papers import people
from tasks.recall import spelled

if TYPE_CHECKING:
    from serving.signature import Input
    from tasks.package import Bundle
    from tasks.packaging.papers import Papers


MOST = 300
"""Inputs that are listed, and columns that are none."""
AFTER = "After Mitchell et al., Model Cards for Model Reporting, 2019."


@dataclass(frozen=True)
class Part:
    """One heading of the card."""

    heading: str
    lines: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def parts(papers: Papers, bundle: Bundle) -> list[Part]:
    """The whole card."""
    return [
        _details(papers, bundle),
        _use(papers.charter),
        _inputs(papers),
        _decision(papers),
        *_logic(papers),
        _data(papers),
        _measures(papers),
        _factors(papers),
        _ladder(papers),
        _gates(papers, bundle),
        _groups(papers),
        _ethics(papers),
        _limits(papers),
    ]


def blank(value: str, key: str) -> str:
    """The value, or that it is blank and which key would fill it."""
    return value or f"(blank: {key})"


def _details(papers: Papers, bundle: Bundle) -> Part:
    study = papers.study
    from tasks.models.blend import MADE, words

    params = (
        words(study.params)
        if study.family in MADE
        else (
            ", ".join(
                f"{name} {f'{value:.4g}' if isinstance(value, float) else value}"
                for name, value in study.params.items()
            )
            or "none"
        )
    )
    return Part(
        "Model details",
        (
            f"Project: {papers.charter.name}. Task: {papers.recipe.signature.task}. "
            f"Family: {study.family}, with {params}.",
            f"Found by {study.search} search over {sum(r.trials for r in study.ladder)} trials in "
            f"{study.seconds:.0f} seconds and {study.peak_gb:.1f} GiB"
            + (f", on {study.hardware.words}." if study.hardware else "."),
            f"One ONNX graph of {bundle.model_mb:.2f} MB with its preparation inside; at most "
            f"{bundle.parity:.1g} from the fitted pipeline over {bundle.parity_rows:,} rows.",
            f"Bundle {bundle.fingerprint[:16]}, study {study.fingerprint[:16]}, "
            f"charter {papers.charter.fingerprint[:16]}.",
        ),
    )


def _use(charter: Charter) -> Part:
    goal = charter.goal
    return Part(
        "Intended use",
        (
            f"Question: {blank(goal.question, 'goal.question')}",
            f"Why a model: {blank(goal.because, 'goal.because')}",
            f"Who acts on it: {blank(goal.acts_on_it, 'goal.acts_on_it')}",
            f"Audience: {blank(charter.experience.audience, 'experience.audience')}",
            "Not for: any question but this one, and rows from outside the data described below.",
        ),
    )


def _inputs(papers: Papers) -> Part:
    impact = {entry.column: entry for entry in papers.recipe.impact}
    known = {column.name: column for column in papers.profile.columns}
    inputs = papers.recipe.signature.inputs
    told = set(list(dict.fromkeys([*impact, *(column.name for column in inputs)]))[:MOST])
    rows = []
    for column in (column for column in inputs if column.name in told):
        worth = impact.get(column.name)
        missing = known[column.name].missing_share if column.name in known else None
        shown = f"{number(worth.mean)} ({interval(worth.low, worth.high)})" if worth else "–"
        rows.append((column.name, column.kind, _seen(column), share(missing), shown))
    heads = ("input", "kind", "seen in training", "missing", f"impact on {papers.study.metric}")
    dropped = papers.recipe.dropped
    left_out = "; ".join(f"{entry.column} ({entry.why})" for entry in dropped[:MOST])
    more = f"; and {len(dropped) - MOST:,} more" if len(dropped) > MOST else ""
    lines = [f"Left out: {left_out}{more}."] if left_out else []
    if len(told) < len(inputs):
        lines.append(
            f"{len(inputs) - len(told):,} of {len(inputs):,} inputs, those worth least, are not "
            "listed here; signature.json has them all."
        )
    lines += [papers.recipe.pca.explanation] if papers.recipe.pca else []
    return Part("Inputs", tuple(lines), heads, tuple(rows))


def _seen(column: Input) -> str:
    if column.kind == "text":
        more = ", …" if len(column.levels) > 4 else ""
        return ", ".join(column.levels[:4]) + more
    if column.kind == "time":
        return f"{moment(column.low)} to {moment(column.high)}"
    return interval(column.low, column.high)


def _decision(papers: Papers) -> Part:
    signature, decision = papers.recipe.signature, papers.scorecard.decision
    if signature.task == "regression":
        return Part("Answer", (f"A number: {signature.target}.",))
    lines = [f"Classes: {', '.join(signature.classes)}, each with a probability."]
    if papers.charter.goal.target.clusters is not None:
        lines.append(f"Found in the data, not told: {'; '.join(signature.say.values())}.")
    if (anomalies := papers.charter.goal.target.anomalies) is not None:
        lines.append(
            f"Found in the data, not told: true for the {share(anomalies.share)} of the rows that are "
            f"least like the others by {', '.join(anomalies.columns)}."
        )
    if decision.threshold is not None:
        lines.append(
            f"Answers {signature.classes[-1]} from a probability of {decision.threshold:.3f} on."
        )
    elif decision.weights:
        weighed = zip(signature.classes, decision.weights, strict=True)
        lines.append("Weights: " + ", ".join(f"{name} {weight:g}" for name, weight in weighed))
    lines.append(f"Costs: {_costs(papers.charter)}.")
    return Part("Answer", tuple(lines))


def _logic(papers: Papers) -> list[Part]:
    """How a simple model answers, whole: anybody can do it by hand."""
    found = shown(papers.model, papers.split.training, papers.charter)
    return [Part("The whole logic", found.lines, found.heads, found.rows)] if found else []


def _costs(charter: Charter) -> str:
    cost = charter.goal.cost.model_dump(exclude_none=True, exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in cost.items()) or "(blank: goal.cost)"


def _data(papers: Papers) -> Part:
    split = papers.split
    return Part(
        "Training and evaluation data",
        (
            f"Source: {source(papers.charter)}; table {papers.table.where}, version "
            f"{papers.table.version}, {papers.table.rows:,} rows.",
            f"The same rows again: perennial train configs/{papers.charter.name}.yaml "
            f"--table-version {spelled(papers.table)}",
            f"Split {split.rule}: {split.training.rows:,} rows for training, "
            f"{split.holdout.rows:,} held out. {split.unlabelled.rows:,} rows without a label.",
            f"{split.shared:,} of the rows held out have a twin among the training rows: the same "
            "inputs but for the time.",
            f"The holdout was opened {times(len(papers.scorecard.looks))} before this card.",
            *filter(None, [papers.study.appraised]),
            *_refit(papers),
        ),
    )


def _refit(papers: Papers) -> tuple[str, ...]:
    if papers.judged is None:
        return ()
    rows = papers.split.training.rows + papers.split.holdout.rows
    return (
        f"After it had won, this model was fitted once more, on all {rows:,} rows: those held out "
        "are the freshest (runtime.refit). Every figure on this card is of the model that was "
        f"judged, bundle {papers.judged.fingerprint[:16]}.",
    )


def source(charter: Charter) -> str:
    """Where the rows come from, without its arguments."""
    given = charter.data.source
    return f"{given.kind} {getattr(given, 'path', None) or getattr(given, 'call', '')}"


def _measures(papers: Papers) -> Part:
    card = papers.scorecard
    rows = [(m.name, number(m.value), interval(m.low, m.high)) for m in card.measures]
    rows += [
        (f"gain over {name} ({m.name})", number(m.value), interval(m.low, m.high))
        for name, m in card.gains.items()
    ]
    lines = ["On the holdout, with 95 % bootstrap intervals (Efron, 1979)."]
    if card.calibration_error is not None:
        lines.append(f"Expected calibration error: {number(card.calibration_error)}.")
    return Part("Metrics", tuple(lines), ("metric", "value", "95 % interval"), tuple(rows))


def _factors(papers: Papers) -> Part:
    slices = papers.scorecard.slices
    if not slices:
        return Part("Factors", ("(blank: evaluation.slices)",))
    rows = tuple(
        (f"{s.column} = {s.value}", f"{s.rows:,}", number(s.measure.value),
         interval(s.measure.low, s.measure.high))
        for s in slices[:20]
    )  # fmt: skip
    heads = ("slice", "rows", slices[0].measure.name, "95 % interval")
    return Part("Factors", ("Where the model is worst, worst first.",), heads, rows)


def _ladder(papers: Papers) -> Part:
    rows = tuple(
        (f"{rung.family} (taken)" if rung.taken else rung.family, number(rung.score),
         number(rung.row_ms), number(rung.model_mb), rung.why)
        for rung in papers.scorecard.ladder
    )  # fmt: skip
    heads = ("rung", papers.study.metric, "ms a row", "MB", "why")
    return Part("The ladder", ("Simpler models that were tried, simplest first.",), heads, rows)


def _gates(papers: Papers, bundle: Bundle) -> Part:
    verdicts = (*papers.recipe.verdicts, *papers.scorecard.verdicts, *bundle.verdicts)
    rows = tuple((v.gate, _word(v.passed, v.level), v.message) for v in verdicts)
    return Part("Gates", (), ("gate", "verdict", "what was found"), rows)


def _word(passed: bool, level: str) -> str:
    return "passed" if passed else {"warn": "warning"}.get(level, "failed")


def _groups(papers: Papers) -> Part:
    found = papers.scorecard.fairness
    heads, rows = rates(found) if found else ((), ())
    return Part("Groups", tuple(alike(papers)), heads, rows)


def _ethics(papers: Papers) -> Part:
    return Part(
        "Ethical considerations", tuple(people(papers.charter, papers.table, *papers.sources))
    )


def _limits(papers: Papers) -> Part:
    lines = [
        "Trained on the past: where the world changes, the numbers above no longer hold.",
        "Values outside the ranges above, and levels that training did not see, get an answer "
        "that nothing here vouches for.",
        "Inputs move together with the answer; that does not make them its cause.",
    ]
    lines += [
        f"Suspected leak: {s.column}. {s.evidence}"
        for s in papers.profile.suspects
        if s.column in {column.name for column in papers.recipe.signature.inputs}
    ]
    return Part("Caveats and limits", tuple(lines))


def as_markdown(title: str, card: Sequence[Part]) -> str:
    """The card as Markdown."""
    lines = [f"# {title}"]
    for part in card:
        lines += ["", f"## {part.heading}", ""]
        lines += [f"- {_flat(line)}" for line in part.lines]
        if part.rows:
            lines += [""] if part.lines else []
            lines += [_row(part.heads), _row(["---"] * len(part.heads)), *map(_row, part.rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_flat(cell).replace("|", "\\|") for cell in cells) + " |"


def _flat(text: str) -> str:
    return " ".join(text.replace("<", "&lt;").split())


def as_html(title: str, charter: Charter, card: Sequence[Part], after: str = AFTER) -> str:
    """The card as an offline page; `after` names whose headings they are."""
    sections = [
        Section(
            part.heading,
            "",
            blocks.stack(
                blocks.points(part.lines) if part.lines else "",
                tables.table(part.heading, part.heads, part.rows, wrap=True) if part.rows else "",
            ),
        )
        for part in card
    ]
    return render(
        title=title, subtitle=charter.goal.question, project=charter.name, sections=sections,
        footer=after,
    )  # fmt: skip
