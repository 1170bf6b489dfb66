"""How often the monitor raises an alarm without drift, and how often it sees planted shifts.

    .venv/bin/python benchmarks/drift.py [--looks 300] [--rows 1000 100000 1000000]

Each look is a new world: a reference of 90 days with 36,000 rows and eight columns (numbers with
gaps, a flag, few and many categories), and a week of rows of the same world, or of one in which a
single column has shifted. `independent`: rows share nothing. `days`: the rows of a day share a
level that follows the level of the day before (correlation 0.5), as weather does.

`shifts` are looks in which any column is significant at the charter's false alarm rate; `alarms`
are those where the effect is large enough as well, which is what the monitor reports.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from charter.runtime import Drift
from tasks.monitoring import cells
from tasks.monitoring.counting import counted
from tasks.monitoring.days import DAY, blocks
from tasks.monitoring.drift import Finding, findings
from tasks.monitoring.reference import Counted, Counts
from tasks.monitoring.tally import Tally

DAYS, PER_DAY, WEEK = 90, 400, 7
WORDS = np.array([f"w{at}" for at in range(2_000)], dtype=object)
RARITY = 1 / np.arange(1, 2_001)

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """How strongly the rows of a day belong together."""

    name: str
    spread: float


WORLDS = (World("independent", 0.0), World("days", 0.25))


def levels(random: np.random.Generator, days: int, spread: float) -> np.ndarray:
    """One level per day and column, each following the day before."""
    found = np.empty((days, 4))
    now = random.normal(size=4)
    for day in range(days):
        now = 0.5 * now + np.sqrt(0.75) * random.normal(size=4)
        found[day] = spread * now
    return found


def rows(random: np.random.Generator, level: np.ndarray, count: int) -> tuple[Values, np.ndarray]:
    """`count` rows over the days of `level`, and the day of each."""
    day = np.sort(random.integers(len(level), size=count))
    mean = level[day]
    gone = random.random(count) < 0.1
    heat = random.normal(size=count) + mean[:, 0]
    return {
        "heat": heat,
        "gaps": np.where(gone, np.nan, random.normal(size=count) + mean[:, 1]),
        "long": np.exp(random.normal(size=count) + mean[:, 2]),
        "even": random.random(count),
        "whole": random.poisson(3, count).astype(float),
        "flag": (random.normal(size=count) + mean[:, 3] > 0.5).astype(float),
        "kind": WORDS[random.choice(5, count, p=[0.4, 0.3, 0.2, 0.07, 0.03])],
        "word": WORDS[np.searchsorted(_STEPS, random.random(count))],
    }, day


_STEPS = np.cumsum(RARITY / RARITY.sum())


def reference(values: Values, day: np.ndarray) -> Counts:
    """Counted as packaging counts the training rows."""
    block, names = blocks(day * DAY)
    columns = []
    for name, of in values.items():
        if of.dtype == object:
            cut = cells.cut_texts(of)
        else:
            cut = cells.cut_flags() if name == "flag" else cells.cut_numbers(of)
        matrix = counted(cut, of, block, len(names))
        columns.append(Counted(name=name, cells=cut, counts=tuple(map(tuple, matrix.tolist()))))
    return Counts(rows=len(day), days=names, columns=tuple(columns))


def _hotter(random: np.random.Generator, values: Values) -> Values:
    return {**values, "heat": values["heat"] + 0.5}


def _hot(random: np.random.Generator, values: Values) -> Values:
    return {**values, "heat": values["heat"] + 1.0}


def _spiked(random: np.random.Generator, values: Values) -> Values:
    return {
        **values,
        "even": np.where(random.random(len(values["even"])) < 0.2, 0.5, values["even"]),
    }


def _gone(random: np.random.Generator, values: Values) -> Values:
    gaps = np.where(random.random(len(values["gaps"])) < 0.1, np.nan, values["gaps"])
    return {**values, "gaps": gaps}


def _new(random: np.random.Generator, values: Values) -> Values:
    kind = values["kind"].copy()
    kind[random.random(len(kind)) < 0.05] = "never seen"
    return {**values, "kind": kind}


SHIFTS: dict[str, tuple[str, Callable[[np.random.Generator, Values], Values]]] = {
    "a number moves by half a standard deviation": ("heat", _hotter),
    "a number moves by a whole standard deviation": ("heat", _hot),
    "a fifth of a number becomes one value": ("even", _spiked),
    "a tenth of a number goes missing": ("gaps", _gone),
    "5 % of a category are a new value": ("kind", _new),
}


def look(
    seed: int,
    world: World,
    count: int,
    limit: Drift,
    shift: Callable[[np.random.Generator, Values], Values] | None = None,
) -> tuple[Finding, ...]:
    """One new world, and what the monitor finds in a week of it."""
    random = np.random.default_rng(seed)
    level = levels(random, DAYS + 1 + WEEK, world.spread)
    before = reference(*rows(random, level[:DAYS], DAYS * PER_DAY))
    tally = Tally(before)
    for start in range(0, count, 200_000):
        values, day = rows(random, level[-WEEK:], min(200_000, count - start))
        tally.add(shift(random, values) if shift else values, (DAYS + 1 + day) * DAY)
    return findings([(before, tally, "input")], limit)


def rate(world: World, count: int, looks: int, limit: Drift) -> dict[str, float]:
    """Shares of looks without drift."""
    shifts = alarms = 0
    smallest, largest = [], []
    for seed in range(looks):
        found = look(seed, world, count, limit)
        smallest.append(min(one.adjusted for one in found))
        largest.append(max(one.effect for one in found))
        shifts += smallest[-1] <= limit.false_alarm_rate
        alarms += any(one.shifted for one in found)
    return {
        "shifts": shifts / looks, "alarms": alarms / looks,
        "shifts at 5 %": float(np.mean(np.array(smallest) <= 0.05)),
        "shifts at 10 %": float(np.mean(np.array(smallest) <= 0.10)),
        "median of the largest effect": float(np.median(largest)),
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--looks", type=int, default=300)
    options.add_argument("--rows", type=int, nargs="*", default=[1_000, 100_000, 1_000_000])
    options.add_argument("--shifts", type=int, default=40, help="looks per planted shift")
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    limit, told = Drift(), []
    print(f"without drift, {asked.looks} looks each; stated rate {limit.false_alarm_rate:.0%}")
    for world in WORLDS:
        for count in asked.rows:
            began = time.monotonic()
            found = rate(world, count, asked.looks, limit)
            told.append({"world": world.name, "rows": count, **found})
            words = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
            each = (time.monotonic() - began) / max(1, asked.looks)
            print(f"{world.name:>12} {count:>9,} rows: {words} ({each:.2f} s a look)", flush=True)
    print(f"planted shifts, {asked.shifts} looks each: alarms on the shifted column")
    for words, (column, shift) in SHIFTS.items():
        for world in WORLDS:
            for count in asked.rows[:2]:
                looks = [look(seed, world, count, limit, shift) for seed in range(asked.shifts)]
                hits = [next(one for one in found if one.name == column) for found in looks]
                seen = float(np.mean([one.shifted for one in hits]))
                effect = float(np.median([one.effect for one in hits]))
                told.append({"shift": words, "world": world.name, "rows": count, "seen": seen})
                print(f"{seen:6.0%}  {words} ({world.name}, {count:,} rows, effect {effect:.2f})",
                      flush=True)  # fmt: skip
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
