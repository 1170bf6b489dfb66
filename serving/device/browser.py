"""What a browser keeps so that the page opens and answers without a network."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from serving.device.paper import PAPER
from serving.device.runtime import PIN, read
from serving.loaded import Loaded
from serving.signing import SIGNATURE, trusted
from serving.site.fields import readable

RUNTIME = "/device/runtime"
ICON = "/site/icon.svg"


def signed_for_devices(loaded: Loaded) -> bool:
    """Whether devices may have the release: its charter says so, it is signed, and this service
    names a key that they can trust."""
    listed = loaded.predictor.manifest.files
    return PAPER in listed and (loaded.folder / SIGNATURE).exists() and bool(trusted())


def on_devices(loaded: Loaded) -> bool:
    """Whether browsers may keep it: what it runs on is there, too."""
    return signed_for_devices(loaded) and runtime(loaded.folder.parent) is not None


def runtime(folder: Path) -> dict[str, bytes] | None:
    """The files of the runtime beside the releases; None where they are not, or not as pinned."""
    place = folder / PIN.name
    return _read(place, place.stat().st_mtime_ns) if place.is_dir() else None


@lru_cache(maxsize=1)
def _read(place: Path, stamp: int) -> dict[str, bytes] | None:
    found = {name: read(place, name) for name in PIN.files}
    return (
        {name: content for name, content in found.items() if content}
        if all(found.values())
        else None
    )


def shell(static: list[str]) -> list[str]:
    """Every address that the page needs without a network."""
    names = [f"/site/{name}" for name in sorted(static)]
    return [
        "/",
        "/manifest.webmanifest",
        *names,
        *(f"{RUNTIME}/{PIN.version}/{one}" for one in PIN.files),
    ]


def manifest(loaded: Loaded) -> dict[str, Any]:
    """The page as an app that can be installed (W3C, Web Application Manifest)."""
    name = readable(loaded.predictor.signature.project)
    goal = loaded.charter.get("goal", {})
    icon = {"src": ICON, "type": "image/svg+xml", "sizes": "any"}
    return {
        "name": name, "short_name": name[:12], "description": goal.get("question") or name,
        "id": "/", "start_url": "/", "scope": "/", "display": "standalone",
        "background_color": "#f7f9f8", "theme_color": "#146c4b",
        "icons": [{**icon, "purpose": "any"}, {**icon, "purpose": "maskable"}],
    }  # fmt: skip
