"""What is to be predicted: the task, the classes and their order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from charter import Charter, Refusal
from charter.goal import COSTS, Label, Task
from charter.heuristic import spoken
from tasks.exploration.store import Field, Store, as_label
from tasks.nearest import suggestion

WHERE = "charter.goal.target"
MOST_CLASSES = 100
MOST_CODES = 10
AFFIRMATIVE = {"true": (), "yes": (), "positive": (), "1": ("0", "-1"), "y": ("n",), "t": ("f",)}
"""Labels that mean yes, the short ones only beside one of these."""
NEGATIVE = ("false", "no", "0", "n", "f", "negative")


@dataclass(frozen=True)
class Truth:
    """The target as it is learnt."""

    field: Field
    task: Task
    classes: tuple[str, ...]
    """Two classes: negative, positive. Empty for numbers."""
    counts: tuple[int, ...]
    """Rows per class."""
    missing: int
    """Rows without a target."""
    read_off: bool
    """Whether the task was read off the values, and not said by the charter."""


def read_target(charter: Charter, store: Store) -> Truth:
    """Resolve `goal.target`; refuses what cannot be learnt, with the remedy."""
    field = store.field(charter.goal.target.column)
    filled, distinct = store.one(f"SELECT count({field.at}), count(DISTINCT {field.at}) FROM data")
    _varies(field, store.rows, filled, distinct)
    task = _task(charter, field, store, distinct)
    classes, counts = _classes(charter, field, store, task)
    _costs(charter, task, classes)
    _words(charter, task, classes)
    said = charter.goal.target.task != "auto"
    return Truth(field, task, classes, counts, store.rows - filled, not said)


def counted(truth: Truth, store: Store) -> Truth:
    """The same task and classes with the rows of this store."""
    field = store.field(truth.field.name)
    (filled,) = store.one(f"SELECT count({field.at}) FROM data")
    counts = dict(_counts(field, store)) if truth.classes else {}
    return replace(
        truth,
        field=field,
        counts=tuple(counts.get(name, 0) for name in truth.classes),
        missing=store.rows - filled,
    )


def known_target(charter: Charter, names: list[str]) -> None:
    """Refuse a target that is no column of the table."""
    name = charter.goal.target.column
    if name not in names:
        raise Refusal(
            f"{WHERE}.column",
            f"found no column {name} in the table",
            "wanted the column that holds the truth",
            f"{suggestion(name, names)} Or make it with goal.target.derive.",
        )


def _varies(field: Field, rows: int, filled: int, distinct: int) -> None:
    if filled == 0:
        raise Refusal(
            f"{WHERE}.column",
            f"found {field.name} missing in all {rows:,} rows",
            "wanted rows with a known truth",
            "Name the column that holds the truth, or correct goal.target.derive.",
        )
    if distinct < 2:
        raise Refusal(
            f"{WHERE}.column",
            f"found the same value of {field.name} in all {filled:,} rows that have one",
            "wanted at least two different values, or there is nothing to learn",
            "Take rows of other periods or places in, or correct goal.target.derive.",
        )


def _task(charter: Charter, field: Field, store: Store, distinct: int) -> Task:
    said = charter.goal.target.task
    if field.kind == "time":
        raise _misfit(field, "times", "a number, a flag or texts", "Derive a number from it.")
    if said == "regression" and field.kind != "number":
        raise _misfit(field, f"{field.kind}s", "numbers", "Set task to auto, or derive a number.")
    if said == "regression":
        return "regression"
    if said == "binary" and distinct != 2:
        raise _misfit(field, f"{distinct:,} different values", "two", "Set task to multiclass.")
    if said == "multiclass" and distinct == 2:
        raise _misfit(field, "two different values", "more than two", "Set task to binary.")
    task = said if said != "auto" else guessed(charter, field, store, distinct)
    if task == "multiclass" and distinct > MOST_CLASSES:
        raise _misfit(
            field,
            f"{distinct:,} different values",
            f"at most {MOST_CLASSES} classes",
            "Derive coarser classes with goal.target.derive, or predict a number.",
        )
    return task


def guessed(charter: Charter, field: Field, store: Store, distinct: int) -> Task:
    """Two values: binary. Texts, and numbers declared a category: multiclass. Whole numbers that
    count through from 0 or 1 to at most 10 values are read as codes of classes; every other number
    is a number. `goal.target.task` overrules."""
    if distinct == 2:
        return "binary"
    declared = charter.data.columns.get(field.name)
    if field.kind == "text" or (declared is not None and declared.role == "category"):
        return "multiclass"
    low, high = store.one(f"SELECT min({field.at}), max({field.at}) FROM data")
    codes = low in (0, 1) and high - low + 1 == distinct and distinct <= MOST_CODES
    return "multiclass" if codes and field.whole else "regression"


def _misfit(field: Field, found: str, wanted: str, remedy: str) -> Refusal:
    return Refusal(f"{WHERE}.task", f"found {found} in {field.name}", f"wanted {wanted}", remedy)


def _classes(
    charter: Charter, field: Field, store: Store, task: Task
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if task == "regression":
        return (), ()
    counts = dict(_counts(field, store))
    names = list(counts)
    if task == "binary":
        positive = _positive(charter.goal.target.positive, counts)
        names = [*(name for name in names if name != positive), positive]
    return tuple(names), tuple(counts[name] for name in names)


def _counts(field: Field, store: Store) -> list[tuple[str, int]]:
    """Each label and its rows, in the order of the values."""
    found = store.rows_of(
        f"SELECT {as_label(field)} AS label, count(*) FROM data WHERE {field.at} IS NOT NULL "
        f"GROUP BY label ORDER BY min({field.at})"
    )
    return [(str(name), int(rows)) for name, rows in found]


def _positive(said: Label | None, counts: dict[str, int]) -> str:
    """The charter's label; else the affirmative one."""
    return affirmative(counts) if said is None else _said(said, list(counts))


