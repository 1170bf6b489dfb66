"""What changed between releases, read from the releases folder alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from charter import Frozen

SHOWN = 12  # the newest things that happened

_HEADLINES = {
    "trained": "First release", "promoted": "A better model took over", "rolled back": "Taken back",
    "kept": "A new model was not better", "skipped": "Not trained again",
    "canary": "A new model is tried on a part of the requests",
    "withdrawn": "The new model that was tried was withdrawn",
}  # fmt: skip


class Change(Frozen):
    """One thing that happened to the model."""

    at: str
    """When, ISO 8601, UTC."""
    event: str
    headline: str
    why: str
    release: int | None
    """What is live since then."""
    differences: tuple[str, ...] = ()
    """How that release differs from the one before."""


def changes(folder: Path) -> list[Change]:
    """The newest first, from the project's history; what the folder does not say is left out."""
    try:
        lines = (folder / "history.jsonl").read_bytes().splitlines()
    except OSError:
        return []
    found: list[Change] = []
    for line in reversed(lines):
        entry = _read(line)
        if entry.get("event") in _HEADLINES:
            found.append(_change(folder, entry))
        if len(found) == SHOWN:
            break
    return found


def _change(folder: Path, entry: dict[str, Any]) -> Change:
    release, previous = entry.get("release"), entry.get("previous")
    if entry["event"] == "canary":
        release, previous = entry.get("canary"), release
    differences: list[str] = []
    if release and previous and release != previous:
        differences = _differences(folder / str(previous), folder / str(release))
    return Change(
        at=entry.get("now") or entry.get("at") or "", event=entry["event"],
        headline=_HEADLINES[entry["event"]], why=entry.get("why") or "",
        release=release, differences=tuple(differences),
    )  # fmt: skip


def _differences(before: Path, after: Path) -> list[str]:
    old, new = _papers(before), _papers(after)
    if not old or not new:
        return []
    said = [
        _family(old["manifest"], new["manifest"]),
        _until(old["manifest"], new["manifest"]),
        *_inputs(old["signature"], new["signature"]),
        *_measure(old["scorecard"], new["scorecard"]),
    ]
    return [sentence for sentence in said if sentence]


def _family(old: dict[str, Any], new: dict[str, Any]) -> str:
    if old.get("family") != new.get("family"):
        return f"kind of model: {new.get('family')} instead of {old.get('family')}"
    was, now = old.get("params", {}), new.get("params", {})
    moved = [
        f"{name} {_shown(was.get(name))} → {_shown(now.get(name))}"
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]
    return f"settings: {', '.join(moved)}" if moved else ""


def _until(old: dict[str, Any], new: dict[str, Any]) -> str:
    if not (new.get("until") and old.get("until")) or new["until"] == old["until"]:
        return ""
    days = [datetime.fromtimestamp(one["until"], UTC).date() for one in (new, old)]
    return "learned from rows up to {} (before: {})".format(*days)


def _inputs(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    was, now = ([one["name"] for one in papers.get("inputs", [])] for papers in (old, new))
    more = [name for name in now if name not in was]
    less = [name for name in was if name not in now]
    said = [f"new inputs: {', '.join(more)}"] if more else []
    return [*said, f"inputs left out: {', '.join(less)}"] if less else said


def _measure(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The measure that the charter names, of each on the rows that judged it."""
    name = new.get("metric")
    found = [
        next((one["value"] for one in card.get("measures", []) if one["name"] == name), None)
        for card in (old, new)
    ]
    if None in found or old.get("metric") != name:
        return []
    return [f"{name} when it was judged: {found[1]:.4g} (before, on other rows: {found[0]:.4g})"]


def _papers(release: Path) -> dict[str, dict[str, Any]]:
    try:
        return {
            name: _read((release / f"{name}.json").read_bytes())
            for name in ("manifest", "signature", "scorecard")
        }
    except OSError:
        return {}


def _read(text: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
