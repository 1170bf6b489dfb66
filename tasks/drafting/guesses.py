"""What the columns may be for; every guess is shown to the user as a question."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime

from charter import Refusal
from tasks.drafting.facts import Fact, Looked, quoted
from tasks.drafting.persons import Persons, persons
from tasks.nearest import suggestion

TARGETS = (
    "target", "label", "class", "y", "outcome", "response", "churn", "churned", "fraud",
    "default", "survived", "converted", "approved", "result", "diagnosis", "price", "sale_price",
)  # fmt: skip
FEW = 20
"""Rows below which nothing is said of uniqueness."""


@dataclass
class Guesses:
    """The roles that the draft gives."""

    target: str
    target_why: str = ""
    """How the target was guessed; empty where it was given."""
    identifiers: list[str] = field(default_factory=list)
    key: str | None = None
    time: str | None = None
    holdout: str | None = None
    """Duration held out at the end, where the times allow a split."""
    copies: list[str] = field(default_factory=list)
    """Columns that tell the target exactly."""
    persons: Persons = field(default_factory=Persons)
    """Columns that may be about people."""


def guess(looked: Looked, target: str | None) -> Guesses:
    """Target, identifiers, key, time and copies; a target that cannot be is refused."""
    name, why = _target(looked, target)
    others = [fact for fact in looked.facts if fact.name != name]
    found = Guesses(name, why, persons=persons(looked, name))
    found.identifiers = [fact.name for fact in others if _names_rows(looked, fact)]
    named = [fact for fact in found.identifiers if _like_id(fact)]
    found.key = next(iter([*named, *found.identifiers]), None)
    times = [fact for fact in others if fact.kind == "time" and not fact.missing]
    for fact in sorted(times, key=_unlike_event):
        found.holdout = _holdout(looked, fact, name)
        if found.holdout:
            found.time = fact.name
            break
    apart = {found.time, *found.identifiers}
    found.copies = [
        fact.name for fact in others if fact.name not in apart and _tells(looked, fact, name)
    ]
    return found


def _target(looked: Looked, target: str | None) -> tuple[str, str]:
    names = [fact.name for fact in looked.facts]
    if target is not None and target not in names:
        raise Refusal(
            f"--target {target}",
            "found no such column",
            "wanted a column of the file",
            suggestion(target, names),
        )
    name, why = (target, "") if target else _likely(looked)
    fact = looked.fact(name)
    if fact.distinct < 2:
        raise Refusal(
            f"--target {name}",
            f"found {fact.distinct} different values in {looked.rows:,} rows",
            "wanted at least two, since there is nothing to tell apart",
            "Name another column with --target.",
        )
    return name, why


def _likely(looked: Looked) -> tuple[str, str]:
    plain = {re.sub(r"[\W_]+", "", fact.name).casefold(): fact.name for fact in looked.facts}
    for likely in TARGETS:
        if (name := plain.get(likely.replace("_", ""))) is not None:
            return name, "guessed by its name"
    return looked.facts[-1].name, "guessed, as it is the last column"


def _like_id(name: str) -> bool:
    return bool(re.search(r"(^|[_\W])(id|key|uuid|rownames|index|nr|no|number)$", _snake(name)))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _names_rows(looked: Looked, fact: Fact) -> bool:
    unique = fact.distinct == looked.rows and looked.rows >= FEW
    return unique and fact.kind in ("whole", "text")


def _unlike_event(fact: Fact) -> bool:
    return bool(re.search(r"birth|born|dob", fact.name, re.IGNORECASE))


def _holdout(looked: Looked, fact: Fact, target: str) -> str | None:
    """About the last fifth of the rows, if times are many, the end is no lump, and all is there."""
    low, high = fact.low, fact.high
    if fact.distinct < FEW or _unlike_event(fact):
        return None
    if not isinstance(low, datetime) or not isinstance(high, datetime):
        return None
    column, goal = quoted(fact.name), quoted(target)
    late = looked.number(f"SELECT epoch(quantile_disc({column}, 0.8)) FROM t")
    latest = looked.number(f"SELECT epoch(max({column})) FROM t")
    hours = max(1, math.ceil((latest - late) / 3_600))
    words = f"{math.ceil(hours / 24)}d" if hours > 48 else f"{hours}h"
    whole = 86_400 if words.endswith("d") else 3_600
    start = (latest // whole + 1) * whole - int(words[:-1]) * whole
    held = looked.number(f"SELECT avg((epoch({column}) >= {start})::INT) FROM t")
    kinds = looked.number(
        f"SELECT min(kinds) FROM (SELECT count(DISTINCT {goal}) AS kinds FROM t"
        f" GROUP BY epoch({column}) >= {start})"
    )
    wanted = min(2, looked.fact(target).distinct) if looked.fact(target).distinct > FEW else 0
    wanted = wanted or looked.fact(target).distinct
    return words if 0.05 <= held <= 0.5 and kinds >= wanted else None


def _tells(looked: Looked, fact: Fact, target: str) -> bool:
    """Whether each of few values goes with one value of the target only."""
    if not 2 <= fact.distinct <= min(50, looked.rows / FEW) or fact.missing:
        return False
    goal = looked.fact(target)
    if goal.kind == "number" and goal.distinct > FEW:
        return False
    column, truth = quoted(fact.name), quoted(target)
    mixed = looked.number(
        f"SELECT max(kinds) FROM (SELECT count(DISTINCT {truth}) AS kinds FROM t GROUP BY {column})"
    )
    return mixed <= 1
