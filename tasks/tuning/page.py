"""The study as a page: how it converged, the ladder, every trial."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from charter import Charter
from tasks.metrics import greater_is_better
from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables

if TYPE_CHECKING:
    from tasks.printing import Printed
    from tasks.tune import Study

SHOWN = 500
"""Most trials in the table; the Parquet file has all."""


def write(
    charter: Charter,
    study: Study,
    trials: Sequence[dict[str, Any]],
    found: Sequence[Section] = (),
    logic: Printed | None = None,
) -> str:
    """`pages/<project>/study.html`; `found` are sections that stand after the ladder, `logic` is
    what a simple winner does."""
    score = next((rung.score for rung in study.ladder if rung.taken), None)
    html = render(
        title=f"{charter.name}: study",
        subtitle=charter.goal.question,
        project=charter.name,
        facts=[
            Fact("Taken", study.family),
            Fact(study.metric, figures.number(score), "mean over the folds"),
            *_drawn(study),
            Fact("Trials", figures.number(len(trials)), f"{study.search} search"),
            Fact("Seconds", figures.number(round(study.seconds, 1)),
                 f"of {figures.number(60 * charter.constraints.train_minutes)}"),
            Fact("Memory", f"{study.peak_gb:.2f} GiB",
                 f"of {charter.constraints.memory_gb:g} GiB, at its peak"),
        ],
        sections=[_ladder(study), *_logic(logic), *found, _course(study, trials), _table(study, trials)],
        links=siblings("Study", charter.name),
        footer=f"Study {study.fingerprint[:16]}. "
        + (f"Made on {study.hardware.words}." if study.hardware else ""),
    )  # fmt: skip
    return keep(f"pages/{charter.name}/study.html", html)


def _drawn(study: Study) -> list[Fact]:
    if study.drawn_rows is None:
        return []
    had = "all rows" if study.model_rows is None else f"{study.model_rows:,} rows"
    return [Fact("Rows", f"{study.drawn_rows:,}", f"drawn to search on; the final fit had {had}")]


def _ladder(study: Study) -> Section:
    taken = next(rung for rung in study.ladder if rung.taken)
    rows = [
        (
            f"→ {rung.family}" if rung.taken else rung.family,
            rung.score, figures.interval(rung.low, rung.high), rung.row_ms, rung.model_mb,
            rung.trials, f"{rung.seconds:.1f}", rung.why,
        )
        for rung in study.ladder
    ]  # fmt: skip
    heads = ("Rung", study.metric, "95 % interval", "ms a row", "MB", "Trials", "Seconds", "Why")
    known = [
        (rung.family, rung.score, rung.low, rung.high)
        for rung in study.ladder
        if rung.score is not None and rung.low is not None and rung.high is not None
    ]
    return Section(
        "The ladder",
        f"{taken.family}: {taken.why}.",
        blocks.stack(
            tables.table("Families, simplest first", heads, rows, wrap=True),
            charts.intervals(
                f"{study.metric} of each rung", known, caption="The same out-of-fold rows for all."
            ),
            blocks.fold("Parameters of the model", blocks.preformatted(_shown(study.params))),
        ),
    )


def _logic(logic: Printed | None) -> list[Section]:
    if logic is None:
        return []
    title = "The whole logic"
    table = tables.table(title, logic.heads, logic.rows, wrap=True) if logic.rows else ""
    return [Section(title, "", blocks.stack(blocks.points(logic.lines), table))]


def _course(study: Study, trials: Sequence[dict[str, Any]]) -> Section:
    scores = [
        (float(trial["number"]), float(trial["score"]), str(trial["family"]))
        for trial in trials
        if trial["score"] is not None
    ]
    chart = charts.convergence(
        study.metric, scores, larger_is_better=greater_is_better(study.metric)
    )
    return Section("How the search went", f"{len(scores)} trials were complete.", chart)


def _table(study: Study, trials: Sequence[dict[str, Any]]) -> Section:
    rows = [
        (
            str(trial["number"]), trial["family"], trial["state"], trial["score"],
            round(trial["seconds"], 2), f"{trial['params']} {trial['why']}".strip(),
        )
        for trial in trials[:SHOWN]
    ]  # fmt: skip
    heads = ("Trial", "Family", "State", study.metric, "Seconds", "Parameters")
    more = "" if len(trials) <= SHOWN else f" The first {SHOWN} are shown."
    return Section(
        "Trials",
        f"{len(trials)} trials.{more}",
        blocks.fold("Every trial", tables.table("Trials", heads, rows, wrap=True)),
    )


def _shown(params: object) -> str:
    return json.dumps(params, indent=2)
