"""Which columns become inputs, what each one is worth, and what was left out and why."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from charter import Charter, Frozen, Refusal, Verdict
from charter.heuristic import Heuristic
from serving.home import place
from serving.signature import Input, Kind, Signature
from tasks.explore import Profile
from tasks.progress import report
from tasks.protection.found import decided
from tasks.recipe.clock import Part
from tasks.split import Rows, Training, load_training
from tasks.splitting.searched import searched

if TYPE_CHECKING:
    import pandas as pd

    from tasks.engineering.choice import Choice

_log = logging.getLogger(__name__)

WAY = 2
"""Counts up when recipes are made in another way, so that old ones are made again."""


class Dropped(Frozen):
    """A column that is no input, and why."""

    column: str
    why: str


class Impact(Frozen):
    """What the metric loses when the column is permuted (Breiman, Random Forests, 2001)."""

    column: str
    mean: float
    low: float
    high: float


class PcaTrial(Frozen):
    """Whether principal components pay (explained either way)."""

    columns: tuple[str, ...]
    components: int
    kept: bool
    explanation: str


class Recipe(Frozen):
    """The inputs and how they are prepared; `tasks/recipe/` builds the steps from it."""

    project: str
    fingerprint: str
    signature: Signature
    calendar: tuple[str, ...] = ()
    """Inputs of kind time."""
    parts: dict[str, tuple[Part, ...]] = {}
    """For each input of kind time, the calendar parts that the training rows cover."""
    categories: int
    """Most levels of one category that get a column of their own."""
    dropped: tuple[Dropped, ...] = ()
    impact: tuple[Impact, ...] = ()
    """Largest first."""
    pca: PcaTrial | None = None
    heuristic: Heuristic | None = None
    """The charter's rules, where there are some and they can be followed."""
    verdicts: tuple[Verdict, ...] = ()
    page: str
    """The HTML page, relative to the root."""


def engineer(charter: Charter, training: Training, profile: Profile) -> Recipe:
    """Choose the inputs and measure their impact on training rows only; leaks are refused."""
    from tasks.engineering.report import write

    training = searched(charter, training)
    fingerprint = _fingerprint(charter, training, profile)
    note = place(f"recipes/{charter.name}/{fingerprint[:16]}.json")
    recipe = _known(note) or _made(charter, training, profile, fingerprint)
    write(recipe, training.metric)
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_name(f".{note.name}.{os.getpid()}")
    draft.write_text(recipe.model_dump_json())
    draft.replace(note)
    return recipe


def _known(note: Path) -> Recipe | None:
    try:
        return Recipe.model_validate_json(note.read_bytes())
    except (OSError, ValueError):
        return None


def _made(charter: Charter, training: Training, profile: Profile, fingerprint: str) -> Recipe:
    from tasks.engineering.choice import choose
    from tasks.engineering.probe import impact, sample
    from tasks.engineering.redundancy import pca_trial

    report("engineer", 0, 3, "choosing inputs")
    rows = load_training(training)
    choice = choose(charter, training, profile, rows.table.column_names)
    recipe, X = _recipe(charter, training, profile, choice, rows, fingerprint)
    some = sample(charter, training, rows, X)
    report("engineer", 1, 3, "trying principal components")
    recipe = recipe.model_copy(update={"pca": pca_trial(charter.features.pca, recipe, some)})
    report("engineer", 2, 3, "measuring the impact of each input")
    recipe = recipe.model_copy(update={"impact": impact(charter, recipe, some)})
    _log.info("%d inputs, %d columns left out", len(X.columns), len(recipe.dropped))
    return recipe.model_copy(update={"verdicts": _verdicts(charter, recipe)})


def _recipe(
    charter: Charter,
    training: Training,
    profile: Profile,
    choice: Choice,
    rows: Rows,
    fingerprint: str,
) -> tuple[Recipe, pd.DataFrame]:
    """The inputs without their worth, and the packed training rows."""
    from tasks.engineering.almanac import TIMELESS, covered
    from tasks.engineering.heuristic import followed
    from tasks.engineering.interface import carried, signature
    from tasks.engineering.values import objections
    from tasks.recipe.inputs import frame
    from tasks.splitting.sides import moments

    kinds = [(candidate.name, candidate.kind) for candidate in choice.candidates]
    X = frame(signature(charter, training, kinds, None), rows.table)
    name = training.time
    order = moments(rows.table.column(name), name) if name else None
    dropped = choice.dropped | objections(choice.candidates, X, order)
    times = [name for name, kind in kinds if kind == "time" and name not in dropped]
    parts = {name: covered(X[name].to_numpy()) for name in times}
    dropped |= {name: TIMELESS for name in times if not parts[name]}
    kept = [(name, kind) for name, kind in kinds if name not in dropped]
    _something(kept, dropped)
    rules = followed(charter, signature(charter, training, kept, None), dropped)
    X = X.drop(columns=[name for name in X.columns if name in dropped])
    along = carried(charter, profile, [name for name in rows.table.column_names if name in dropped])
    recipe = Recipe(
        project=charter.name,
        fingerprint=fingerprint,
        signature=signature(charter, training, kept, X).model_copy(
            update={"carried": along, "hashed": _hashed(charter, along)}
        ),
        calendar=tuple(name for name, kind in kept if kind == "time"),
        parts={name: found for name, found in parts.items() if found},
        categories=charter.features.categories,
        heuristic=rules,
        dropped=tuple(
            Dropped(column=name, why=dropped[name])
            for name in rows.table.column_names
            if name in dropped
        ),
        page=f"pages/{charter.name}/recipe.html",
    )
    return recipe, X


def _hashed(charter: Charter, along: tuple[Input, ...]) -> tuple[str, ...]:
    """Which of the columns that clients send along name persons."""
    return tuple(one.name for one in along if one.name in charter.privacy.identifiers)


def _something(kept: list[tuple[str, Kind]], dropped: dict[str, str]) -> None:
    if not kept:
        raise Refusal(
            "charter.features",
            "found no column that can be an input: "
            + "; ".join(f"{name}: {why}" for name, why in dropped.items()),
            "wanted at least one",
            "Look at features.drop, data.known_later and the roles in data.columns.",
        )


def _verdicts(charter: Charter, recipe: Recipe) -> tuple[Verdict, ...]:
    later = charter.data.known_later
    matters = [one.column for one in recipe.impact if one.low > 0]
    told = ", ".join(matters[:5]) + (" and others" if len(matters) > 5 else "")
    return (
        Verdict(
            gate="data.known_later",
            passed=True,
            message=(
                f"{', '.join(later)}: known only later, so no inputs; no input looks like one."
                if later
                else "No column is declared known only later, and no input looks like one."
            ),
        ),
        Verdict(
            gate="features",
            passed=bool(matters),
            level="warn",
            message=f"{len(matters)} of {len(recipe.signature.inputs)} inputs are surely worth "
            f"something: {told}."
            if matters
            else "No single input is surely worth something on later training rows.",
            numbers={one.column: one.mean for one in recipe.impact[:10]},
        ),
    )


def _fingerprint(charter: Charter, training: Training, profile: Profile) -> str:
    """Of the training rows and of every clause that is read here."""
    said = [
        WAY,
        training.model_dump(mode="json"),
        profile.fingerprint,
        charter.features.model_dump(mode="json"),
        charter.data.model_dump(mode="json"),
        charter.goal.model_dump(mode="json"),
        charter.experience.say,
        charter.evaluation.folds,
        charter.evaluation.seed,
        sorted(charter.privacy.barred.items()),
        charter.fairness.sensitive,
        charter.fairness.at_prediction,
        decided(charter.name),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
