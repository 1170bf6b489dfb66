"""What may not be removed: what releases were made of, and what is as it is now."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from charter import Charter
from serving import releases
from serving.bundle import Manifest
from serving.home import place
from tasks import history, increment, lake

DIGITS = 16
"""So much of a fingerprint names a folder."""


@dataclass(frozen=True)
class Needed:
    """What is named by the releases that have to be made again, and by the newest tables."""

    releases: tuple[int, ...]
    versions: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of each table."""
    names: set[str] = field(default_factory=set)
    """Folders and files by the first digits of their fingerprint."""
    marks: set[tuple[str, str]] = field(default_factory=set)
    """Stage and fingerprint of rows in quarantine."""


def needed(charter: Charter) -> Needed:
    """Read off the manifests, which are in the releases themselves."""
    found = Needed(_numbers(charter))
    for number in found.releases:
        of_release(found, place(f"releases/{charter.name}/{number}"))
    for kind in ("landed", "table", "collected", "renewed", "protected", "found"):
        table = lake.latest(f"tables/{charter.name}/{kind}", charter.name)
        if table is not None:
            found.versions[table.where].add(table.version)
            found.names.update((table.fingerprint[:DIGITS], table.fingerprint))
            prints = {table.fingerprint, *increment.fingerprints(table)}
            found.marks.update(product(_stages(charter), prints))
    _of_records(found, place(f"tables/{charter.name}/validated"))
    return found


def _numbers(charter: Charter) -> tuple[int, ...]:
    """The newest, the live one, and where a rollback leads to."""
    folder = place(f"releases/{charter.name}")
    known = releases.numbers(folder)
    wanted = set(known[-charter.storage.releases :])
    live = releases.live(folder)
    if live is not None:
        before = history.came_from(charter.name, live.release, live.previous)
        tried = live.canary.release if live.canary else None
        others = (live.previous, before, tried)
        wanted |= {live.release} | {one for one in others if one is not None}
    return tuple(sorted(wanted & set(known)))


def of_release(found: Needed, folder: Path) -> None:
    """Add what the release's own papers name."""
    manifest = Manifest.model_validate_json((folder / releases.MANIFEST).read_bytes())
    for where, version in manifest.tables.items():
        found.versions[where].add(version)
    prints = (manifest.fingerprint, manifest.refit_of, manifest.training, manifest.study)
    found.names.update(text[:DIGITS] for text in prints if text)
    found.marks.add(("split", manifest.training))
    for name in ("bundle.json", "scorecard.json"):
        if name in manifest.files:
            found.names.update(_fingerprints(json.loads((folder / name).read_bytes())))


def _fingerprints(value: object) -> Iterable[str]:
    """Every text in the record that is a SHA-256."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _fingerprints(one)
    elif isinstance(value, str) and len(value) == 64 and value.isalnum():
        yield value[:DIGITS]


def _of_records(found: Needed, folder: Path) -> None:
    """The records of what is validated now; their name is that of the Data Docs too."""
    for path in folder.glob("*.json"):
        if json.loads(path.read_bytes())["table"]["fingerprint"] in found.names:
            found.names.add(path.stem)


def _stages(charter: Charter) -> list[str]:
    joins = (f"ingest join {number}" for number in range(len(charter.data.joins)))
    return ["ingest", "validate", *joins]
