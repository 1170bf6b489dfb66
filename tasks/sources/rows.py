"""From raw batches to rows: every column one type, by role or by its values, all casts checked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from charter import Refusal
from charter.data import Role
from tasks.sources.base import BATCH_ROWS, Raw, Source
from tasks.sources.growth import Further, Held
from tasks.sources.guess import Guess
from tasks.sources.plans import Fit, Plan, absent, again, checked, kept, plan
from tasks.sources.refused import Refused
from tasks.sources.texts import Reading
from tasks.sources.types import is_text, settle, settled

CORES = os.cpu_count() or 1
Roles = Mapping[str, Role | None]


@dataclass(frozen=True)
class Rows:
    """A source as the lake takes it."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    """Rows in the order of the source, at most BATCH_ROWS per batch; goes by once."""
    columns: tuple[str, ...]
    """Every column of the source, those that are ignored included."""


def rows(
    source: Source, roles: Roles, room: Path, refused: Refused,
    held: Held | None = None, before: int = 0,
) -> Rows:  # fmt: skip
    """Open the source: one pass over its texts to learn their types, one to give the rows.

    A row with a cell that does not fit its declared role goes to `refused`. `held`: the rows get the
    types of the table that they are added to, and one that does not fit them is refused too;
    `before` of the source's rows came before these.
    """
    if before:
        refused = Further(refused, before)
    raw = source.raw(room, refused)
    plans = _new(source, raw, roles) if held is None else _as_held(source, raw, held)
    schema = pa.schema([(plan.name, plan.type) for plan in plans])
    return Rows(schema, _given(source, raw, plans, schema, refused), tuple(raw.schema.names))


def _new(source: Source, raw: Raw, roles: Roles) -> list[Plan]:
    """The types that the values themselves have."""
    guesses = _guessed(source, raw, roles)
    return [
        plan(source, field, roles.get(field.name), guesses.get(field.name))
        for field in raw.schema
        if not (roles.get(field.name) == "ignore" and settled(field.type) is None)
    ]


def _as_held(source: Source, raw: Raw, held: Held) -> list[Plan]:
    """The types of the table, whatever the new values could be too."""
    held.check_new(raw.schema.names)
    return [
        kept(source, field, raw.schema.field(field.name), raw, held)
        if field.name in raw.schema.names
        else absent(field)
        for field in held.schema
    ]


def _guessed(
    source: Source, raw: Raw, roles: Roles
) -> dict[str, tuple[Reading, Callable[[pa.Array], Fit]]]:
    """The meaning of each column of texts that has one, and how they are read."""
    guesses = [
        Guess(field.name, roles.get(field.name), raw.readings(field.name))
        for field in raw.schema
        if is_text(field.type)
    ]
    if any(guess.open for guess in guesses):
        with ThreadPoolExecutor(CORES) as pool:  # Arrow works beside Python
            for batch in raw.batches():
                looking = [guess for guess in guesses if guess.open]
                texts = (batch.column(guess.name) for guess in looking)
                for _ in pool.map(_look, looking, texts):
                    pass
    readings = ((guess, guess.reading(source.where)) for guess in guesses)
    return {
        guess.name: (reading, again(reading) if guess.fits else checked(reading))
        for guess, reading in readings
        if reading is not None
    }


def _look(guess: Guess, texts: pa.Array) -> None:
    guess.look(settle(texts, pa.string()))


def _given(
    source: Source, raw: Raw, plans: list[Plan], schema: pa.Schema, refused: Refused
) -> Iterator[pa.RecordBatch]:
    start = 0
    for whole in raw.batches():
        for offset in range(0, whole.num_rows, BATCH_ROWS):
            batch = whole.slice(offset, BATCH_ROWS)
            made = [_made(source, batch, plan) for plan in plans]
            shaped = pa.RecordBatch.from_arrays([values for values, _ in made], schema=schema)
            misfits = {
                plan.name: ~fits
                for plan, (_, fits) in zip(plans, made, strict=True)
                if fits is not None
            }
            if misfits:
                wrong = np.logical_or.reduce(list(misfits.values()))
                for row in np.flatnonzero(wrong):
                    _refuse(raw, batch, int(row), start, plans, misfits, refused)
                shaped = shaped.filter(pa.array(~wrong))
            start += batch.num_rows
            if shaped.num_rows:
                yield shaped


def _made(source: Source, batch: pa.RecordBatch, plan: Plan) -> Fit:
    if (at := batch.schema.get_field_index(plan.name)) < 0:
        return pa.nulls(batch.num_rows, plan.type), None
    column = batch.column(at)
    try:
        return plan.make(column)
    except pa.ArrowInvalid:  # its words quote the value, which may be a person's
        raise Refusal(
            f"{source.where}, column {plan.name}",
            f"found a value that {plan.type} cannot hold",
            f"wanted values of type {column.type} to survive as {plan.type}",
            f"Declare what it is: data.columns: {{{plan.name}: {{role: text}}}}.",
        ) from None


def _refuse(
    raw: Raw,
    batch: pa.RecordBatch,
    row: int,
    start: int,
    plans: list[Plan],
    misfits: dict[str, np.ndarray],
    refused: Refused,
) -> None:
    reasons = [
        f"{plan.name}: {plan.wanted}"
        for plan in plans
        if plan.name in misfits and misfits[plan.name][row]
    ]
    record = json.dumps(batch.slice(row, 1).to_pylist()[0], default=str, ensure_ascii=False)
    refused.add(raw.position(start + row), reasons, record, raw.place)
