"""Rows without consent stand nowhere, and no name of a person does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from charter import Refusal
from serving.home import home, place
from serving.pseudonyms import pseudonyms
from tasks.ingest import Ingested, ingest
from tasks.protect import Protected, protect
from tests.tasks import persons
from tests.tasks.persons import KEY, NEXT, charter, person, rows, write

CONSENT = {"column": "agreed", "withdrawn": "ended"}
NAMED: dict[str, Any] = {"identifiers": ["customer", "mail"]}


@pytest.fixture(autouse=True)
def _own(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    write(tmp_path / "persons.csv", map(person, range(1, 201)))


def taken(folder: Path, **privacy: Any) -> tuple[Ingested, Protected]:
    told = charter(folder, **privacy)
    ingested = ingest(told)
    return ingested, protect(told, ingested.table, ingested.barred)


def everything() -> bytes:
    """Every byte under the root; Parquet files as they are and decoded."""
    import pyarrow.parquet as pq

    found = []
    for path in home().rglob("*"):
        if path.is_file():
            found.append(path.read_bytes())
        if path.suffix == ".parquet":
            found.append(json.dumps(pq.read_table(path).to_pylist(), default=str).encode())
    return b"".join(found)


def test_only_rows_with_consent_are_stored_and_the_others_are_counted_by_reason(
    tmp_path: Path,
) -> None:
    ended = "2026-01-01T00:00:00Z"
    people = [person(n, **({"ended": ended} if n in (1, 2) else {})) for n in range(1, 201)]
    write(tmp_path / "persons.csv", people)
    ingested, found = taken(tmp_path, purpose="credit scoring", consent=CONSENT, cleared=["mail"])
    want = {"consent is refused": 20, "no consent is told": 17, "consent was withdrawn": 2}
    assert ingested.barred == found.barred == want
    assert found.table == ingested.table  # nothing is written twice
    assert len(rows(found.table)) == 200 - 39
    assert b"person10@example.org" not in everything()
    assert b"person3@example.org" in everything()
    (verdict,) = found.verdicts
    assert verdict.numbers == {"rows": 161, "without": 39}


def test_the_purpose_itself_and_other_words_can_mean_consent(tmp_path: Path) -> None:
    asks = {"column": "agreed", "given": ["no"]}
    _, found = taken(tmp_path, purpose="research", consent=asks, cleared=["mail"])
    assert found.table.rows == 20
    write(tmp_path / "persons.csv", [person(n, agreed="Research") for n in range(1, 30)])
    _, found = taken(tmp_path, purpose="research", consent={"column": "agreed"}, cleared=["mail"])
    assert found.table.rows == 29


def test_nobody_agreed(tmp_path: Path) -> None:
    write(tmp_path / "persons.csv", [person(n, agreed="no") for n in range(1, 30)])
    with pytest.raises(Refusal, match=r"consent is refused \(29\)") as caught:
        taken(tmp_path, purpose="credit scoring", consent=CONSENT)
    assert "agreed to: credit scoring" in str(caught.value)


def test_consent_from_a_list_and_withdrawn_later(tmp_path: Path) -> None:
    def listed(*withdrawn: int) -> None:
        ends = {n: "2026-03-01" if n in withdrawn else "" for n in range(1, 151)}
        people = [{"who": f"C{n:04}", "use": "scoring", "ended": ends[n]} for n in ends]
        others = [{"who": f"C{n:04}", "use": "advertising", "ended": ""} for n in range(140, 161)]
        write(tmp_path / "consents.csv", [*people, *others])

    consent = {
        "table": {"kind": "csv", "path": str(tmp_path / "consents.csv")}, "subject": "who",
        "purpose": "use", "withdrawn": "ended",
    }  # fmt: skip
    told: dict[str, Any] = {"purpose": "scoring", "consent": consent, **NAMED}
    listed()
    first, found = taken(tmp_path, **told)
    nobody, elsewhere = (
        "the person is not on the list of consents",
        "consent is for another purpose",
    )
    assert found.barred == {nobody: 40, elsewhere: 10}
    before = first.table
    listed(3, 4)
    later = protect(charter(tmp_path, **told), before)  # as of rows that were collected meanwhile
    assert later.barred == {"consent was withdrawn": 2}
    assert (later.table.where, later.table.rows) == ("tables/persons/protected", 148)
    assert protect(charter(tmp_path, **told), before).table == later.table
    second, found = taken(tmp_path, **told)
    assert second.table.version == before.version + 1
    assert found.barred == {nobody: 40, elsewhere: 10, "consent was withdrawn": 2}


def test_names_are_hashes_everywhere_and_the_key_is_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = person(201, age="unknown")
    write(tmp_path / "persons.csv", [*map(person, range(1, 201)), broken])
    told = charter(tmp_path, {"columns": {"age": {"role": "number"}}}, **NAMED)
    ingested = ingest(told)
    found = protect(told, ingested.table, ingested.barred)
    assert ingested.quarantine.rows == 1
    first = rows(found.table)[0]
    assert first["customer"] == pseudonyms("persons").of("customer", "C0001")
    assert first["customer"] != pseudonyms("others").of("customer", "C0001")
    assert first["mail"] == pseudonyms("persons").of("mail", "person1@example.org")
    stored = everything() + caplog.text.encode() + found.model_dump_json().encode()
    assert b"k1:" in stored
    for word in (b"C0001", b"person1@", b"person201@", KEY[3:].encode(), bytes.fromhex(KEY[3:])):
        assert word not in stored


def test_a_new_key_takes_along_what_nobody_can_name_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = charter(tmp_path, **NAMED)
    old = ingest(told).table
    monkeypatch.setenv("PERENNIAL_KEY", NEXT)
    onward = protect(told, old).table
    anew = ingest(told).table  # from the names
    assert (onward.where, anew.version) == ("tables/persons/protected", old.version + 1)
    assert rows(onward) == rows(anew)
    assert all(row["mail"].startswith("k2:") for row in rows(anew))
    assert {row["mail"] for row in rows(old)}.isdisjoint(row["mail"] for row in rows(anew))


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (None, "found none"),
        ("k1:short", "found a secret of 5 characters in k1"),
        ("0123456789abcdef" * 4, "found key 1 without an id"),
        (f"{KEY},{KEY}", "found an id twice"),
    ],
)
def test_no_key_or_a_weak_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, found: str
) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", key or "")
    with pytest.raises(Refusal, match=found) as caught:
        ingest(charter(tmp_path, **NAMED))
    assert "0123456789abcdef" not in str(caught.value)
    assert not place("tables").exists()


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    for clause in ("identifiers", "never_input"):
        told: dict[str, Any] = {clause: ["costumer"]}
        with pytest.raises(Refusal, match="Did you mean customer"):
            ingest(charter(tmp_path, **told))


def test_nothing_declared_costs_nothing_and_needs_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PERENNIAL_KEY")
    write(tmp_path / "persons.csv", [person(n, mail=n) for n in range(1, 50)])
    ingested, found = taken(tmp_path)
    assert (found.table, found.barred, found.verdicts) == (ingested.table, {}, ())


def test_columns_that_must_not_be_inputs(tmp_path: Path) -> None:
    consent = {"column": "agreed", "withdrawn": "ended"}
    told = charter(tmp_path, purpose="p", never_input=["age"], consent=consent, **NAMED)
    assert set(told.privacy.barred) == {"customer", "mail", "agreed", "ended", "age"}
    assert persons.charter(tmp_path).privacy.barred == {}
