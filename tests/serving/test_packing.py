from __future__ import annotations

import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charter import Refusal
from serving.packing import BadRow, Packed, pack_batch, pack_rows
from serving.signature import Input, Kind, Signature


def signature(*inputs: Input) -> Signature:
    return Signature(project="p", target="y", task="regression", inputs=inputs)


ALL = signature(
    Input(name="size", kind="number"),
    Input(name="kind", kind="text"),
    Input(name="open", kind="flag"),
    Input(name="at", kind="time"),
)
NOON = 1_359_633_600.0  # 2013-01-31T12:00:00Z


def one(kind: Kind, value: object) -> Any:
    packed = pack_rows(signature(Input(name="x", kind=kind)), [{"x": value}])
    return packed.texts[0, 0] if kind == "text" else packed.numbers[0, 0]


def of_array(kind: Kind, array: pa.Array) -> list[Any]:
    batch = pa.record_batch({"x": array})
    packed = pack_batch(signature(Input(name="x", kind=kind)), batch)
    found = packed.texts if kind == "text" else packed.numbers
    values: list[Any] = found[:, 0].tolist()
    return values


def test_shapes_and_order() -> None:
    rows = [{"at": "2013-01-31T12:00:00Z", "kind": "a", "open": True, "size": 2}, {}]
    packed = pack_rows(ALL, rows)
    assert packed.numbers.dtype == np.float64
    assert packed.numbers.flags.c_contiguous
    np.testing.assert_array_equal(packed.numbers, [[2.0, 1.0, NOON], [np.nan] * 3])
    assert packed.texts.tolist() == [["a"], [""]]
    assert len(packed) == 2
    assert len(packed[1:]) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2013-01-31T12:00:00Z", NOON),
        ("2013-01-31T12:00:00", NOON),
        ("2013-01-31 12:00", NOON),
        (" 2013-01-31T13:00:00+01:00 ", NOON),
        ("2013-01-31T12:00:00.123456789Z", NOON + 0.123456),
        ("2013-01-31", NOON - 43_200),
        ("0001-01-01T00:00:00Z", -62_135_596_800.0),
        (datetime(2013, 1, 31, 12), NOON),
        (datetime(2013, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
        (date(2013, 1, 31), NOON - 43_200),
    ],
)
def test_times_are_seconds_of_utc(value: object, seconds: float) -> None:
    assert one("time", value) == seconds


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_arrow_times_of_any_unit_and_zone(unit: str, zone: str | None) -> None:
    moments = pa.array([datetime(2013, 1, 31, 12), None], pa.timestamp(unit))
    found = of_array("time", moments.cast(pa.timestamp(unit, zone)))
    assert found[0] == NOON
    assert np.isnan(found[1])


def test_texts_of_times_in_one_column() -> None:
    zoned = ["2013-01-31T12:00:00Z", "", None, "2013-01-31T13:00:00+01:00"]
    naive = ["2013-01-31T12:00:00", "2013-01-31"]
    assert of_array("time", pa.array(zoned))[::3] == [NOON, NOON]
    assert of_array("time", pa.array(naive)) == [NOON, NOON - 43_200]
    mixed = of_array("time", pa.array([*zoned, *naive]))
    assert mixed[3:5] == [NOON, NOON]
    assert np.isnan(mixed[1:3]).all()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1545, "1545"),
        (1545.0, "1545"),
        (-0.0, "0"),
        (2.5, "2.5"),
        (1e300, "1e+300"),
        (True, "true"),
        (float("nan"), ""),
        (None, ""),
        ("", ""),
        (" a ", " a "),
        ("é北", "é北"),
    ],
)
def test_texts_have_one_spelling(value: object, text: str) -> None:
    assert one("text", value) == text
    assert of_array("text", pa.array([value, value])) == [text, text]


def test_a_category_that_training_saw_as_integer_is_the_text_that_a_client_sends() -> None:
    trained = of_array("text", pa.array([1545, None, 7], pa.int32()))
    assert trained == ["1545", "", "7"]
    assert [one("text", value) for value in ("1545", None, 7)] == trained


BAD: list[tuple[Kind, object, str]] = [
    ("number", "twelve", "Send a number"),
    ("number", "1_000", "Send a number"),
    ("number", True, "Send a number"),
    ("number", [1], "Send a number"),
    ("number", float("inf"), "Send a smaller number"),
    ("number", "-inf", "Send a smaller number"),
    ("number", 1e39, "Send a smaller number"),
    ("number", 10**400, "Send a smaller number"),
    ("flag", "yes", "Send true or false"),
    ("flag", 2, "Send true or false"),
    ("flag", {"a": 1}, "Send true or false"),
    ("time", 1_359_633_600, "Send a time as in"),
    ("time", "31.01.2013", "Send a time as in"),
    ("time", "2013-02-30", "Send a time as in"),
    ("text", ["a"], "Send a text"),
    ("text", "\ud800", "UTF-8"),
]


