"""The reference of the charter, `docs/charter.md`: every key, its values, its default, its meaning.

`make schema` writes it beside the JSON schema, from which it is made; a test keeps them equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from charter.schema import schema

PLACE = Path("docs/charter.md")
HEAD = """\
# The charter, key by key

Made from the code by `make schema`. Any key can be set for one run, too:
`perennial train configs/x.yaml --set constraints.train_minutes=1`.
"""
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "keys and values",
}
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
Part = dict[str, Any]


def text() -> str:
    """The page, in Markdown."""
    whole = schema()
    parts: dict[str, Part] = whole["$defs"]
    told: set[str] = set()
    lines = [HEAD, *_table(whole, parts)]
    for name in whole["properties"]:
        lines += _section(name, whole["properties"][name], parts, told)
    return "\n".join(lines) + "\n"


def _section(name: str, part: Part, parts: dict[str, Part], told: set[str]) -> Iterator[str]:
    """The part of the charter under a key of the first level, and all that it refers to."""
    waiting = _references(part)
    level = f"## `{name}`"
    while waiting:
        reference = waiting.pop(0)
        if reference in told:
            continue
        told.add(reference)
        found = parts[reference]
        yield f"\n{level if level else '### ' + _spoken(reference)}\n"
        yield f"{found.get('description', '')}\n"
        yield from _table(found, parts)
        waiting = [*_references(found), *waiting]
        level = ""


def _table(part: Part, parts: dict[str, Part]) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, one in part["properties"].items():
        meaning = one.get("description", "")
        if not meaning and "$ref" in one:
            meaning = parts[_references(one)[0]].get("description", "")
        default = "required" if key in part.get("required", ()) else _default(one)
        cells = (f"`{key}`", _values(one), default, meaning.replace("|", "\\|"))
        yield f"| {' | '.join(cells)} |".replace("  ", " ")


def _default(part: Part) -> str:
    """Of a part with keys of its own, the defaults stand in its own table."""
    found = part.get("default")
    return "" if found in (None, "", {}) or "$ref" in part else _code(found)


def _values(part: Part) -> str:
    """What may stand there, in words."""
    if "$ref" in part:
        name = _spoken(_references(part)[0])
        return f"[{name.lower()}](#{name.lower().replace(' ', '-')})"
    for several in ("anyOf", "oneOf"):
        if several in part:
            kinds = [one for one in part[several] if one.get("type") != "null"]
            if {one.get("type") for one in kinds} >= {"boolean", "number", "string"}:
                lists = [_values(one) for one in kinds if one.get("type") == "array"]
                return " or ".join(["a value", *lists])
            return " or ".join(dict.fromkeys(map(_values, kinds)))
    if "const" in part:
        return _code(part["const"])
    if "enum" in part:
        return ", ".join(map(_code, part["enum"]))
    if part.get("type") == "array":
        return f"list: {_values(part.get('items', {}))}"
    if part.get("type") == "object" and isinstance(part.get("additionalProperties"), dict):
        return f"by name: {_values(part['additionalProperties'])}"
    limits = [f"{words} {part[limit]:g}" for limit, words in LIMITS.items() if limit in part]
    return ", ".join([WORDS.get(part.get("type", ""), "anything"), *limits])


def _references(part: Any) -> list[str]:
    """The parts that are named inside this one, in order."""
    if isinstance(part, list):
        return [name for one in part for name in _references(one)]
    if not isinstance(part, dict):
        return []
    own = [str(part["$ref"]).rsplit("/", 1)[1]] if "$ref" in part else []
    return own + [
        name for key, one in part.items() if key != "default" for name in _references(one)
    ]


def _spoken(name: str) -> str:
    """A class as a heading: CsvSource is "Csv source"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return words[0] + words[1:].lower()


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"
