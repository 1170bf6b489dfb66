"""Columns that change in real files: what is proposed, and what the suite is when it is accepted."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from charter import Charter, Refusal
from charter.load import load
from tasks.accept import accept, difference, proposed
from tasks.ingest import ingest
from tasks.validate import Validated, validate
from tasks.validation.proposal import pending
from tasks.validation.suite import location, read

CHARTER = """\
name: shop
goal: {target: {column: back}}
data:
  source: {kind: csv, path: shop.csv}
  key: [order]
  rules: [{column: price, between: [0, 1000]}]
"""
ROWS = 600
Row = dict[str, Any]


def rows(seed: int) -> list[Row]:
    rng = random.Random(seed)
    return [
        {
            "order": f"o{seed}-{row}",
            "price": round(rng.uniform(5, 400), 2),
            "items": rng.randint(1, 9),
            "channel": rng.choice(["web", "web", "shop", "phone"]),
            "back": rng.choice(["yes", "no"]),
        }
        for row in range(ROWS)
    ]


def bring(values: list[Row]) -> None:
    with Path("shop.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(values[0]))
        writer.writeheader()
        writer.writerows(values)


def judge() -> Validated:
    return validate(charter(), ingest(charter()))


def charter() -> Charter:
    return load(Path("configs/shop.yaml"))


def asked(column: str) -> set[str]:
    return {one.type for one in read(location("shop")).expectations if column in one.columns}


def listed() -> list[str]:
    columns = read(location("shop")).expectations[0].kwargs["column_set"]
    assert sorted(columns) == sorted(read(location("shop")).columns)
    return list(columns)


@pytest.fixture(autouse=True)
def _first(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite is drafted from the first file, and a person adds a note."""
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/shop.yaml").write_text(CHARTER)
    bring(rows(1))
    judge()
    document = json.loads(location("shop").read_text())
    document["expectations"][1]["notes"] = "as agreed with the shop"
    location("shop").write_text(json.dumps(document, indent=2) + "\n")
    assert pending(charter()) is None


def test_a_renamed_column_keeps_its_expectations_under_its_new_name() -> None:
    before = asked("items")
    assert before
    bring([{("pieces" if k == "items" else k): v for k, v in row.items()} for row in rows(2)])
    with pytest.raises(Refusal, match="items is missing, and pieces is new and looks like") as told:
        judge()
    assert "same type, values alike to" in told.value.found
    assert "`perennial accept configs/shop.yaml` makes this edit of the suite" in told.value.remedy
    assert f"call items pieces, in {len(before) + 1} expectations too" in told.value.remedy
    accept(charter(), proposed(charter()))
    assert (asked("pieces"), asked("items")) == (before, set())
    assert "pieces" in listed()
    assert judge().table.rows == ROWS
    assert "as agreed with the shop" in location("shop").read_text()


def test_a_similar_name_is_a_renamed_column_whatever_its_values() -> None:
    bring(
        [{("item_s" if k == "items" else k): v * 50 if k == "items" else v for k, v in row.items()}
         for row in rows(2)]
    )  # fmt: skip
    with pytest.raises(Refusal, match=r"item_s is new and looks like it \(same type, similar name"):
        judge()


def test_a_column_that_resembles_none_is_new_and_the_other_missing() -> None:
    bring(
        [{("weight" if k == "items" else k): v * 5000 if k == "items" else v
          for k, v in row.items()} for row in rows(2)]
    )  # fmt: skip
    with pytest.raises(Refusal, match=r"items is missing; weight \(int64\) is new"):
        judge()


def test_a_missing_column_goes_with_its_expectations() -> None:
    dropped = len(asked("channel"))
    bring([{k: v for k, v in row.items() if k != "channel"} for row in rows(2)])
    with pytest.raises(Refusal, match="channel is missing") as told:
        judge()
    assert f"drop channel and {dropped} expectations" in told.value.remedy
    lines = difference(proposed(charter()))
    assert any(line.startswith('-      "channel": "string"') for line in lines)
    accept(charter(), proposed(charter()))
    assert asked("channel") == set()
    assert "channel" not in listed()
    assert judge().table.rows == ROWS


def test_a_retyped_column_gets_expectations_of_its_new_type() -> None:
    assert "expect_column_values_to_be_between" in asked("items")
    words = ["few", "some", "many"]
    bring([row | {"items": words[row["items"] % 3]} for row in rows(2)])
    with pytest.raises(Refusal, match="items holds string, not int64") as told:
        judge()
    assert "let items hold string, with 1 expectation instead of 1" in told.value.remedy
    accept(charter(), proposed(charter()))
    assert read(location("shop")).columns["items"] == "string"
    assert asked("items") >= {
        "expect_column_values_to_be_in_set", "expect_column_values_to_not_be_null",
    }  # fmt: skip
    assert "expect_column_values_to_be_between" not in asked("items")
    assert judge().table.rows == ROWS


def test_fractions_where_whole_numbers_were_keep_the_expectations() -> None:
    before = asked("items")
    bring([row | {"items": row["items"] + 0.5} for row in rows(2)])
    with pytest.raises(Refusal, match="items holds double, not int64"):
        judge()
    accept(charter(), proposed(charter()))
    assert asked("items") == before
    assert judge().table.rows == ROWS


def test_a_new_column_is_added_with_expectations_and_costs_no_run() -> None:
    bring([row | {"rating": row["items"] % 5} for row in rows(2)])
    warned = next(one for one in judge().verdicts if one.gate == "validate.columns")
    assert "not in the suite: rating (`perennial accept configs/shop.yaml` adds" in warned.message
    accept(charter(), proposed(charter()))
    assert "expect_column_values_to_be_between" in asked("rating")
    assert "rating" in listed()
    assert all(one.passed for one in judge().verdicts)
    assert pending(charter()) is None


def test_an_edit_of_a_suite_that_changed_since_is_refused() -> None:
    bring([{k: v for k, v in row.items() if k != "channel"} for row in rows(2)])
    with pytest.raises(Refusal):
        judge()
    shown = proposed(charter())
    location("shop").write_text(location("shop").read_text() + "\n")
    with pytest.raises(Refusal, match="has changed since the edit was proposed"):
        accept(charter(), shown)


def test_data_that_are_as_they_were_again_leave_nothing_to_accept() -> None:
    bring([{k: v for k, v in row.items() if k != "channel"} for row in rows(2)])
    with pytest.raises(Refusal):
        judge()
    bring(rows(3))
    judge()
    with pytest.raises(Refusal, match="nothing is proposed"):
        proposed(charter())


def test_the_command_shows_asks_and_writes() -> None:
    bring([{k: v for k, v in row.items() if k != "channel"} for row in rows(2)])
    with pytest.raises(Refusal):
        judge()
    before = location("shop").read_text()
    code, output = perennial("accept", "configs/shop.yaml")
    assert code == 2
    assert "nobody can be asked" in output
    assert location("shop").read_text() == before
    code, output = perennial("accept", "configs/shop.yaml", "--yes")
    assert code == 0
    assert '-      "channel": "string"' in output
    assert "found: channel is missing" in output
    assert location("shop").read_text() != before
    code, output = perennial("accept", "configs/shop.yaml")
    assert code == 2
    assert "nothing is proposed" in output


def perennial(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "flows", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, input="")
    return done.returncode, done.stdout + done.stderr
