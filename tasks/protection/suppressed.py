"""Who was erased, as far as that has to be known: a keyed hash that stands nowhere else, so that the
source does not bring the person back, and the releases that have to be replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path

from serving.home import place
from serving.pseudonyms import Pseudonyms

ERASED = "the person was erased"


def mark_of(hashes: Pseudonyms, column: str, name: str | None) -> str | None:
    """Another hash than the one that is stored with rows: neither leads to the other without the key."""
    return hashes.named(f"{column}, erased", name)


def suppressed(project: str, hashes: Pseudonyms) -> frozenset[str]:
    """The marks of everybody who was erased, under the newest key."""
    marks = _read(_list(project)).get("erased", [])
    return frozenset(hashes.of("", mark) for mark in marks)


def suppress(project: str, mark: str | None) -> None:
    """Remember one more."""
    if mark is None:  # nobody
        return
    known = _read(_list(project)).get("erased", [])
    _write(_list(project), {"erased": sorted({*known, mark})})


def marked(project: str) -> frozenset[int]:
    """Releases that learned from a person who was erased since."""
    return frozenset(int(one) for one in _read(_releases(project)).get("releases", []))


def mark(project: str, numbers: set[int]) -> None:
    """The next retrain replaces these."""
    _write(_releases(project), {"releases": sorted(map(str, marked(project) | numbers), key=int)})


def _list(project: str) -> Path:
    return place(f"privacy/{project}/suppressed.json")


def _releases(project: str) -> Path:
    return place(f"privacy/{project}/replace.json")


def _read(path: Path) -> dict[str, list[str]]:
    try:
        found: dict[str, list[str]] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _write(path: Path, content: dict[str, list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)
