"""The OpenAPI document of the release that answers now."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.device.records import Parcel
from serving.form import MAX_ROWS, Problem
from serving.inference.schema import example, request_schema
from serving.journal import Receipt
from serving.loaded import Loaded
from serving.values import LARGEST

REFUSED = {
    "413": "The body, or the number of rows, is too large",
    "422": "What is wrong, by row and field, and the remedy",
    "503": "No verified release answers yet, or the journal cannot be written",
}

NAMED = {
    "name": "perennial-key", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]+$", "maxLength": 200},
    "description": "Names the client, as a user or a session: while a new release is tried on a part of "
    "the requests, the same name meets the same release. Without it the body decides.",
}  # fmt: skip


def document(app: FastAPI, loaded: Loaded | None) -> dict[str, Any]:
    """OpenAPI 3.1, with the request and the answer of the release that answers now."""
    whole = get_openapi(
        title=f"{loaded.predictor.signature.project}: predictions" if loaded else app.title,
        version=str(loaded.live.release) if loaded else "0",
        description="The version is the number of the live release.",
        routes=app.routes,
    )
    parts = whole.setdefault("components", {}).setdefault("schemas", {})
    parts["Problem"] = Problem.model_json_schema()
    parts["Bad"] = _object({"detail": {"type": "array", "items": _ref("Problem")}})
    predict = _operation("Answer one row, or a list of rows") | {"parameters": [NAMED]}
    whole["paths"]["/predict"] = {"post": predict}
    whole["paths"]["/feedback"] = {"post": _feedback(parts, loaded)}
    why = whole["paths"]["/reasons"]["post"]
    why["parameters"] = [NAMED]
    why["responses"] |= {code: _bad(said) for code, said in REFUSED.items()}
    records(whole["paths"]["/device/records"]["post"], parts)
    if loaded:
        why["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref("Row")}},
        }
        parts |= {"Row": loaded.form.schema, "Answer": _answer_schema(loaded)}
        predict["requestBody"] = _request(loaded)
        answers = {"oneOf": [_ref("Answer"), {"type": "array", "items": _ref("Answer")}]}
        said = "An object to a row, a list in the same order to a list"
        predict["responses"]["200"] = _json(said, answers, loaded.example)
        _name_model(whole["paths"], loaded)
    return whole


def _name_model(paths: dict[str, Any], loaded: Loaded) -> None:
    """Addresses with a model's name and version in them have these values and no others."""
    signature = loaded.predictor.signature
    known = {"name": signature.project, "version": str(loaded.live.release)}
    for operation in (one for path in paths.values() for one in path.values()):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                parameter["schema"] = {"type": "string", "enum": [known[parameter["name"]]]}
        if operation.get("tags") and "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            content["schema"], content["example"] = request_schema(signature), example(loaded)


def records(operation: dict[str, Any], parts: dict[str, Any]) -> None:
    """What a device hands over."""
    schema = Parcel.model_json_schema(ref_template="#/components/schemas/{model}")
    parts |= schema.pop("$defs", {})
    parts["Parcel"] = schema
    operation["responses"] |= {code: _bad(said) for code, said in REFUSED.items()}
    operation["requestBody"] = {
        "required": True, "content": {"application/json": {"schema": _ref("Parcel")}},
    }  # fmt: skip


def _operation(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {code: _bad(said) for code, said in REFUSED.items()}}


def _feedback(parts: dict[str, Any], loaded: Loaded | None) -> dict[str, Any]:
    """Truths in, a receipt out."""
    parts["Receipt"] = Receipt.model_json_schema()
    truth: dict[str, Any] = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
    if loaded and loaded.predictor.signature.classes:
        truth = {"type": "string", "enum": list(loaded.predictor.signature.classes)}
    name = {"type": "string", "format": "uuid", "description": "The id of the answer"}
    parts["Truth"] = {**_object({"id": name, "truth": truth}), "additionalProperties": False}
    both = {"oneOf": [_ref("Truth"), {"type": "array", "items": _ref("Truth")}]}
    operation = _operation("Tell what turned out to be true, at any later time")
    body = {"required": True, "content": {"application/json": {"schema": both}}}
    said = "What became of the truths; each stands in one of the counts"
    answer = {"200": _json(said, _ref("Receipt"))}
    return {**operation, "requestBody": body, "responses": {**operation["responses"], **answer}}


def _request(loaded: Loaded) -> dict[str, Any]:
    row = loaded.form.example
    rows = {"type": "array", "items": _ref("Row"), "maxItems": MAX_ROWS}
    content = {
        "schema": {"oneOf": [_ref("Row"), rows]},
        "examples": {
            "one row": {"value": row},
            "many rows": {"value": [row, row]},
        },
    }
    return {"required": True, "content": {"application/json": content}}


def _answer_schema(loaded: Loaded) -> dict[str, Any]:
    signature = loaded.predictor.signature
    release = {"type": "integer", "description": "The release that answered"}
    name = {"type": "string", "format": "uuid", "description": "Names it in /feedback"}
    if not signature.classes:
        return _object({"id": name, "prediction": {"type": "number"}, "release": release})
    shares = {label: {"type": "number", "minimum": 0, "maximum": 1} for label in signature.classes}
    return _object(
        {
            "id": name,
            "prediction": {"type": "string", "enum": list(signature.classes)},
            "say": {"type": "string", "description": "The charter's words for the prediction"},
            "probabilities": _object(shares),
            "release": release,
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _json(said: str, schema: dict[str, Any], *example: Any) -> dict[str, Any]:
    shown = {"example": example[0]} if example else {}
    return {"description": said, "content": {"application/json": {"schema": schema, **shown}}}


def _bad(said: str) -> dict[str, Any]:
    return {"description": said, "content": {"application/json": {"schema": _ref("Bad")}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
