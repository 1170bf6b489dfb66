"""The JSON schema of a charter, so that editors complete and check it while typing.

`make schema` writes `configs/charter.schema.json`; a test keeps the two equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from charter.charter import Charter

PLACE = Path("configs/charter.schema.json")


def schema() -> dict[str, Any]:
    """JSON schema, draft 2020-12, with the text of every key."""
    made = Charter.model_json_schema()
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Perennial charter"
    _plain(made)
    return made


def text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _plain(part: Any) -> None:
    """Leave out generated titles, which editors would show instead of the descriptions."""
    if isinstance(part, list):
        for inner in part:
            _plain(inner)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("title"), str) and part.get("title") != "Perennial charter":
        del part["title"]
    if isinstance(part.get("description"), str):
        part["description"] = " ".join(part["description"].split())
    for inner in part.values():
        _plain(inner)
