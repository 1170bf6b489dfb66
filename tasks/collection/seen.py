"""What the releases say: which columns they ask for, and how much of the log the live one saw."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from charter import Charter
from serving.bundle import MANIFEST, Manifest
from serving.home import place
from serving.releases import live
from serving.signature import Signature
from tasks import lake
from tasks.collection.shape import log_place
from tasks.lake import Table


def inputs(charter: Charter) -> Callable[[int], frozenset[str]]:
    """The inputs of a release by its number; none where it is gone, and for rows without one."""

    @cache
    def of(release: int) -> frozenset[str]:
        path = _folder(charter) / str(release) / "signature.json"
        if not path.is_file():
            return frozenset()
        signature = Signature.model_validate_json(path.read_bytes())
        return frozenset(one.name for one in signature.inputs)

    return of


def fresh(charter: Charter, log: Table | None) -> int:
    """Labelled rows of the log that the live release was not trained on."""
    if log is None:
        return 0
    now = lake.counted(log.where, log.version).get("labelled", 0)
    seen = seen_version(charter)
    if seen is None or seen > log.version:
        return now
    return now - lake.counted(log.where, seen).get("labelled", 0)


def seen_version(charter: Charter) -> int | None:
    """The version of the log that the live release was trained on; None where it saw none."""
    pointer = live(_folder(charter))
    if pointer is None:
        return None
    path = _folder(charter) / str(pointer.release) / MANIFEST
    manifest = Manifest.model_validate_json(path.read_bytes())
    return manifest.tables.get(log_place(charter.name))


def _folder(charter: Charter) -> Path:
    return place(f"releases/{charter.name}")
