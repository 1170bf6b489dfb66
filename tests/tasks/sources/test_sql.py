"""What a query gives, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from charter import Refusal
from charter.data import Role, SqlSource
from tasks.sources import opened, rows
from tasks.sources.refused import Spool


@pytest.fixture
def shop(root: Path, tmp_path: Path) -> str:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            "CREATE TABLE sold (id INTEGER, price, note TEXT, at TEXT);"
            "INSERT INTO sold VALUES (1, 2.5, 'a', '2024-01-02 03:04:05'),"
            " (2, NULL, NULL, '2024-01-03 00:00:00'), (3, 7, '007', NULL);"
        )
    return f"sqlite:///{path}"


def _read(url: str, query: str, roles: Mapping[str, Role] | None = None) -> pa.Table:
    source = opened(SqlSource(kind="sql", url=url, query=query))
    incoming = rows(source, roles or {}, Path(), Spool(Path("refused")))
    return pa.Table.from_batches(incoming.batches, incoming.schema)


def test_sqlite(shop: str) -> None:
    table = _read(shop, "SELECT *, '12:30' AS clock FROM sold ORDER BY id")
    assert [str(type) for type in table.schema.types] == [
        "int64", "double", "string", "timestamp[us]", "string",
    ]  # fmt: skip
    assert table["price"].to_pylist() == [2.5, None, 7.0]
    assert table["note"].to_pylist() == ["a", None, "007"]
    assert table["clock"].to_pylist() == ["12:30"] * 3


def test_postgres(postgres_url: str, root: Path) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as database:
        database.execute(
            "CREATE TABLE made AS SELECT n::int AS id, n::numeric / 4 AS quarter,"
            " n % 2 = 0 AS even, 'name %% ' || n AS name, now() AS at, DATE '2024-02-03' AS day,"
            " 9007199254740993 + n AS big, NULL::text AS nothing,"
            " CASE WHEN n = 5 THEN 'NaN' ELSE n::float8 END AS share, gen_random_uuid() AS uid"
            " FROM generate_series(1, 25000) AS n; CREATE SEQUENCE made_numbers"
        )
    try:
        table = _read(postgres_url, "SELECT * FROM made WHERE name LIKE 'name %' ORDER BY id::int")
        assert table.num_rows == 25_000
        assert {name: str(table.schema.field(name).type) for name in table.column_names} == {
            "id": "int64", "quarter": "double", "even": "bool", "name": "string",
            "at": "timestamp[us, tz=UTC]", "day": "timestamp[us]", "big": "string",
            "nothing": "string", "share": "double", "uid": "string",
        }  # fmt: skip
        assert table["quarter"].to_pylist()[:3] == [0.25, 0.5, 0.75]
        assert table["share"].null_count == 1
        assert table["big"].to_pylist()[0] == "9007199254740994"
        with pytest.raises(Refusal, match="found that the database refuses it"):
            _read(postgres_url, "DELETE FROM made RETURNING id")
        with pytest.raises(Refusal, match="read-only transaction"):
            _read(postgres_url, "SELECT nextval('made_numbers')")
        with pytest.raises(Refusal, match=r"mde.*does not exist"):
            _read(postgres_url, "SELECT * FROM mde")
        with psycopg.connect(postgres_url) as database:
            assert database.execute("SELECT count(*) FROM made").fetchone() == (25_000,)
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as database:
            database.execute("DROP TABLE made; DROP SEQUENCE made_numbers")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * FROM gone", "no such table: gone"),
        ("SELEC 1", "syntax error"),
        ("SELECT id, id FROM sold", "'id' more than once"),
        ("SELECT id FROM sold WHERE id > 9", "found no rows"),
        ("DELETE FROM sold", "readonly database"),
        ("DELETE FROM sold RETURNING id", "readonly database"),
        ("SELECT x'00ff' AS bytes", "column bytes"),
    ],
)
def test_a_query_that_is_wrong_is_refused_and_changes_nothing(
    shop: str, query: str, words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        _read(shop, query)
    assert _read(shop, "SELECT * FROM sold").num_rows == 3


def test_the_address_may_be_in_the_environment_and_holds_no_password(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", shop)
    assert _read("env:SHOP", "SELECT id FROM sold").num_rows == 3
    with pytest.raises(Refusal, match="found no SHOP_2 in the environment"):
        _read("env:SHOP_2", "SELECT 1")
    for url in ("postgresql://me:secret@there/shop", "postgresql://there/shop?password=secret"):
        with pytest.raises(ValidationError, match="without a password"):
            SqlSource(kind="sql", url=url, query="SELECT 1")
    monkeypatch.setenv("SHOP", "postgresql://me:secret@")
    with pytest.raises((Refusal, sa.exc.OperationalError)) as away:
        _read("env:SHOP", "SELECT 1")
    assert "secret" not in str(away.value)
    with pytest.raises(Refusal, match="found no driver for cobol"):
        _read("cobol://there/shop", "SELECT 1")
    with pytest.raises(Refusal, match="found no address of a database"):
        _read("shop", "SELECT 1")


def test_a_database_that_is_away_is_a_fault_and_no_refusal(root: Path) -> None:
    with pytest.raises(sa.exc.OperationalError):
        _read("postgresql://nobody@127.0.0.1:1/shop?connect_timeout=2", "SELECT 1")


def test_the_fingerprint_and_the_rows_are_of_one_moment(shop: str, root: Path) -> None:
    source = opened(SqlSource(kind="sql", url=shop, query="SELECT id FROM sold ORDER BY id"))
    first = source.fingerprint()
    with closing(sqlite3.connect(shop.removeprefix("sqlite:///"))) as database:
        database.execute("INSERT INTO sold (id) VALUES (4)")
        database.commit()
    raw = source.raw(Path(), Spool(Path("refused")))
    assert sum(batch.num_rows for batch in raw.batches()) == 3
    again = opened(SqlSource(kind="sql", url=shop, query="SELECT id FROM sold ORDER BY id"))
    assert again.fingerprint() != first
    del raw, source, again
    assert not list((root / "scratch").iterdir())
