"""A release as a model of the protocol: every column is a tensor, and so is each part of the answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from serving.form import MAX_ROWS, Bad, Row, shown, whole
from serving.inference import tensors
from serving.inference.tensors import wrong
from serving.loaded import Answer, Loaded
from serving.signature import Signature

JSON, BINARY = "application/json", "application/octet-stream"
LENGTH = "inference-header-content-length"


class Output(NamedTuple):
    """A tensor of the answer."""

    datatype: str
    shape: list[int]
    """Without the rows."""


class Asked(NamedTuple):
    """A request that was read."""

    rows: list[Row]
    outputs: dict[str, bool]
    """Names of the tensors that are wanted, each with whether as bytes."""
    name: str | None
    """How the client names the request; stands in the answer again."""


class Reply(NamedTuple):
    """An answer on its way."""

    content: bytes
    headers: dict[str, str]


def outputs(signature: Signature) -> dict[str, Output]:
    """The tensors of an answer; `id` names each prediction in /feedback."""
    if not signature.classes:
        return {"prediction": Output("FP64", []), "id": Output("BYTES", [])}
    texts = {name: Output("BYTES", []) for name in ("prediction", "say")}
    shares = Output("FP64", [len(signature.classes)])
    return {**texts, "probabilities": shares, "id": Output("BYTES", [])}


def metadata(loaded: Loaded) -> dict[str, Any]:
    """What the model takes and gives. A column may be left out where it is not required."""
    signature = loaded.predictor.signature
    given: list[dict[str, Any]] = [
        {"name": name, "datatype": one.datatype, "shape": [-1, *one.shape]}
        for name, one in outputs(signature).items()
    ]
    for one in given:
        if one["name"] == "probabilities":
            one["parameters"] = {"classes": orjson.dumps(signature.classes).decode()}
    return {
        "name": signature.project,
        "versions": [str(loaded.live.release)],
        "platform": "onnxruntime_onnx",
        "inputs": [
            {
                "name": column.name, "datatype": tensors.DATATYPES[column.kind], "shape": [-1],
                "parameters": {"required": column.required},
            }
            for column in (*signature.inputs, *signature.carried)
        ],
        "outputs": given,
    }  # fmt: skip


def read(body: bytes, header: int | None, signature: Signature) -> Asked:
    """The rows of a request; `header` is the length of its JSON where bytes follow."""
    try:
        found = orjson.loads(body[:header])
    except orjson.JSONDecodeError as error:
        raise wrong(f"no JSON ({error.msg})", "an inference request") from None
    if not isinstance(found, dict):
        raise wrong(shown(found), "an inference request, an object with inputs")
    name = found.get("id")
    if not isinstance(name, str | None):
        raise wrong(f"the id {shown(name)}", "a text")
    wanted = _wanted(found, outputs(signature))
    raw = memoryview(body)[header:] if header is not None else memoryview(b"")
    return Asked(_rows(found.get("inputs"), raw), wanted, name)


def _rows(inputs: Any, raw: memoryview) -> list[Row]:
    if not isinstance(inputs, list) or not inputs:
        raise wrong("no inputs", "a tensor for each column")
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
            raise wrong(shown(tensor), "an input with name, shape, datatype and data")
        size = _size(tensor)
        if size is not None and size > len(raw):
            raise wrong(f"{len(raw)} bytes left for {tensor['name']}", f"{size} bytes")
        columns[tensor["name"]] = tensors.values(tensor, None if size is None else raw[:size])
        raw = raw[size or 0 :]
    if len(raw):
        raise wrong(f"{len(raw)} bytes too many", "as many as the inputs say")
    counts = {len(column) for column in columns.values()}
    if len(columns) < len(inputs) or len(counts) > 1:
        raise wrong("inputs that do not agree", "each column once, all with the same rows")
    if max(counts) > MAX_ROWS:
        limit = f"at most {MAX_ROWS:,} in one request"
        raise Bad([whole(f"{max(counts):,} rows", limit, "Send them in parts.")], status=413)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _size(tensor: dict[str, Any]) -> int | None:
    """How many bytes behind the JSON are the tensor's; None where its values stand in it."""
    parameters = tensor.get("parameters")
    if not isinstance(parameters, dict | None):
        raise wrong(f"the parameters {shown(parameters)}", "an object")
    given = parameters or {}
    if any(name.startswith("shared_memory") for name in given):
        raise wrong("a tensor in shared memory", "its values", "Send them with the request.")
    size = given.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise wrong(f"the binary_data_size {shown(size)}", "a number of bytes")
    return size


def _wanted(found: dict[str, Any], known: dict[str, Output]) -> dict[str, bool]:
    """The tensors asked for, all of them where none is named."""
    everywhere = _parameters(found).get("binary_data_output", False)
    asked = found.get("outputs") or [{"name": name} for name in known]
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise wrong(f"the outputs {shown(asked)}", "a list of objects with names")
    wanted: dict[str, bool] = {}
    for one in asked:
        name, parameters = one.get("name"), _parameters(one)
        if not isinstance(name, str) or name not in known:
            raise wrong(f"the output {shown(name)}", f"one of {', '.join(known)}")
        if any(word.startswith(("classification", "shared_memory")) for word in parameters):
            raise wrong(f"the parameters {shown(parameters)}", "binary_data, or none")
        wanted[name] = parameters.get("binary_data", everywhere) is True
    return wanted


def _parameters(found: dict[str, Any]) -> dict[str, Any]:
    parameters = found.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def reply(asked: Asked, answer: Answer, loaded: Loaded) -> Reply:
    """The answer as the client asked for it."""
    signature, rows = loaded.predictor.signature, orjson.loads(answer.content)
    known = outputs(signature)
    listed, parts = [], []
    for name, binary in asked.outputs.items():
        column = [row[name] for row in rows]
        if name == "probabilities":
            column = [list(row.values()) for row in column]
        one: dict[str, Any] = {
            "name": name, "datatype": known[name].datatype,
            "shape": [len(rows), *known[name].shape],
        }  # fmt: skip
        if binary:
            parts.append(tensors.packed(column, known[name].datatype))
            one["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            one["data"] = tensors.listed(column)
        listed.append(one)
    said = {"model_name": signature.project, "model_version": str(loaded.live.release)}
    named = {} if asked.name is None else {"id": asked.name}
    head = orjson.dumps({**said, **named, "outputs": listed})
    if not parts:
        return Reply(head, {"content-type": JSON})
    return Reply(b"".join([head, *parts]), {"content-type": BINARY, LENGTH: str(len(head))})
