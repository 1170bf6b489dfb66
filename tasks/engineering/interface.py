"""The raw columns in and the answer out, as the training rows show them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from charter import Charter
from serving.signature import Input, Kind, Signature
from tasks.engineering.choice import KINDS
from tasks.explore import Profile
from tasks.protection.found import decided
from tasks.split import Training

LEVELS = 200
"""Most levels of one text that the signature lists."""


def signature(
    charter: Charter, training: Training, kinds: Iterable[tuple[str, Kind]], X: pd.DataFrame | None
) -> Signature:
    """Inputs in the order given; with what `X` (packed training rows) shows, where there is one."""
    say = charter.experience.say
    return Signature(
        project=charter.name,
        target=training.target,
        task=training.task,
        classes=training.classes,
        say={label: say[label] for label in training.classes if label in say},
        inputs=tuple(
            Input(name=name, kind=kind) if X is None else _seen(name, kind, X[name])
            for name, kind in kinds
        ),
    )


def carried(charter: Charter, profile: Profile, names: Iterable[str]) -> tuple[Input, ...]:
    """What clients may send along of the columns that are no inputs.

    The key, the time, groups, slices, what is sensitive (the monitor compares by it), and whatever the next training may take after all: a column
    left out of the journal would be missing in every row that comes back from run time. What is
    known only later, or is to be ignored, or holds personal data that nobody declared, stays out.
    """
    found = decided(charter.name)
    roles = {name: profile.column(name).role for name in names}
    return tuple(
        Input(name=name, kind=KINDS.get(role, "text"))
        for name, role in roles.items()
        if name not in charter.data.known_later
        and name not in found
        and (role != "ignore" or name in charter.fairness.sensitive)
    )


def _seen(name: str, kind: Kind, column: pd.Series) -> Input:
    if kind == "text":
        counts = column[column.ne("")].value_counts()
        ordered = sorted(counts.items(), key=lambda level: (-level[1], str(level[0])))
        levels = tuple(str(level) for level, _ in ordered[:LEVELS])
        return Input(name=name, kind=kind, levels=levels, example=levels[0] if levels else None)
    known = column.dropna().to_numpy()
    if not len(known):
        return Input(name=name, kind=kind)
    middle = float(np.quantile(known, 0.5, method="lower"))  # a value that really occurs
    return Input(
        name=name,
        kind=kind,
        low=float(known.min()),
        high=float(known.max()),
        example=_example(kind, middle),
    )


def _example(kind: Kind, value: float) -> str | float | bool:
    if kind == "flag":
        return bool(value)
    if kind == "time":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
        return moment.isoformat().replace("+00:00", "Z")
    return value
