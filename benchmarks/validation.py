"""The whole suite over repeated flights with planted damage, beside DuckDB with the same row rules.

    .venv/bin/python -m benchmarks.validation [--rows 1000000 10000000] [--damage 0.01]

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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

from benchmarks.planted import KEY, KEY_REASON, damaged, flights, sql_rules, suite
from charter import Charter
from tasks import lake
from tasks.ingest import Ingested
from tasks.quarantine import Quarantine, quarantine, refused_rows

CHARTER = Charter.model_validate(
    {
        "name": "bench",
        "goal": {"target": {"column": "arr_delay"}},
        "constraints": {"memory_gb": 1.5},
        "data": {"source": {"kind": "csv", "path": "flights.csv"}, "key": KEY},
    }
)


def land(rows: int, share: float) -> tuple[Ingested, dict[int, tuple[str, ...]]]:
    """The damaged flights as `ingest` would land them, and the reasons that each row deserves."""
    plan: dict[int, tuple[str, ...]] = {}
    reader = pa.RecordBatchReader.from_batches(flights().schema, damaged(rows, share, plan))
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


def measured(side: str, ingested: Ingested) -> dict[str, Any]:
    """What the side says, from a process of its own, with the most memory that it held (GiB)."""
    asked = [sys.executable, "-m", "benchmarks.validation", "--side", side]
    return watched([*asked, ingested.model_dump_json()])


def watched(command: list[str], cwd: str | None = None, **variables: str) -> dict[str, Any]:
    """The JSON that a script of this checkout says last, and `gib`, the most memory that its process
    held with all that it started, looked at ten times a second."""
    house = str(Path(__file__).resolve().parents[1])
    here = {**os.environ, "PYTHONPATH": house, **variables}
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, env=here, stdout=said, cwd=cwd)
        peak = 0
        while child.poll() is None:
            peak = max(peak, held(child.pid))
            time.sleep(0.1)
        if child.returncode:
            raise SystemExit(f"{' '.join(command[2:5])} ended with {child.returncode}")
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