@pytest.mark.parametrize(("kind", "value", "remedy"), BAD)
def test_what_does_not_fit_names_row_column_and_remedy(
    kind: Kind, value: object, remedy: str
) -> None:
    with pytest.raises(BadRow, match=remedy) as caught:
        pack_rows(signature(Input(name="x", kind=kind)), [{}, {"x": value}])
    assert (caught.value.row, caught.value.column) == (1, "x")
    assert isinstance(caught.value, Refusal)
    assert len(str(caught.value)) < 300
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.row) == (str(caught.value), 1)


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        ("number", pa.array(["1", "twelve"])),
        ("number", pa.array([True, False])),
        ("number", pa.array([1.0, 1e39])),
        ("flag", pa.array(["true", "maybe"])),
        ("flag", pa.array([0, 2])),
        ("time", pa.array(["2013-01-31", "2013-02-30"])),
        ("time", pa.array([1, 2])),
        ("text", pa.array([["a"], ["b"]])),
    ],
)
def test_a_batch_names_the_row_too(kind: Kind, array: pa.Array) -> None:
    batch = pa.record_batch({"x": array})
    with pytest.raises(BadRow) as caught:
        pack_batch(signature(Input(name="x", kind=kind)), batch, first=100)
    assert caught.value.row in (100, 101)


def test_required_columns() -> None:
    needs = signature(
        Input(name="x", kind="number", required=True), Input(name="y", kind="text", required=True)
    )
    assert pack_rows(needs, [{"x": 1, "y": "a"}]).numbers[0, 0] == 1.0
    for row in ({"x": None, "y": "a"}, {"y": "a"}, {"x": float("nan"), "y": "a"}):
        with pytest.raises(BadRow, match="Send x"):
            pack_rows(needs, [row])
    with pytest.raises(BadRow, match="Send y"):
        pack_rows(needs, [{"x": 1, "y": ""}])
    with pytest.raises(BadRow, match=r"row 1, column x.*Send x"):
        pack_batch(needs, pa.record_batch({"x": [1.0, None], "y": ["a", "b"]}))
    with pytest.raises(BadRow, match="Send y"):
        pack_batch(needs, pa.record_batch({"x": [1.0]}))


def test_unknown_columns_are_ignored_or_refused() -> None:
    row = {"size": 1, "kinds": "a"}
    assert pack_rows(ALL, [row]).texts[0, 0] == ""
    with pytest.raises(BadRow, match=r"Did you mean kind\?"):
        pack_rows(ALL, [row], extra="refuse")
    with pytest.raises(BadRow, match="Leave it out"):
        pack_rows(ALL, [{"zzz": 1}], extra="refuse")


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["a", None, "b", ""]).dictionary_encode(),
        pa.array(["a", None, "b", ""], pa.large_string()),
        pa.array(["a", None, "b", ""], pa.string_view()),
        pa.array([None, "a", None, "b", ""])[1:],
    ],
)
def test_text_columns_of_any_arrow_type(array: pa.Array) -> None:
    assert of_array("text", array) == ["a", "", "b", ""]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1, None, 3], pa.int8()),
        pa.array([1, None, 3], pa.uint64()),
        pa.array([1.0, None, 3.0], pa.float32()),
        pa.array([Decimal("1.0"), None, Decimal("3.0")]),
        pa.array(["1", "", " 3 "]),
        pa.array([1.0, float("nan"), 3.0]),
        pa.array([1, None, 3]).dictionary_encode(),
        pa.array([9, 1, None, 3])[1:],
    ],
)
def test_number_columns_of_any_arrow_type(array: pa.Array) -> None:
    np.testing.assert_array_equal(of_array("number", array), [1.0, np.nan, 3.0])


def test_columns_of_nothing_and_empty_batches() -> None:
    batch = pa.record_batch({"size": pa.nulls(2), "kind": pa.nulls(2)})
    packed = pack_batch(ALL, batch)
    assert np.isnan(packed.numbers).all()
    assert packed.texts.tolist() == [[""], [""]]
    assert len(pack_rows(ALL, [])) == len(pack_batch(ALL, batch[:0])) == 0


TIMES = st.datetimes(
    datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.sampled_from([None, UTC])
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "size": st.none() | st.integers(-(10**20), 10**20)
            | st.floats(-3e38, 3e38, allow_nan=False) | st.floats(-1e9, 1e9).map(repr),
            "kind": st.none() | st.text(st.sampled_from("aZé北🛫1 .\x00"), max_size=5),
            "open": st.none() | st.sampled_from(["true", "FALSE", "1", "0", ""]),
            "at": st.none() | TIMES.map(datetime.isoformat),
        },
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_rows_and_batches_pack_alike(rows: list[dict[str, Any]]) -> None:
    """Each column as Arrow text, which is how a file to be scored arrives."""
    columns = {
        column.name: pa.array(
            [None if row.get(column.name) is None else str(row[column.name]) for row in rows],
            pa.string(),
        )
        for column in ALL.inputs
    }
    left, right = pack_rows(ALL, rows), pack_batch(ALL, pa.record_batch(columns))
    np.testing.assert_array_equal(left.numbers, right.numbers)
    assert left.texts.tolist() == right.texts.tolist()


def test_a_service_packs_without_arrow_or_pandas() -> None:
    code = (
        "import sys, serving.predictor, serving.packing;"
        "print([m for m in ('pyarrow', 'pandas', 'sklearn', 'xgboost', 'onnx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_packed_is_frozen() -> None:
    packed = Packed(np.zeros((1, 1)), np.empty((1, 0), dtype=object))
    with pytest.raises(AttributeError):
        packed.numbers = np.zeros((2, 2))  # type: ignore[misc]
