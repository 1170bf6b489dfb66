"""Everything on the page as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from tasks.exploration.columns import Content
from tasks.exploration.findings import Findings
from tasks.exploration.relations import Relation

MOST_PATTERNS = 100


def everything(found: Findings) -> dict[str, Any]:
    """The findings as plain values that JSON can hold; numbers that are none become null."""
    truth = found.truth
    plain: dict[str, Any] = {
        "target": {
            "column": truth.field.name,
            "task": truth.task,
            "read_off_the_values": truth.read_off,
            "classes": dict(zip(truth.classes, truth.counts, strict=True)),
            "missing_rows": truth.missing,
        },
        "rows": {"looked_at": found.rows, "outside": found.outside, "held_out": found.held},
        "columns": [_content(content) for content in found.columns],
        "relations": [_relation(relation) for relation in found.relations],
        "missing_together": [asdict(overlap) for overlap in found.overlaps],
        "patterns_of_missing": [asdict(pattern) for pattern in found.patterns[:MOST_PATTERNS]],
        "missing_and_target": [asdict(told) for told in found.telling],
        "outliers": [asdict(far) for far in found.outliers],
        "twins": asdict(found.twins),
        "pauses": asdict(found.pauses) if found.pauses else None,
        "suspects": [asdict(suspect) for suspect in found.suspects],
        "associations": asdict(found.associations),
        "over_time": asdict(found.courses) if found.courses else None,
    }
    cleaned: dict[str, Any] = _clean(plain)
    return cleaned


def _content(content: Content) -> dict[str, Any]:
    return {
        "name": content.name,
        "missing_rows": content.missing,
        "histogram": asdict(content.histogram) if content.histogram else None,
    }


def _relation(relation: Relation) -> dict[str, Any]:
    tally = relation.tally
    named = len(tally.levels) <= 100
    return {
        "column": relation.column,
        "strength": relation.strength,
        "low": relation.low,
        "high": relation.high,
        "levels": list(tally.levels) if named else [],
        "tally": tally.total.tolist() if named else [],
    }


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(held) for held in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
