"""What the data look like: one page for people, the same numbers for later stages."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from charter import Charter, Frozen, Refusal
from charter.goal import Task
from serving.home import place
from serving.signature import Kind
from tasks import lake, progress
from tasks.lake import Table
from tasks.nearest import suggestion

if TYPE_CHECKING:
    from tasks.exploration.columns import Content
    from tasks.exploration.findings import Findings

logger = logging.getLogger(__name__)

WAY = 2
"""Counts up when the numbers are made in another way, so that old profiles are made again."""


class ColumnProfile(Frozen):
    """One column, over the rows outside of the holdout, or the sample of them that was drawn."""

    name: str
    kind: Kind
    role: str
    """A charter role (charter.data.Role): declared in the charter, or guessed from the values."""
    missing_share: float
    distinct: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    """At 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99; seconds for times."""
    levels: tuple[tuple[str, int], ...] = ()
    """Most frequent values of texts, flags and numbers declared a category, with their counts, at
    most 64; none for identifiers and long texts."""
    target_strength: float | None = None
    """How well the column alone predicts the target, 0 (nothing) to 1 (everything); rows it is
    estimated on are never those it is judged on."""


class Suspect(Frozen):
    """A column that looks as if it were known only with the target."""

    column: str
    evidence: str
    """Sentences with the numbers, the strongest first."""
    strength: float


class Profile(Frozen):
    """What exploration found."""

    project: str
    fingerprint: str
    rows: int
    """Rows outside of the holdout; those in it are in custody, and nobody looked at them."""
    held: int = 0
    """Rows in the holdout, those without a label included."""
    shared: int = 0
    """Labelled rows of the holdout with a twin among those outside: the same inputs, but for the
    time."""
    task: Task
    classes: tuple[str, ...] = ()
    """Class labels as texts; two classes: negative, positive."""
    columns: tuple[ColumnProfile, ...]
    suspects: tuple[Suspect, ...] = ()
    page: str
    """The HTML page, relative to the root."""
    numbers: str
    """The JSON file with everything on the page, relative to the root."""

    def column(self, name: str) -> ColumnProfile:
        return next(column for column in self.columns if column.name == name)


def explore(charter: Charter, table: Table) -> Profile:
    """Profile every column over the rows outside of the holdout, and write the page.

    The same table and clauses give the same record, without looking again. Refuses a target that
    cannot be learnt, clauses about columns that are not there, and a split that cannot be made.
    """
    page = f"pages/{charter.name}/profile.html"
    numbers = f"pages/{charter.name}/profile.json"
    fingerprint = _fingerprint(charter, table)
    known = _known(place(numbers), fingerprint)
    if known is not None and place(page).exists():
        return known
    found = _look(charter, table)
    profile = Profile(
        project=charter.name,
        fingerprint=fingerprint,
        rows=found.outside,
        held=found.held,
        shared=found.twins.shared,
        task=found.truth.task,
        classes=found.truth.classes,
        columns=tuple(_column(content, found) for content in found.columns),
        suspects=tuple(
            Suspect(column=s.column, evidence=" ".join(s.sentences), strength=s.strength)
            for s in found.suspects
        ),
        page=page,
        numbers=numbers,
    )
    _keep(charter, table, profile, found)
    logger.info("%s: %d rows, %d columns", charter.name, found.outside, len(found.columns))
    return profile


def _look(charter: Charter, table: Table) -> Findings:
    from tasks.exploration.custody import custody
    from tasks.exploration.findings import findings
    from tasks.exploration.store import opened

    progress.report("explore", 0, 1, "which rows are held out")
    _known_columns(charter, lake.dataset(table).schema.names)
    truth, held = custody(charter, table)
    progress.report("explore", 0.05, 1, "reading the rows")
    with opened(table, charter.constraints.memory_gb, held) as store:
        return findings(charter, store, truth)


def _keep(charter: Charter, table: Table, profile: Profile, found: Findings) -> None:
    from tasks.exploration.numbers import everything
    from tasks.exploration.report import report
    from tasks.pages import keep

    keep(profile.page, report(charter, table, found))
    # Last, since this file says that both are there.
    text = json.dumps({"profile": profile.model_dump(mode="json"), **everything(found)}, indent=1)
    keep(profile.numbers, text)
    progress.report("explore", 1, 1, profile.page)


def _column(content: Content, found: Findings) -> ColumnProfile:
    return ColumnProfile(
        name=content.name,
        kind=content.field.kind,
        role=content.role,
        missing_share=content.missing / found.rows,
        distinct=content.distinct,
        low=content.low,
        high=content.high,
        mean=content.mean,
        std=content.std,
        quantiles=content.quantiles,
        levels=content.levels,
        target_strength=found.strength(content.name),
    )


def _fingerprint(charter: Charter, table: Table) -> str:
    """Of the table's version and of every clause that is read here."""
    clauses = [
        charter.goal.model_dump(mode="json"),
        charter.data.model_dump(mode="json"),
        charter.experience.say,
        charter.evaluation.slices,
        charter.split.model_dump(mode="json"),
        charter.evaluation.seed,
        charter.features.drop,
        charter.privacy.identifiers,
        charter.privacy.barred,
        charter.fairness.sensitive,
        charter.fairness.at_prediction,
    ]
    text = json.dumps([WAY, table.where, table.version, table.fingerprint, clauses])
    return hashlib.sha256(text.encode()).hexdigest()


def _known(path: Path, fingerprint: str) -> Profile | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["profile"]
    except (OSError, ValueError, KeyError):
        return None
    return Profile.model_validate(found) if found.get("fingerprint") == fingerprint else None


def _known_columns(charter: Charter, names: list[str]) -> None:
    """Refuse clauses about columns that the table does not have."""
    from tasks.exploration.target import known_target

    known_target(charter, names)
    data = charter.data
    said = [
        ("data.known_later", data.known_later),
        ("data.known_before", data.known_before),
        ("data.columns", tuple(data.columns)),
        ("data.key", data.key),
        ("data.time", (data.time,) if data.time else ()),
        ("features.drop", charter.features.drop),
        ("evaluation.slices", charter.evaluation.slices),
        ("fairness.sensitive", charter.fairness.sensitive),
    ]
    for where, columns in said:
        for column in columns:
            if column not in names:
                raise Refusal(
                    f"charter.{where}",
                    f"found {column}, which is no column of the table",
                    "wanted names of columns",
                    suggestion(column, names),
                )
