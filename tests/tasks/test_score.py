"""Score: a file through the live release, every row answered once and in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from charter import Charter, Refusal
from serving import releases
from serving.home import home
from serving.packing import pack_rows
from serving.predictor import Predictor
from serving.signature import Signature
from tasks.score import score
from tests.serving.handmade import ROWS, SIGNATURE, bundle

NAMES = [column.name for column in SIGNATURE.inputs]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path / "root"))


def _charter(key: tuple[str, ...] = ()) -> Charter:
    return Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "data": {"source": {"kind": "csv", "path": "flights.csv"}, "key": key},
        }
    )


def _release(tmp_path: Path, signature: Signature = SIGNATURE) -> Predictor:
    folder = home() / "releases" / "flights"
    number = releases.add(folder, bundle(tmp_path / "bundle", signature=signature))
    releases.publish(folder, number, None)
    return Predictor(folder / str(number))


def _rows(path: Path, copies: int = 1, header: list[str] = NAMES) -> Path:
    """The handmade rows as CSV, `flight` counting them."""
    lines = [",".join([*header, "flight"])]
    for i in range(copies * len(ROWS)):
        cells = [ROWS[i % len(ROWS)].get(name) for name in NAMES]
        lines.append(",".join(["" if cell is None else str(cell) for cell in [*cells, i]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_csv_file_is_scored_as_the_service_would(tmp_path: Path) -> None:
    predictor = _release(tmp_path)
    scored = score(_charter(), _rows(tmp_path / "in.csv", 3), tmp_path / "out" / "answers.csv")
    assert (scored.release, scored.rows) == (1, 12)
    found = pa.csv.read_csv(tmp_path / "out" / "answers.csv")
    assert found.column_names == ["row", "prediction", "p_false", "p_true"]
    assert found["row"].to_pylist() == list(range(12))
    wanted = predictor.predict(pack_rows(SIGNATURE, ROWS))
    assert wanted.probabilities is not None
    assert wanted.labels is not None
    np.testing.assert_allclose(found["p_true"], np.tile(wanted.probabilities[:, 1], 3), atol=1e-12)
    assert [str(label).lower() for label in found["prediction"].to_pylist()] == wanted.labels * 3
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["answers.csv"]


def test_the_key_of_the_charter_names_the_rows(tmp_path: Path) -> None:
    _release(tmp_path)
    score(_charter(("flight",)), _rows(tmp_path / "in.csv"), tmp_path / "out.parquet")
    found = pa.parquet.read_table(tmp_path / "out.parquet")
    assert found.column_names == ["flight", "prediction", "p_false", "p_true"]
    assert [str(value) for value in found["flight"].to_pylist()] == ["0", "1", "2", "3"]
    assert set(found["prediction"].to_pylist()) == {"true", "false"}


def test_values_have_a_prediction_alone_and_parquet_is_read(tmp_path: Path) -> None:
    signature = Signature(**{**dict(SIGNATURE), "task": "regression", "classes": ()})
    predictor = _release(tmp_path, signature)
    table = pa.csv.read_csv(_rows(tmp_path / "in.csv"))
    pa.parquet.write_table(table, tmp_path / "in.parquet")
    score(_charter(), tmp_path / "in.parquet", tmp_path / "out.csv")
    found = pa.csv.read_csv(tmp_path / "out.csv")
    assert found.column_names == ["row", "prediction"]
    wanted = predictor.predict(pack_rows(signature, ROWS)).values
    assert wanted is not None
    np.testing.assert_allclose(found["prediction"], wanted, atol=1e-9)


def test_rows_keep_their_order_over_many_batches(tmp_path: Path) -> None:
    _release(tmp_path)
    scored = score(
        _charter(("flight",)), _rows(tmp_path / "in.csv", 50_000), tmp_path / "o.parquet"
    )
    assert scored.rows == 200_000
    found = pa.parquet.read_table(tmp_path / "o.parquet")
    assert pa.compute.cast(found["flight"], pa.int64()).to_pylist() == list(range(200_000))
    shares = found["p_true"].to_numpy().reshape(-1, len(ROWS))
    assert np.abs(shares - shares[0]).max() < 1e-12


def test_without_a_release_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="perennial train"):
        score(_charter(), _rows(tmp_path / "in.csv"), tmp_path / "out.csv")


def test_missing_columns_are_named_with_what_was_meant(tmp_path: Path) -> None:
    _release(tmp_path)
    header = ["Distnce", *NAMES[1:]]
    with pytest.raises(Refusal, match="is Distnce meant to be distance"):
        score(_charter(), _rows(tmp_path / "in.csv", header=header), tmp_path / "out.csv")


@pytest.mark.parametrize("name", ["out.xlsx", "out"])
def test_an_unknown_ending_is_refused(tmp_path: Path, name: str) -> None:
    _release(tmp_path)
    with pytest.raises(Refusal, match=r"Name the file like predictions\.csv"):
        score(_charter(), _rows(tmp_path / "in.csv"), tmp_path / name)


def test_a_row_without_what_is_required_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    _release(tmp_path)
    path = _rows(tmp_path / "in.csv", 50_000)
    path.write_text(path.read_text() + ",,,,,200000\n")
    output = tmp_path / "out.csv"
    output.write_text("of yesterday")
    with pytest.raises(Refusal, match="row 200000, column distance") as refusal:
        score(_charter(), path, output)
    assert "no answer without it" in refusal.value.remedy
    assert output.read_text() == "of yesterday"
    assert {path.name for path in tmp_path.iterdir()} == {"root", "bundle", "in.csv", "out.csv"}


def test_a_key_named_like_the_answer_is_refused(tmp_path: Path) -> None:
    _release(tmp_path)
    path = _rows(tmp_path / "in.csv")
    path.write_text(path.read_text().replace("flight", "prediction"))
    with pytest.raises(Refusal, match="take another key"):
        score(_charter(("prediction",)), path, tmp_path / "out.csv")


def test_a_release_that_was_changed_is_not_used(tmp_path: Path) -> None:
    _release(tmp_path)
    (home() / "releases" / "flights" / "1" / "manifest.json").write_text("{}")
    with pytest.raises(Refusal, match="another manifest"):
        score(_charter(), _rows(tmp_path / "in.csv"), tmp_path / "out.csv")


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    _release(tmp_path)
    (tmp_path / "in.csv").write_text(",".join(NAMES) + "\n")
    with pytest.raises(Refusal, match="Export it again"):
        score(_charter(), tmp_path / "in.csv", tmp_path / "out.csv")
