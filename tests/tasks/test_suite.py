"""The suite's file: stable, readable, and never written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.validation.expectation import BETWEEN, FILLED, ONE_OF, Expectation
from tasks.validation.suite import Suite, read, write

CONFIGS = Path(__file__).parents[2] / "configs"


def suite(kind: str = "double") -> Suite:
    asked = [
        (BETWEEN, {"column": "größe", "min_value": 0, "max_value": 2.5}, "row"),
        (FILLED, {"column": "größe"}, "table"),
        (ONE_OF, {"column": "farbe", "value_set": ["rot", "blau"]}, "warning"),
    ]
    expectations = [
        Expectation.model_validate({"type": type, "kwargs": kwargs, "kind": level, "where": "here"})
        for type, kwargs, level in asked
    ]
    columns = {"größe": kind, "farbe": "string"}
    return Suite(name="toy", rows=10, columns=columns, expectations=tuple(expectations))


def test_what_was_written_is_read_and_every_entry_knows_its_place(tmp_path: Path) -> None:
    path = tmp_path / "expectations" / "toy.json"
    assert write(suite(), path)
    again = read(path)
    assert again.columns == suite().columns
    assert [one.model_copy(update={"where": "here"}) for one in again.expectations] == list(
        suite().expectations
    )
    assert again.expectations[2].where == f"{path}: expectations[2]"
    assert "größe" in path.read_text(encoding="utf-8")


def test_a_suite_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    assert write(suite(), path)
    before = path.read_bytes()
    assert not write(suite("int64"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_entry_without_a_kind_gets_the_usual_one(tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    path.write_text(
        """{"expectations": [
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}},
            {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "a"}},
            {"type": "expect_column_values_to_not_be_null", "severity": "warning"}]}"""
    )
    assert [one.kind for one in read(path).expectations] == ["row", "table", "warning"]


@pytest.mark.parametrize(
    "path", sorted((CONFIGS / "expectations").glob("*.json")), ids=lambda path: path.stem
)
def test_the_suites_of_this_repository_belong_to_a_charter(path: Path) -> None:
    assert read(path).expectations
    assert (CONFIGS / f"{path.stem}.yaml").exists()
