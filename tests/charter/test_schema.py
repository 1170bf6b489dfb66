from __future__ import annotations

from pathlib import Path

from charter import schema

ROOT = Path(__file__).parents[2]


def test_the_committed_schema_is_current() -> None:
    written = (ROOT / schema.PLACE).read_text(encoding="utf-8")
    assert written == schema.text(), "run: python -m charter.schema"


def test_every_key_of_a_section_is_described() -> None:
    made = schema.schema()
    silent = [
        f"{section}.{key}"
        for section in ("Goal", "Target", "Cost", "Constraints", "Evaluation", "Data", "Rule")
        for key, value in made["$defs"][section]["properties"].items()
        if "description" not in value
        and "description" not in made["$defs"].get(value.get("$ref", "").rpartition("/")[2], {})
    ]
    assert silent == []
