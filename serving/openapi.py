"""The OpenAPI document of the release that answers now."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.form import MAX_ROWS, Problem
from serving.loaded import Loaded

REFUSED = {
    "413": "The body, or the number of rows, is too large",
    "422": "What is wrong, by row and field, and the remedy",
    "503": "No verified release answers yet",
}


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
    predict = whole["paths"]["/predict"]["post"]
    predict["responses"] |= {code: _bad(said) for code, said in REFUSED.items()}
    if loaded:
        parts |= {"Row": loaded.form.schema, "Answer": _answer_schema(loaded)}
        predict["requestBody"] = _request(loaded)
        answers = {"oneOf": [_ref("Answer"), {"type": "array", "items": _ref("Answer")}]}
        predict["responses"]["200"] = {
            "description": "An object to a row, a list in the same order to a list",
            "content": {"application/json": {"schema": answers, "example": loaded.example}},
        }
    return whole


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
    if not signature.classes:
        return _object({"prediction": {"type": "number"}, "release": release})
    shares = {label: {"type": "number", "minimum": 0, "maximum": 1} for label in signature.classes}
    return _object(
        {
            "prediction": {"type": "string", "enum": list(signature.classes)},
            "say": {"type": "string", "description": "The charter's words for the prediction"},
            "probabilities": _object(shares),
            "release": release,
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _bad(said: str) -> dict[str, Any]:
    return {"description": said, "content": {"application/json": {"schema": _ref("Bad")}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