def affirmative(counts: dict[str, int]) -> str:
    """Of two labels with their rows the one that means yes, the rarer one, or the later one."""
    names = list(counts)
    folded = {name.casefold(): name for name in names}
    for word, beside in AFFIRMATIVE.items():
        if word in folded and (not beside or any(other in folded for other in beside)):
            return folded[word]
    return min(reversed(names), key=lambda name: counts[name])


def _said(said: Label, names: list[str]) -> str:
    words = [spoken(said)]
    if isinstance(said, bool):  # YAML reads yes and no as true and false
        words += AFFIRMATIVE if said else NEGATIVE
    for word in words:
        found = [name for name in names if name == word] or [
            name for name in names if isinstance(said, bool) and name.casefold() == word
        ]
        if len(found) == 1:
            return found[0]
    raise Refusal(
        f"{WHERE}.positive",
        f"found {spoken(said)}, which no row has",
        f"wanted one of {', '.join(names)}",
        suggestion(spoken(said), names),
    )


def _costs(charter: Charter, task: Task, classes: tuple[str, ...]) -> None:
    for name in charter.goal.cost.given:
        if name not in COSTS[task]:
            raise Refusal(
                f"charter.goal.cost.{name}",
                f"found a cost that a {task} target has not",
                f"wanted {' or '.join(COSTS[task])}",
                "Take it out, or set goal.target.task.",
            )
    _known("charter.goal.cost.missed", charter.goal.cost.missed, classes)


def _words(charter: Charter, task: Task, classes: tuple[str, ...]) -> None:
    if task != "regression":
        _known("charter.experience.say", charter.experience.say, classes)


def _known(where: str, named: dict[str, float] | dict[str, str], classes: tuple[str, ...]) -> None:
    for name in named:
        if name not in classes:
            raise Refusal(
                f"{where}.{name}",
                f"found the class {name}, which no row has",
                f"wanted one of {', '.join(classes)}",
                suggestion(name, classes),
            )
