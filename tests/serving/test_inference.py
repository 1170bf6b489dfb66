"""The Open Inference Protocol: Triton's own client against the real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from serving import releases
from serving.form import Bad
from serving.inference import model
from serving.journal import Journal
from serving.journaling import ids
from serving.loaded import load
from serving.signature import Signature
from tests.serving.conftest import Flights
from tests.serving.handmade import ROWS, SIGNATURE, bundle

COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "distance": ("FP64", [1089.0, 200.0, 1000.0, 4983.0]),
    "Wind (mph)": ("FP64", [9.2, 30.0, np.nan, np.nan]),
    "time_hour": ("BYTES", ["", "2013-07-01T17:00:00Z", "", ""]),
    "carrier": ("BYTES", ["UA", "", "B6", "nobody"]),
}
"""`ROWS` as tensors, but for `holiday`, a flag of which two rows have none."""


@pytest.fixture(scope="module")
def client(flights: Flights) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(flights.address) as client:
        yield client


def _inputs(binary: bool, columns: dict[str, tuple[str, list[Any]]] = COLUMNS) -> list[Any]:
    """Triton's inputs; holiday as numbers where bytes can say that two are missing."""
    given = []
    holiday = ("FP32", [0.0, 1.0, np.nan, np.nan])
    for name, (kind, values) in {**columns, **({"holiday": holiday} if binary else {})}.items():
        given.append(triton.InferInput(name, [len(values), 1], kind))
        dtype = {"BYTES": np.object_, "FP32": np.float32}.get(kind, np.float64)
        array: Any = np.array(values, dtype=dtype).reshape(-1, 1)
        given[-1].set_data_from_numpy(array, binary_data=binary)
    return given


