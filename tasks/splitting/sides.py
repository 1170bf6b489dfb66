"""Which rows are held out: by time, at random, by group."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import singledispatch

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Refusal
from charter.evaluation import AtRandom, ByGroup, ByTime, ByValue
from serving.values import Unfit, text

HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True)
class Sides:
    """One decision per row, and the rule in words."""

    held: np.ndarray
    """bool, shape (rows,); False where the row cannot be placed."""
    placed: np.ndarray
    """bool, shape (rows,)."""
    unplaced: str
    """Why a row cannot be placed."""
    rule: str


@dataclass(frozen=True)
class Facts:
    """What a rule needs to know of the rows; arrays of shape (rows,)."""

    known: np.ndarray
    """Which rows have a label; bool."""
    column: pa.ChunkedArray | None
    """Times or groups."""
    identity: Callable[[], np.ndarray]
    """A number per row that hangs on the row's values and the seed only; uint64."""
    labels: np.ndarray | None
    """Codes of the classes, to stratify by; None for numbers."""
    seed: int
    time: str | None = None


@singledispatch
def sides(rule: object, facts: Facts) -> Sides:
    """Place every row on one side, by the kind of the rule."""
    raise TypeError(f"no rule for {type(rule).__name__}")


@sides.register
def _by_time(rule: ByTime, facts: Facts) -> Sides:
    assert facts.column is not None
    seconds = moments(facts.column, facts.time or "")
    placed = ~np.isnan(seconds)
    usable = seconds[placed & facts.known]  # the newest rows may still wait for their labels
    latest = float(usable.max()) if len(usable) else 0.0
    amount, unit = int(rule.holdout[:-1]), rule.holdout[-1]
    whole = 3_600 if unit == "h" else 86_400  # whole days, so that no day stands on both sides
    start = (np.floor(latest / whole) + 1) * whole - amount * HOURS[unit] * 3_600
    held = placed & (np.nan_to_num(seconds, nan=-np.inf) >= start)
    return Sides(
        held, placed, f"{facts.time}: no time, neither earlier nor later",
        f"by time: the last {_spelled(amount, unit)}, from {_said(start)}",
    )  # fmt: skip


@sides.register
def _at_random(rule: AtRandom, facts: Facts) -> Sides:
    held = _lowest(facts.identity(), facts.labels, rule.holdout)
    within = ", stratified by class" if facts.labels is not None else ""
    words = f"at random: {rule.holdout:.4g} of the rows{within}, seed {facts.seed}"
    return Sides(held, np.ones(len(held), dtype=bool), "", words)


@sides.register
def _by_group(rule: ByGroup, facts: Facts) -> Sides:
    """Whole groups in the order of their hashes, until the share of rows is reached."""
    assert facts.column is not None
    names, codes = codes_of(facts.column)
    placed = codes >= 0
    order = np.argsort(hashed([str(name) for name in names], facts.seed), kind="stable")
    sizes = np.bincount(codes[placed], minlength=len(names))
    wanted, taken, groups = rule.holdout * placed.sum(), 0, []
    for group in order:
        if taken + sizes[group] / 2 <= wanted:
            groups.append(group)
            taken += int(sizes[group])
    held = placed & np.isin(codes, groups)
    words = f"by group: {len(groups)} of {len(names)} groups of {rule.column}, seed {facts.seed}"
    return Sides(held, placed, f"{rule.column}: no group, it may belong to either side", words)


@sides.register
def _by_value(rule: ByValue, facts: Facts) -> Sides:
    assert facts.column is not None
    names, codes = codes_of(facts.column)
    wanted = spelled(rule.holdout)
    held = np.isin(codes, [at for at, name in enumerate(names) if spelled(name) == wanted])
    words = f"by value: the rows with {rule.column} = {wanted}"
    return Sides(held, np.ones(len(held), dtype=bool), "", words)


def spelled(value: object) -> str:
    """A value as people write it in a charter: `true`, and `1` also for 1.0."""
    try:
        return text(value)
    except Unfit:
        return str(value)


def _lowest(identity: np.ndarray, labels: np.ndarray | None, share: float) -> np.ndarray:
    """The rows with the lowest numbers, the same share of each class; equal rows stay together."""
    held = np.zeros(len(identity), dtype=bool)
    for label in [None] if labels is None else np.unique(labels):
        mine = np.ones(len(identity), bool) if label is None else labels == label
        ordered = np.sort(identity[mine])
        count = round(len(ordered) * share)
        if count:
            held |= mine & (identity <= ordered[count - 1])
    return held


def hashed(texts: Iterable[str], seed: int) -> np.ndarray:
    """The first eight bytes of BLAKE2b of seed and text, the same on every machine; uint64."""
    keyed = hashlib.blake2b(key=str(seed).encode(), digest_size=8)
    digests = (
        _digest(keyed.copy(), text) for text in texts
    )  # a copy spares hashing the seed again
    return np.fromiter((int.from_bytes(digest) for digest in digests), dtype=np.uint64)


def _digest(keyed: hashlib.blake2b, text: str) -> bytes:
    keyed.update(text.encode("utf-8", "surrogatepass"))
    return keyed.digest()


def codes_of(column: pa.ChunkedArray) -> tuple[list[object], np.ndarray]:
    """Distinct values and each row's place among them, -1 where missing."""
    coded = pc.dictionary_encode(column).combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        return [], np.empty(0, dtype=np.int64)
    filled = pc.fill_null(coded.indices, -1)
    return coded.dictionary.to_pylist(), np.asarray(filled, dtype=np.int64)


def moments(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Seconds since 1970 as float64, NaN where missing; a column that is no time is refused."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise Refusal(
            "charter.data.time",
            f"found {name} with values of the type {column.type}",
            "wanted dates or times, since the split is by time",
            f"Give it a role in data.columns ({name}: {{role: time}}), name another column, or "
            "set evaluation.split to {by: random}.",
        )
    micros = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False)
    # A column with nulls becomes float64 with NaN.
    seconds: np.ndarray = micros.cast(pa.int64()).to_numpy().astype(np.float64) / 1e6
    return seconds


def _said(seconds: float) -> str:
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    if moment.time() == datetime.min.time():
        return date.isoformat(moment)[:10]
    return moment.isoformat(" ", "minutes")


def _spelled(amount: int, unit: str) -> str:
    word = {"h": "hour", "d": "day", "w": "week"}[unit]
    return f"{amount} {word}{'s' if amount > 1 else ''}"
