"""What the OpenAPI document says of the protocol's addresses."""

from __future__ import annotations

from typing import Any

from serving.inference.model import outputs
from serving.inference.tensors import DATATYPES, NUMERIC
from serving.loaded import Loaded
from serving.signature import Signature

NAME = {"type": "string"}
PARAMETERS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
SHAPE = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2}
DATATYPE = {"type": "string", "enum": [*NUMERIC, "BYTES"]}
DATA = {"type": "array", "items": {"type": ["number", "string", "boolean", "null"]}}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _json(said: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": said, "content": {"application/json": {"schema": schema}}}


def request_schema(signature: Signature) -> dict[str, Any]:
    """A request to the model: one tensor per column, in any order."""
    columns = [
        _object(
            {
                "name": {"const": column.name}, "shape": SHAPE, "datatype": DATATYPE,
                "parameters": PARAMETERS, "data": DATA,
            },
            "name", "shape", "datatype",
        )
        for column in (*signature.inputs, *signature.carried)
    ]  # fmt: skip
    wanted = {"name": {"enum": list(outputs(signature))}, "parameters": PARAMETERS}
    return _object(
        {
            "id": NAME,
            "parameters": PARAMETERS,
            "inputs": {"type": "array", "items": {"anyOf": columns}, "minItems": 1},
            "outputs": {"type": "array", "items": _object(wanted, "name")},
        },
        "inputs",
    )


def example(loaded: Loaded) -> dict[str, Any]:
    """A request that is answered: the example row."""
    kinds = {column.name: column.kind for column in loaded.predictor.signature.inputs}
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": DATATYPES[kinds[name]], "data": [value]}
            for name, value in loaded.form.example.items()
        ]
    }


TENSOR = _object(
    {"name": NAME, "shape": SHAPE, "datatype": DATATYPE, "parameters": PARAMETERS, "data": DATA},
    "name", "shape", "datatype",
)  # fmt: skip
ANSWER = _object(
    {
        "model_name": NAME, "model_version": NAME, "id": NAME,
        "outputs": {"type": "array", "items": TENSOR},
    },
    "model_name", "model_version", "outputs",
)  # fmt: skip
MODEL = _object(
    {
        "name": NAME, "versions": {"type": "array", "items": NAME}, "platform": NAME,
        "inputs": {"type": "array", "items": {"type": "object"}},
        "outputs": {"type": "array", "items": {"type": "object"}},
    },
    "name", "platform", "inputs", "outputs",
)  # fmt: skip

Responses = dict[int | str, dict[str, Any]]

_REFUSED: dict[int | str, str] = {
    400: "No request of the protocol",
    404: "Another model, or a version that is not live",
    413: "The body, or the number of rows, is too large",
    415: "A compressed body",
    422: "A value that does not fit its column",
    503: "No verified release answers yet, or the journal cannot be written",
}
ERRORS: Responses = {
    code: _json(said, _object({"error": NAME}, "error")) for code, said in _REFUSED.items()
}
ERROR: Responses = {code: ERRORS[code] for code in (404, 503)}
READY: Responses = {503: ERRORS[503]}
METADATA: Responses = {200: _json("The model", MODEL), **ERROR}

_BYTES = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
INFER: dict[str, Any] = {
    "responses": {200: _json("The answers, a tensor per part", ANSWER), **ERRORS},
    "openapi_extra": {
        "parameters": [
            {
                "name": "Inference-Header-Content-Length", "in": "header", "required": False,
                "description": "Length of the JSON where the bytes of tensors follow it",
                "schema": {"type": "integer", "minimum": 0},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},  # the model's own, once there is one
                "application/octet-stream": _BYTES,
            },
        },
    },
}  # fmt: skip
INFER["responses"][200]["content"]["application/octet-stream"] = _BYTES
