"""Planted personal data are found, innocent columns are not, and each action does what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from charter import Refusal
from serving.home import home
from serving.pseudonyms import pseudonyms
from tasks.ingest import ingest
from tasks.protection.found import decided, in_words
from tasks.protection.given_names import GIVEN
from tasks.protection.recognisers import RECOGNISERS
from tasks.protection.scan import BY_NAME, Find, Scanner
from tests.tasks.persons import KEY, charter, person, rows, write
from tests.tasks.planted_persons import KINDS, plain, planted

MANY = 1_000


@pytest.fixture(autouse=True)
def _own(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERENNIAL_KEY", KEY)


def finds(**columns: object) -> tuple[Find, ...]:
    batch = pa.record_batch({name: pa.array(values) for name, values in columns.items()})
    scanner = Scanner(columns)
    scanner.look(batch)
    return scanner.finds()


@pytest.mark.parametrize("kind", KINDS)
def test_planted_texts_are_found(kind: str) -> None:
    texts = [planted(kind, Random(n)) for n in range(MANY)]
    known = [one for one in RECOGNISERS if one.kind == kind]
    missed = [text for text in texts if not any(one.holds(text) for one in known)]
    assert len(missed) <= 0.05 * MANY, missed[:5]
    (found,) = finds(note=texts)
    assert found.kind == kind
    assert found.share >= 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_in_a_hundred_are_enough(kind: str) -> None:
    draw = Random(1)
    texts = [planted(kind, draw) if n % 50 == 0 else plain(draw) for n in range(MANY)]
    (found,) = finds(note=texts)
    assert found.kind == kind
    assert found.rows in (19, 20)


def _innocent() -> Iterator[tuple[str, list[str]]]:
    draw = Random(2)
    dates = [
        (draw.randrange(1990, 2030), draw.randrange(1, 13), draw.randrange(1, 29))
        for _ in range(MANY)
    ]
    yield "dates", [f"{year}-{month:02}-{day:02}T04:05:06.123456Z" for year, month, day in dates]
    yield "other_dates", [f"{day:02}/{month:02}/{year}" for year, month, day in dates]
    yield "cards", [str(draw.randrange(10**15, 10**16)) for _ in range(MANY)]
    yield "serials", [f"{draw.randrange(10**9, 10**10)}" for _ in range(MANY)]
    yield "tails", [f"N{draw.randrange(100, 99999)}" for _ in range(MANY)]
    yield (
        "books",
        [f"978-0-{draw.randrange(10, 99)}-{draw.randrange(10**5, 10**6)}-7" for _ in range(MANY)],
    )
    yield (
        "places",
        [f"{draw.uniform(-90, 90):.6f},{draw.uniform(-90, 90):.6f}" for _ in range(MANY)],
    )
    yield "uuids", [f"{draw.getrandbits(128):032x}" for _ in range(MANY)]
    yield (
        "versions",
        [f"{draw.randrange(9)}.{draw.randrange(20)}.{draw.randrange(9)}" for _ in range(MANY)],
    )
    yield "notes", [plain(draw) for _ in range(MANY)]


@pytest.mark.parametrize(("name", "texts"), list(_innocent()), ids=[one for one, _ in _innocent()])
def test_innocent_columns_are_let_alone(name: str, texts: list[str]) -> None:
    assert [one for one in finds(**{name: texts}) if one.share > 0.01] == []


def test_districts_that_are_called_after_people_are_no_names() -> None:
    towns = ["Martin Heights", "Cedar Riverside", "Whittier", "Scott Park", "Northrop"] * 200
    assert finds(district=towns) == ()
    (people,) = finds(driver=[planted("name", Random(n)) for n in range(MANY)])
    assert people.kind == "name"


def test_names_of_columns_tell() -> None:
    sure = finds(
        firstName=[f"Ö{n}" for n in range(5)], date_of_birth=list(range(5)),
        **{"E-Mail": ["-", "?", "+", "!", "*"]}, customer_id=[7] * 5, weight=[1] * 5,
        street=["paved", "gravel", "paved", "paved", "gravel"],
    )  # fmt: skip
    assert {(one.column, one.kind, one.sure) for one in sure} == {
        ("firstName", BY_NAME, True), ("date_of_birth", BY_NAME, True), ("E-Mail", BY_NAME, True),
        ("customer_id", BY_NAME, False), ("street", BY_NAME, False),
    }  # fmt: skip
    assert in_words(sure[:1]) == f"{sure[0].column} (by its name)"


def noted(folder: Path, every: int) -> None:
    draw = Random(3)
    people = [
        person(n, note=planted("email", draw) if n % every == 0 else plain(draw))
        for n in range(1, 201)
    ]
    write(folder / "persons.csv", people)


def everything() -> str:
    """Every Parquet file under the root."""
    tables = (pq.read_table(path).to_pylist() for path in home().rglob("*.parquet"))
    return json.dumps(list(tables), default=str)


def test_undeclared_finds_are_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    noted(tmp_path, 10)
    with pytest.raises(Refusal, match=r"mail \(email in 100.0% .*note \(email in 10.0%") as caught:
        ingest(charter(tmp_path))
    assert "privacy.cleared" in str(caught.value)
    assert "@" not in everything()
    told: dict[str, Any] = {"identifiers": ["mail"]}
    assert ingest(charter(tmp_path, **told, found={"share": 0.1})).table.rows == 200
    assert ingest(charter(tmp_path, **told, cleared=["note"])).table.rows == 200
    noted(tmp_path, 500)
    assert ingest(charter(tmp_path, **told)).table.rows == 200


@pytest.mark.parametrize("action", ["drop", "mask", "hash"])
def test_finds_become_what_the_charter_says(tmp_path: Path, action: str) -> None:
    noted(tmp_path, 10)
    told = charter(tmp_path, identifiers=["mail"], found={"action": action})
    ingested = ingest(told)
    assert decided("persons") == {"note": action}
    kept = rows(ingested.table)
    assert "@" not in everything()  # nor in the version before
    if action == "drop":
        assert "note" not in kept[0]
    elif action == "mask":
        assert sum("[email]" in row["note"] for row in kept) == 20
        assert plain(Random(0)) != kept[0]["note"]
    else:
        texts = [line.split(",")[-1] for line in (tmp_path / "persons.csv").read_text().split("\n")]
        assert kept[9]["note"] == pseudonyms("persons").of("note", texts[10].strip())
    assert ingest(told) == ingested
    assert ingest(charter(tmp_path, identifiers=["mail"], cleared=["note"])).table.rows == 200
    assert decided("persons") == {}


def test_what_is_kept_of_a_scan_goes_on_and_names_nobody() -> None:
    people = [f"{one} Bergman" for one in GIVEN[:40]]
    first, same = Scanner(["who"]), Scanner(["who"])
    first.look(pa.record_batch({"who": people[:1] * 9}))
    assert first.finds() == ()  # one name is no column of names
    kept = json.dumps(first.looks)
    assert not any(word in kept for name in people for word in name.split())
    assert all(len(mark) == 1 for mark in first.looks["who"]["texts"]["name"])
    again = Scanner(["who"], json.loads(kept))
    again.look(pa.record_batch({"who": people[:1] * 9}))
    assert again.finds() == ()  # the same one, once more
    again = Scanner(["who"], json.loads(kept))
    again.look(pa.record_batch({"who": people}))
    assert [(one.kind, one.rows) for one in again.finds()] == [("name", 49)]
    same.look(pa.record_batch({"who": people}))
    assert [one.kind for one in same.finds()] == ["name"]
