from __future__ import annotations

from pathlib import Path

import pytest

from charter import reference, schema

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("part", [schema, reference])
def test_what_is_committed_is_current(part: object) -> None:
    written = (ROOT / part.PLACE).read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert written == part.text(), "run: make schema"  # type: ignore[attr-defined]


def test_every_section_and_key_is_described() -> None:
    parts = schema.schema()["$defs"]
    assert [name for name, part in parts.items() if not part.get("description")] == []
    silent = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, value in part["properties"].items()
        if "const" not in value
        and "description" not in value
        and "description" not in parts.get(value.get("$ref", "").rpartition("/")[2], {})
    ]
    assert silent == []


def test_the_reference_tells_every_key_once_and_every_link_leads_somewhere() -> None:
    text = reference.text()
    parts = schema.schema()["$defs"]
    keys = sum(len(part["properties"]) for part in parts.values())
    assert sum(line.startswith("| `") for line in text.splitlines()) == keys + len(
        schema.schema()["properties"]
    )
    heads = {
        line.lstrip("# ").strip("`").lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("##")
    }
    links = {link.partition(")")[0] for link in text.split("](#")[1:]}
    assert links <= heads