def test_a_standard_client_finds_server_and_model(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("flights")
    assert client.is_model_ready("flights", "2")
    assert not client.is_model_ready("flights", "9")
    assert not client.is_model_ready("trains")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    told = client.get_model_metadata("flights")
    assert told["versions"] == ["2"]
    assert {one["name"]: one["datatype"] for one in told["inputs"]} == {
        "distance": "FP64", "Wind (mph)": "FP64", "holiday": "BOOL", "time_hour": "BYTES", "carrier": "BYTES",
    }  # fmt: skip
    shares = next(one for one in told["outputs"] if one["name"] == "probabilities")
    assert (shares["shape"], json.loads(shares["parameters"]["classes"])) == ([-1, 2], ["false", "true"])  # fmt: skip


def test_binary_tensors_give_the_answers_of_predict_and_are_journalled(
    client: triton.InferenceServerClient, flights: Flights
) -> None:
    wanted = flights.client.post("/predict", json=ROWS).json()
    found = client.infer("flights", _inputs(True), request_id="mine")
    assert found.get_response()["id"] == "mine"
    assert found.get_response()["model_version"] == "2"
    shares = found.as_numpy("probabilities")
    assert shares.tolist() == [list(one["probabilities"].values()) for one in wanted]
    assert [text.decode() for text in found.as_numpy("prediction")] == [one["prediction"] for one in wanted]  # fmt: skip
    assert [text.decode() for text in found.as_numpy("say")] == [one["say"] for one in wanted]
    names = [text.decode() for text in found.as_numpy("id")]
    assert all(map(ids.is_one, names))
    kept = {
        seen.id: seen
        for some in Journal("flights", flights.journal).window(0, 2e10)
        for seen in some
    }
    assert {name for name in names if name in kept} == set(names)
    first = json.loads(kept[names[0]].row)
    assert {name: value for name, value in first.items() if value is not None} == ROWS[0]
    told = flights.client.post("/feedback", json={"id": names[0], "truth": "true"}).json()
    assert told["accepted"] == 1


def test_json_tensors_give_the_same_answers(
    client: triton.InferenceServerClient, flights: Flights
) -> None:
    rows = [{name: value for name, value in row.items() if name != "holiday"} for row in ROWS]
    wanted = flights.client.post("/predict", json=rows).json()
    columns = {  # JSON has no NaN: the last two rows are asked without wind
        name: (kind, values[:2]) for name, (kind, values) in COLUMNS.items()
    }
    outputs = [triton.InferRequestedOutput("probabilities", binary_data=False)]
    found = client.infer("flights", _inputs(False, columns), outputs=outputs)
    assert found.as_numpy("prediction") is None
    assert found.as_numpy("probabilities").tolist() == [
        list(one["probabilities"].values()) for one in wanted[:2]
    ]


def test_null_in_json_is_missing(flights: Flights) -> None:
    tensors = [
        {"name": "distance", "shape": [2], "datatype": "FP64", "data": [1000, 1089.0]},
        {"name": "holiday", "shape": [2, 1], "datatype": "BOOL", "data": [[None], [False]]},
        {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["B6", None]},
    ]
    found = flights.client.post("/v2/models/flights/infer", json={"inputs": tensors}).json()
    rows = [{"distance": 1000, "carrier": "B6"}, {"distance": 1089.0, "holiday": False}]
    wanted = flights.client.post("/predict", json=rows).json()
    shares = next(one for one in found["outputs"] if one["name"] == "probabilities")
    assert shares["shape"] == [2, 2]
    assert shares["data"] == [p for one in wanted for p in one["probabilities"].values()]


def test_what_is_refused_reaches_the_client_in_words(client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match=r"trains.*wanted flights, version 2"):
        client.infer("trains", _inputs(True))
    with pytest.raises(InferenceServerException, match="Did you mean carrier"):
        client.infer("flights", _inputs(True, {"carier": ("BYTES", ["UA"] * 4), **COLUMNS}))
    without = {name: one for name, one in COLUMNS.items() if name != "distance"}
    with pytest.raises(InferenceServerException, match=r"row 0 column distance.*Send distance"):
        client.infer("flights", _inputs(True, without))
    outputs = [triton.InferRequestedOutput("prediction", class_count=2)]
    with pytest.raises(InferenceServerException, match="binary_data, or none"):
        client.infer("flights", _inputs(True), outputs=outputs)
    with pytest.raises(InferenceServerException, match="plain one"):
        client.infer("flights", _inputs(True), request_compression_algorithm="gzip")


ONE = {"name": "distance", "shape": [1], "datatype": "FP64"}


@pytest.mark.parametrize(
    ("inputs", "behind", "found"),
    [
        (None, b"", "no inputs"),
        ([7], b"", "found 7"),
        ([{**ONE, "data": [1, 2]}], b"", "2 values in distance, wanted 1"),
        ([{**ONE, "shape": [1, 2], "data": [1, 2]}], b"", "wanted [rows] or [rows, 1]"),
        ([{**ONE, "shape": [-1], "data": []}], b"", "wanted [rows] or [rows, 1]"),
        ([{**ONE, "shape": [True], "data": [1]}], b"", "wanted [rows] or [rows, 1]"),
        ([ONE], b"", "no list as data"),
        ([{**ONE, "parameters": {"binary_data_size": 8}}], b"1234567", "7 bytes left"),
        ([{**ONE, "parameters": {"binary_data_size": 4}}], b"1234", "1 values of FP64"),
        ([{**ONE, "data": [1]}], b"1234", "4 bytes too many"),
        ([{**ONE, "datatype": "FP8", "parameters": {"binary_data_size": 1}}], b"1", "one of BOOL"),
        ([{**ONE, "datatype": "BYTES", "parameters": {"binary_data_size": 5}}], b"\x02\0\0\0a", "cut off"),
        ([{**ONE, "datatype": "BYTES", "parameters": {"binary_data_size": 2}}], b"\x02\0", "no texts"),
        ([{**ONE, "datatype": "BYTES", "parameters": {"binary_data_size": 5}}], b"\1\0\0\0\xff", "no texts"),
        ([{**ONE, "parameters": {"shared_memory_region": "x"}}], b"", "shared memory"),
        ([{**ONE, "data": [1]}, {**ONE, "data": [1]}], b"", "each column once"),
        ([{**ONE, "data": [1]}, {**ONE, "name": "x", "shape": [2], "data": [1, 2]}], b"", "same rows"),
        ([{**ONE, "shape": [10_001], "data": [1] * 10_001}], b"", "10,001 rows"),
    ],
)  # fmt: skip
def test_tensors_that_make_no_sense_are_refused(inputs: Any, behind: bytes, found: str) -> None:
    head = json.dumps({"inputs": inputs}).encode()
    with pytest.raises(Bad) as bad:
        model.read(head + behind, len(head), SIGNATURE)
    assert found in str(bad.value)


@pytest.mark.parametrize("length", ["9" * 5_000, "-1", "x"])
def test_a_length_that_is_none_is_refused(flights: Flights, length: str) -> None:
    head = {"inference-header-content-length": length}
    refused = flights.client.post("/v2/models/flights/infer", content=b"{}", headers=head)
    assert (refused.status_code, refused.headers["content-type"]) == (400, "application/json")


def test_a_number_is_answered_as_one(tmp_path: Path) -> None:
    signature = Signature(**{**dict(SIGNATURE), "task": "regression", "classes": ()})
    number = releases.add(tmp_path, bundle(tmp_path / "bundle", signature=signature))
    loaded = load(tmp_path, releases.publish(tmp_path, number, None))
    asked = model.read(orjson.dumps({"inputs": [{**ONE, "data": [1089.0]}]}), None, signature)
    said = orjson.loads(model.reply(asked, loaded.rows(asked.rows, 0.0), loaded).content)
    wanted = orjson.loads(loaded.answer(b'{"distance": 1089.0}', 0.0).content)
    assert said["outputs"][0] == {
        "name": "prediction", "datatype": "FP64", "shape": [1], "data": [wanted["prediction"]],
    }  # fmt: skip
