"""Small real bundles, written by hand: a logistic graph over two numbers, a flag, a time, a text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from serving.bundle import Manifest, sha256
from serving.golden import Golden
from serving.packing import pack_rows
from serving.predictor import Predictor
from serving.signature import Decision, Input, Signature
from tasks.packaging.device import paper

INPUTS = (
    Input(name="distance", kind="number", required=True, example=1089.0, low=17.0, high=4983.0),
    Input(name="Wind (mph)", kind="number", example=9.2, low=0.0, high=42.6),
    Input(name="holiday", kind="flag", example=False),
    Input(name="time_hour", kind="time", example="2013-01-01T05:00:00Z"),
    Input(name="carrier", kind="text", levels=("UA", "B6", "EV")),
)
SIGNATURE = Signature(
    project="flights",
    target="late",
    task="binary",
    inputs=INPUTS,
    classes=("false", "true"),
    say={"true": "likely late", "false": "likely on time"},
)
ROWS: list[dict[str, str | float | bool | None]] = [
    {"distance": 1089.0, "Wind (mph)": 9.2, "holiday": False, "carrier": "UA"},
    {"distance": 200.0, "Wind (mph)": 30.0, "holiday": True, "time_hour": "2013-07-01T17:00:00Z"},
    {"distance": 1000, "carrier": "B6"},
    {"distance": 4983.0, "Wind (mph)": None, "carrier": "nobody"},
]


def bundle(
    folder: Path,
    bias: float = 0.0,
    slow: int = 0,
    signature: Signature = SIGNATURE,
    golden_off: float = 0.0,
    fragile: bool = False,
    device: bool = False,
    proof_off: float = 0.0,
) -> Path:
    """A bundle of its own; `slow` runs a matrix product so often, `golden_off` plants a fault,
    `fragile` fails where the wind is above 35.

    `device`: for devices too; `proof_off` lets their own test fail.
    """
    folder.mkdir(parents=True)
    files = {
        "model.onnx": graph(signature, bias, slow, fragile).SerializeToString(),
        "signature.json": signature.model_dump_json().encode(),
        "decision.json": Decision(
            threshold=0.4 if signature.task == "binary" else None
        ).model_dump_json().encode(),
        "card.md": b"# Model card\n",
        "card.html": b"<h1>Model card</h1><script>document.title = 'ran'</script>",
        "scorecard.json": b'{"metric": "roc_auc", "measures": [{"name": "roc_auc", "value": 0.7}]}',
        "charter.json": b'{"goal": {"question": "Will it be <late>?"}}',
    }  # fmt: skip
    _write(folder, files, bias, signature)
    files["golden.json"] = _golden(folder, golden_off).model_dump_json().encode()
    if device:
        decision = Decision.model_validate_json(files["decision.json"])
        found = paper(signature, decision, _golden(folder, proof_off))
        files["device.json"] = found.model_dump_json().encode()
    _write(folder, files, bias, signature)
    return folder


def graph(signature: Signature, bias: float, slow: int, fragile: bool = False) -> onnx.ModelProto:
    """logit = bias + 0.1 wind + 0.5 holiday - 0.0001 distance + (carrier is B6); a missing number is 0."""
    weights = np.array([[-1e-4], [0.1], [0.5], [0.0]])
    first = [
        helper.make_node("IsNaN", ["numbers"], ["absent"]),
        helper.make_node("Where", ["absent", "zero", "numbers"], ["clean"]),
        helper.make_node("MatMul", ["clean", "weights"], ["linear"]),
        helper.make_node("Equal", ["texts", "level"], ["is_level"]),
        helper.make_node("Cast", ["is_level"], ["one"], to=TensorProto.DOUBLE),
        helper.make_node("Sum", ["linear", "one", "bias"], ["logit"]),
    ]
    values = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array(0.0), "zero"),
        numpy_helper.from_array(np.array([[bias]]), "bias"),
        numpy_helper.from_array(np.array(["B6"], dtype=object), "level"),
    ]
    if fragile:
        first[2:3], some = _breaking()
        values += some
    delay, start = _delay(slow)
    values += start
    if signature.task == "regression":
        last = [helper.make_node("Sum", ["logit", *delay_name(slow)], ["value"])]
        output = helper.make_tensor_value_info("value", TensorProto.DOUBLE, [None, 1])
    else:
        last = [
            helper.make_node("Sum", ["logit", *delay_name(slow)], ["late"]),
            helper.make_node("Sigmoid", ["late"], ["p"]),
            helper.make_node("Sub", ["unit", "p"], ["q"]),
            helper.make_node("Concat", ["q", "p"], ["probabilities"], axis=1),
        ]
        values.append(numpy_helper.from_array(np.array(1.0), "unit"))
        output = helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, 2])
    inputs = [
        helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, [None, 4]),
        helper.make_tensor_value_info("texts", TensorProto.STRING, [None, 1]),
    ]
    made = helper.make_graph([*first, *delay, *last], "flights", inputs, [output], values)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


def _breaking() -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The linear part, which looks into a table of one place at place 1 where the wind is above 35."""
    nodes = [
        helper.make_node("MatMul", ["clean", "weights"], ["calm"]),
        helper.make_node("MatMul", ["clean", "only_wind"], ["wind"]),
        helper.make_node("Greater", ["wind", "storm"], ["is_storm"]),
        helper.make_node("Cast", ["is_storm"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["zeros", "place"], ["nought"]),
        helper.make_node("Add", ["calm", "nought"], ["linear"]),
    ]
    tensors = {
        "only_wind": np.array([[0.0], [1.0], [0.0], [0.0]]), "storm": np.array(35.0),
        "zeros": np.array([0.0]),
    }  # fmt: skip
    return nodes, [numpy_helper.from_array(value, name) for name, value in tensors.items()]


def delay_name(slow: int) -> list[str]:
    return ["nothing"] if slow else []


def _delay(slow: int) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """A chain of products of big matrices that depends on the input and adds zero."""
    if not slow:
        return [], []
    size = 300
    square = np.eye(size)
    nodes = [
        helper.make_node("ReduceMean", ["linear"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "square"], ["m0"]),
    ]
    nodes += [helper.make_node("MatMul", [f"m{i}", "square"], [f"m{i + 1}"]) for i in range(slow)]
    nodes += [
        helper.make_node("ReduceMean", [f"m{slow}"], ["worn"], keepdims=0),
        helper.make_node("Mul", ["worn", "zero"], ["nothing"]),
    ]
    return nodes, [numpy_helper.from_array(square, "square")]


def _write(folder: Path, files: dict[str, bytes], bias: float, signature: Signature) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = Manifest(
        project=signature.project,
        fingerprint=sha256(json.dumps([bias, sorted(files)]).encode()),
        created=datetime(2026, 1, 1, tzinfo=UTC),
        files={name: sha256(content) for name, content in files.items()},
        family="linear",
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json())


def _golden(folder: Path, off: float) -> Golden:
    predictor = Predictor(folder)
    found = predictor.predict(pack_rows(predictor.signature, ROWS))
    cases = tuple(f"holdout row {i}" for i in range(len(ROWS)))
    if found.values is not None:
        return Golden(rows=tuple(ROWS), cases=cases, values=tuple((found.values + off).tolist()))
    assert found.probabilities is not None
    assert found.labels is not None
    shares = found.probabilities + np.array([off, -off])
    return Golden(
        rows=tuple(ROWS),
        cases=cases,
        labels=tuple(found.labels),
        probabilities=tuple(map(tuple, shares.tolist())),
    )
