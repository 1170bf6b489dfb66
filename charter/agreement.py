"""Whether the sections agree: contradictions that the charter alone shows."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from charter.conflict import Conflict
from charter.constraints import Constraints
from charter.data import CsvSource, Data, DeltaSource, ExcelSource, PythonSource, SqlSource
from charter.deployment import Deployment
from charter.evaluation import METRICS, ByGroup, ByTime, ByValue, Evaluation
from charter.features import Features
from charter.goal import Goal
from charter.runtime import Decay, Last, Runtime
from charter.tuning import INTERPRETABLE, Tuning


def between(
    goal: Goal, data: Data, evaluation: Evaluation, features: Features
) -> Iterator[Conflict]:
    """Conflicts about columns: the target in a place for inputs, a split without its column."""
    target = goal.target.column
    places = {
        "data.known_later": data.known_later,
        "data.known_before": data.known_before,
        "data.key": data.key,
        "data.time": (data.time,),
        "features.drop": features.drop,
        "evaluation.slices": evaluation.slices,
        "goal.heuristic": goal.heuristic.columns if goal.heuristic else (),
    }
    for key, names in places.items():
        if target in names:
            yield _misplaced(key, target)
    split = evaluation.split
    if isinstance(split, ByGroup | ByValue) and split.column == target:
        yield _misplaced("evaluation.split.column", target)
    if isinstance(split, ByTime) and data.time is None:
        yield Conflict(
            "evaluation.split",
            "by: time, but data.time names no column",
            "data.time",
            "Name the time column in data.time, or split by: random.",
        )
    column = data.columns.get(target)
    if column and column.role in ("identifier", "ignore", "time"):
        yield Conflict(
            f"data.columns.{target}.role",
            f"{column.role} for the target",
            "the role of its values, or none",
            "Take it out; the target is never a feature.",
        )


def of_search(
    goal: Goal, constraints: Constraints, evaluation: Evaluation, tuning: Tuning
) -> Iterator[Conflict]:
    """Conflicts about metrics and families."""
    task = goal.target.task
    if task != "auto":
        asked = {"evaluation.metric": evaluation.metric}
        asked |= {f"evaluation.minimum.{name}": name for name in evaluation.minimum}
        for key, metric in asked.items():
            if metric not in ("auto", *METRICS[task]):
                yield Conflict(
                    key,
                    f"{metric} for a {task} target",
                    f"one of {', '.join(METRICS[task])}",
                    "Take another metric, or change goal.target.task.",
                )
    if goal.heuristic is None:
        yield from _no_rules(tuning, evaluation)
    if tuning.families == "auto":
        return
    opaque = [name for name in tuning.families if name not in INTERPRETABLE]
    if constraints.interpretable and opaque:
        yield Conflict(
            "tuning.families",
            f"{', '.join(opaque)} with constraints.interpretable: true",
            f"some of {', '.join(sorted(INTERPRETABLE))}",
            "Take them out, or set interpretable: false.",
        )
    for baseline, least in evaluation.beat.items():
        if tuning.families == (baseline,) and least > 0:
            yield Conflict(
                f"evaluation.beat.{baseline}",
                f"a model that has to beat {baseline}, searched among {baseline} alone",
                "another family in tuning.families",
                "Add a family, or take the baseline out.",
            )


def _no_rules(tuning: Tuning, evaluation: Evaluation) -> Iterator[Conflict]:
    for key, names in (("tuning.families", tuning.families), ("evaluation.beat", evaluation.beat)):
        if "heuristic" in names:
            yield Conflict(
                key,
                "heuristic, but goal.heuristic gives no rules",
                "goal.heuristic, or families without it",
                "Write in goal.heuristic what a person would go by, or take it out.",
            )


def of_window(data: Data, runtime: Runtime) -> Iterator[Conflict]:
    """A window that goes by age where nothing says how old a row is."""
    window, span = runtime.window, None
    if isinstance(window, Decay):
        key, span = "half_life", window.half_life
    elif isinstance(window, Last) and isinstance(window.last, str):
        key, span = "last", window.last
    if span is not None and data.time is None:
        yield Conflict(
            f"runtime.window.{key}",
            f"{span}, but data.time names no column",
            "data.time, which says how old a row is",
            "Name the time column in data.time, or take `all` or a number of rows.",
        )


def of_sought(goal: Goal, deployment: Deployment) -> Iterator[Conflict]:
    """Something that waits for a truth which never comes."""
    if (sought := goal.target.sought) and deployment.canary:
        yield Conflict(
            "deployment.canary",
            f"a canary for {sought.things} that are found ({sought.where})",
            "none, since no truth comes that could tell which release is better",
            "Take it out.",
        )


def of_growth(data: Data) -> Iterator[Conflict]:
    """A source that cannot grow, or of which nothing tells what is new."""
    source, watermark = data.source, data.watermark
    if watermark is not None and not (data.grows and isinstance(source, SqlSource)):
        yield Conflict(
            "data.watermark",
            f"{watermark} for a source of kind {source.kind}, grows: {str(data.grows).lower()}",
            "a query that grows",
            "Take watermark out, or set grows: true for a source of kind sql.",
        )
    if not data.grows:
        return
    if isinstance(source, ExcelSource | PythonSource):
        yield Conflict(
            "data.grows",
            f"true for a source of kind {source.kind}",
            "kind csv, jsonl, parquet, delta or sql",
            "Take grows out (all rows are read each time), or write the rows as one of these.",
        )
    if isinstance(source, SqlSource) and watermark is None:
        yield Conflict(
            "data.watermark",
            "none for a query that grows",
            "a column that says which rows are new",
            "Name one that only goes up, such as a row's number or when it was written.",
        )
    if isinstance(source, DeltaSource) and source.version is not None:
        yield Conflict(
            "data.source.version",
            f"{source.version} of a table that grows",
            "no version, which means the newest",
            "Take version out, or grows.",
        )
    if isinstance(source, CsvSource) and not _bytewise(source.encoding):
        yield Conflict(
            "data.source.encoding",
            f"{source.encoding} for a file that grows",
            "utf-8, or an encoding of one byte a character",
            "Write the file as utf-8, or take grows out.",
        )


def _bytewise(encoding: str) -> bool:
    """Whether a comma, a quote and a line end are one byte each, wherever they stand."""
    if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
        return True
    shift = b"\x1b$B!!"  # two bytes a character from here on, where an encoding has states
    letters = (bytes(range(256)) + shift).decode(encoding, "replace")
    return len(letters) == 261 and letters[:128].encode("ascii", "replace") == bytes(range(128))


def _misplaced(key: str, target: str) -> Conflict:
    return Conflict(
        key,
        f"the target {target}",
        "other columns only",
        f"Take {target} out; the target is never a feature, a key or a slice.",
    )
