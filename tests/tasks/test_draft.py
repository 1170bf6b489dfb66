"""Drafts load as they stand, whatever the file is like; what was guessed is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from charter import Charter, Refusal
from charter.load import load
from tasks.draft import draft


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def orders(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    late = rng.random(rows) < 0.3
    start = pd.Timestamp("2024-01-01")
    return pd.DataFrame(
        {
            "orderId": [f"A{number:05}" for number in rng.permutation(rows)],
            "placed": [start + pd.Timedelta(hours=4 * hour) for hour in range(rows)],
            "born": [
                start - pd.Timedelta(days=int(day)) for day in rng.integers(9000, 20000, rows)
            ],
            "price": rng.normal(50, 9, rows).round(2),
            "shop": rng.choice(["north", "south"], rows),
            "status": np.where(late, "complaint", "fine"),
            "late": late,
        }
    )


def drafted(frame: pd.DataFrame, target: str | None = None, **options: str) -> tuple[Charter, str]:
    frame.to_csv("orders.csv", index=False, **options)  # type: ignore[call-overload]
    path = draft("orders", Path("orders.csv"), target)
    assert path == Path("configs/orders.yaml")
    return load(path), path.read_text()


def test_everything_that_can_be_seen_is_drafted() -> None:
    charter, text = drafted(orders(), "late")
    assert charter.goal.target.column == "late"
    assert charter.data.key == ("orderId",)
    assert charter.data.columns["orderId"].role == "identifier"
    assert charter.data.time == "placed"
    assert charter.split.holdout == "14d"
    assert charter.data.known_later == ("status",)
    assert "status tells late exactly: is it known when predicting?" in text
    assert "cost: {false_alarm: 1, miss: 1}" in text
    assert "It runs from 2024-01-01 to 2024-03-07" in text
    assert "A0000" not in text  # names of single rows stay in the file


def test_a_target_is_guessed_by_name_and_else_the_last_column_is_taken() -> None:
    charter, text = drafted(orders().rename(columns={"shop": "Churn"}))
    assert charter.goal.target.column == "Churn"
    assert "guessed by its name" in text
    Path("configs/orders.yaml").unlink()
    charter, text = drafted(orders().drop(columns="price"))
    assert charter.goal.target.column == "late"
    assert "as it is the last column" in text


def test_numbers_and_classes_get_their_own_question_of_cost() -> None:
    _, text = drafted(orders(), "price")
    assert "cost: {over: 1, under: 1}" in text
    Path("configs/orders.yaml").unlink()
    frame = orders()
    frame["grade"] = np.arange(len(frame)) % 3
    _, text = drafted(frame, "grade")
    assert 'cost: {missed: {"0": 1, "1": 1, "2": 1}}' in text or "{0: 1, 1: 1, 2: 1}" in text


def test_times_that_do_not_divide_the_rows_are_not_taken() -> None:
    frame = orders()
    frame["placed"] = frame["placed"].where(frame.index < 100, frame["placed"].iloc[100])
    charter, text = drafted(frame, "late")
    assert charter.data.time is None
    assert charter.split.by == "random"
    assert "placed holds times" in text


@pytest.mark.parametrize(
    "name",
    [
        "no",
        "a: b",
        "#7",
        "1",
        "Größe",
        "x,y",
        "it's",
        'say "it"',
        " edge ",
        "[a]",
        "null",
        "2024-01-01",
    ],
)
def test_odd_names_are_quoted(name: str) -> None:
    charter, _ = drafted(orders().rename(columns={"late": name, "orderId": f"{name} id"}), name)
    assert charter.goal.target.column == name
    assert charter.data.key == (f"{name} id",)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters_are_seen(delimiter: str) -> None:
    charter, _ = drafted(orders(), "late", sep=delimiter)
    assert charter.data.source.model_dump()["delimiter"] == delimiter


def test_encodings_packed_files_and_parquet_are_seen() -> None:
    frame = orders().rename(columns={"price": "Größe"})
    frame.to_csv("a.csv", index=False, encoding="cp1252")
    Path("b.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    frame.to_csv("c.zip", index=False)
    frame.to_parquet("d.parquet")
    with pd.ExcelWriter("e.xlsx") as book:
        frame.to_excel(book, sheet_name="Orders", index=False)
        frame.head(3).to_excel(book, sheet_name="Notes", index=False)
    found = {
        file: load(draft(file[0], Path(file), "late")).data.source
        for file in ("a.csv", "b.csv.gz", "c.zip", "d.parquet", "e.xlsx")
    }
    assert {file: source.kind for file, source in found.items()} == {
        "a.csv": "csv", "b.csv.gz": "csv", "c.zip": "csv", "d.parquet": "parquet",
        "e.xlsx": "excel",
    }  # fmt: skip
    assert found["a.csv"].model_dump()["encoding"] == "cp1252"
    assert found["b.csv.gz"].model_dump()["encoding"] == "utf-8"
    assert found["e.xlsx"].model_dump()["sheet"] == "Orders"


def test_an_existing_charter_is_never_touched() -> None:
    drafted(orders(), "late")
    before = Path("configs/orders.yaml").read_text()
    with pytest.raises(Refusal, match="drafts overwrite nothing"):
        draft("orders", Path("orders.csv"), "price")
    assert Path("configs/orders.yaml").read_text() == before
    assert sorted(path.name for path in Path("configs").iterdir()) == [
        "charter.schema.json", "orders.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "target", "remedy"),
    [
        ("My orders", "orders.csv", None, "Call it my_orders"),
        ("2024", "orders.csv", None, "Call it project_2024"),
        ("orders", "order.csv", None, "Did you mean orders.csv?"),
        ("orders", "orders.csv", "lat", "Did you mean late?"),
        ("orders", "orders.csv", "same", "Name another column with --target"),
        ("orders", "orders.xls", None, "Save it as .xlsx or CSV"),
        ("orders", "empty.csv", None, "Export it again"),
    ],
)
def test_what_cannot_be_drafted_is_refused(
    name: str, data: str, target: str | None, remedy: str
) -> None:
    orders().assign(same=1).to_csv("orders.csv", index=False)
    Path("orders.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    Path("empty.csv").touch()
    with pytest.raises(Refusal) as caught:
        draft(name, Path(data), target)
    assert remedy in str(caught.value)
    assert not Path("configs").exists()


def test_columns_about_people_are_asked_about_and_the_clauses_load_once_uncommented() -> None:
    frame = orders().assign(
        contact=[f"person{at}@example.org" for at in range(400)], customerName="x", age=[30, 41] * 200,
        Sex=["f", "m"] * 200,
    )  # fmt: skip
    charter, text = drafted(frame, "late")
    assert charter.privacy == type(charter.privacy)()  # asked, not decided
    assert "#   - contact: 100% of its values look like email" in text
    start = text.index("# privacy:")
    clauses = text[start:].replace("# ", "", 1).replace("\n# ", "\n").split("\n")
    said = [line for line in clauses if line.strip().endswith(("]", ":")) or "purpose" in line]
    Path("configs/orders.yaml").write_text(text[:start] + "\n".join(said) + "\n")
    charter = load(Path("configs/orders.yaml"))
    assert charter.privacy.identifiers == ("contact", "customerName")
    assert charter.privacy.quasi_identifiers == ("born", "age", "Sex")
    assert charter.fairness.sensitive == ("age", "Sex")


def test_rows_about_things_are_asked_about_in_one_line() -> None:
    _, text = drafted(orders()[["orderId", "price", "late"]], "late")
    assert "privacy:" not in text
    assert "# Are the rows about people?" in text
