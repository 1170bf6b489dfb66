"""Rows of joined files and of lists of consents that cannot be used name nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from charter import Charter, Refusal
from tasks.ingest import ingest
from tasks.ingestion.incoming import rows_for_scoring
from tests.leftovers import everything
from tests.tasks.persons import KEY

WHO = "ann.lindqvist"


@pytest.fixture(autouse=True)
def _own(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    Path("rows.csv").write_text(f"who,late\n{WHO},1\nbob,0\n")


def file(path: str) -> dict[str, Any]:
    return {"kind": "csv", "path": path}


def charter(joined: bool = False, **privacy: Any) -> Charter:
    joins = [{"source": file("ages.csv"), "on": ["who"]}] if joined else []
    return Charter.model_validate(
        {
            "name": "persons",
            "goal": {"target": {"column": "late"}},
            "data": {"source": file("rows.csv"), "joins": joins},
            "privacy": {"identifiers": ["who"], **privacy},
        }
    )


def test_a_line_of_a_joined_file_is_told_and_not_kept() -> None:
    Path("ages.csv").write_text(f"who,age\nbob,3\n{WHO},4,5\n")
    (join,) = ingest(charter(joined=True)).joins
    assert join.refused == 1
    assert WHO.encode() not in everything()


def test_somebody_who_stands_twice_in_a_joined_file_is_not_named() -> None:
    Path("ages.csv").write_text(f"who,age\n{WHO},3\n{WHO},4\n")
    with pytest.raises(Refusal, match="with the same who") as caught:
        ingest(charter(joined=True))
    assert WHO not in str(caught.value)


def test_a_line_of_the_consents_is_told_and_not_shown() -> None:
    Path("agreed.csv").write_text(f"who\nbob\n{WHO},4\n")
    with pytest.raises(Refusal, match="line 3") as caught:
        ingest(charter(purpose="care", consent={"table": file("agreed.csv")}))
    assert WHO not in str(caught.value)


def test_a_line_to_score_is_told_and_not_shown() -> None:
    Path("new.csv").write_text(f"who,late\n{WHO},1,2\n")
    with (
        pytest.raises(Refusal, match="line 2") as caught,
        rows_for_scoring(charter(), Path("new.csv")) as reader,
    ):
        reader.read_all()
    assert WHO not in str(caught.value)
