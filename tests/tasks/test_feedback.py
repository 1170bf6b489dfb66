"""Outcomes from a file: each kind of row once, and a bad one changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from charter import Charter, Refusal
from serving import releases
from serving.journal import Journal
from serving.journaling import ids
from serving.journaling.tables import predictions
from serving.pseudonyms import pseudonyms
from serving.signature import Signature
from tasks.feedback import feedback
from tests.serving.handmade import SIGNATURE, bundle


@pytest.fixture
def journal(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    folder = root / "releases" / "flights"
    releases.publish(folder, releases.add(folder, bundle(tmp_path / "bundle")), None)
    journal = Journal("flights")
    yield journal
    journal.close()


def charter(derive: str | None = None) -> Charter:
    target = {"column": "late", "derive": derive} if derive else {"column": "late"}
    source = {"kind": "csv", "path": "flights.csv"}
    return Charter.model_validate(
        {"name": "flights", "goal": {"target": target}, "data": {"source": source}}
    )


def predicted(journal: Journal, count: int) -> list[str]:
    names = sorted(ids.new() for _ in range(count))
    row = {"project": "flights", "at": 1.0, "release": 1, "row": "{}", "answer": "{}"}
    with journal._database.writing("test") as connection:
        connection.execute(sa.insert(predictions), [{**row, "id": name} for name in names])
    return names


def test_truths_of_predictions_by_id(journal: Journal, tmp_path: Path) -> None:
    first, second, third = predicted(journal, 3)
    file = tmp_path / "truths.csv"
    file.write_text(
        f"id,late\n{first},true\n{second.upper()},false\n{third},\n{ids.new()},true\n{first},true\n"
    )
    fed = feedback(charter(), file)
    assert (fed.rows, fed.untold, fed.accepted, fed.duplicates, fed.orphans) == (5, 1, 2, 1, 1)
    again = feedback(charter(), file)
    assert (again.accepted, again.duplicates, again.contradictions) == (0, 4, 0)
    file.write_text(f"id,late\n{first},false\n")
    assert feedback(charter(), file).contradictions == 1
    (seen,) = journal.window(0, 2)
    assert [one.truth for one in seen] == ["false", "false", None]


def test_whole_rows_arrive_once_per_file(journal: Journal, tmp_path: Path) -> None:
    table = pa.table(
        {"distance": [1.0, 1.0, None], "carrier": ["UA", "UA", "B6"], "late": [True, True, False]}
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    fed = feedback(charter(), tmp_path / "rows.parquet")
    assert (fed.rows, fed.arrived, fed.known) == (3, 3, 0)
    assert feedback(charter(), tmp_path / "rows.parquet").known == 3
    claim = journal.claim(0.0, 0.0)
    assert claim is not None
    (entries,) = journal.claimed(claim.number)
    assert [(e.row, e.truth, e.release) for e in entries] == [
        ('{"distance":1.0,"carrier":"UA"}', "true", 0),
        ('{"distance":1.0,"carrier":"UA"}', "true", 0),
        ('{"carrier":"B6"}', "false", 0),
    ]


def test_a_derived_target_is_derived(journal: Journal, tmp_path: Path) -> None:
    (name,) = predicted(journal, 1)
    (tmp_path / "truths.csv").write_text(f"id,arr_delay\n{name},31\n")
    assert feedback(charter("arr_delay > 15"), tmp_path / "truths.csv").accepted == 1
    (seen,) = journal.window(0, 2)
    assert seen[0].truth == "true"


@pytest.mark.parametrize(
    ("text", "row", "remedy"),
    [
        ("id,late\n{name},true\n{name},maybe\n", "row 2 below", "Send the class"),
        ("id,late\n{name},true\nmine,true\n", "row 2 below", "Correct it. Nothing was entered"),
        ("id,last\n{name},true\n", "found no column late", "Is last meant to be late"),
    ],
)
def test_a_bad_row_is_named_and_nothing_changes(
    journal: Journal, tmp_path: Path, text: str, row: str, remedy: str
) -> None:
    (name,) = predicted(journal, 1)
    (tmp_path / "truths.csv").write_text(text.format(name=name))
    with pytest.raises(Refusal, match=row) as caught:
        feedback(charter(), tmp_path / "truths.csv")
    assert remedy in str(caught.value)
    assert journal.counts().labelled == 0


def test_values_have_numbers_as_truth(journal: Journal, root: Path, tmp_path: Path) -> None:
    signature = Signature(**{**dict(SIGNATURE), "task": "regression", "classes": ()})
    folder = root / "releases" / "flights"
    releases.publish(folder, releases.add(folder, bundle(tmp_path / "r", signature=signature)), 1)
    (name,) = predicted(journal, 1)
    (tmp_path / "truths.csv").write_text(f"id,late\n{name},7\n")
    assert feedback(charter(), tmp_path / "truths.csv").accepted == 1
    (seen,) = journal.window(0, 2)
    assert seen[0].truth == 7.0


def test_without_a_release_it_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "truths.csv").write_text("id,late\n")
    with pytest.raises(Refusal, match="perennial train"):
        feedback(charter(), tmp_path / "truths.csv")


def test_whole_rows_are_entered_without_names(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", "k1:" + "0123456789abcdef" * 4)
    file = tmp_path / "rows.csv"
    file.write_text("distance,carrier,late\n500,Ann,true\n600,,false\n")
    told = charter().model_dump(mode="json") | {"privacy": {"identifiers": ["carrier"]}}
    assert feedback(Charter.model_validate(told), file).arrived == 2
    (chunk,) = journal.window(0, 2e10)
    assert "Ann" not in chunk[0].row
    assert pseudonyms("flights").of("carrier", "Ann") in chunk[0].row
