"""The addresses for devices: what is live, its files, and what they hand over.

`GET /device/release` names the release that answers here, for devices to fetch; each verifies it by
itself. `POST /device/records` takes answers and truths that gathered without a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from charter import Frozen
from serving.asgi import Clock, body
from serving.bundle import load
from serving.device import browser
from serving.device.paper import FILES
from serving.device.records import Refused, Release, Taken, handed, parcel
from serving.device.runtime import MEDIA, PIN
from serving.form import Bad, whole
from serving.front import NO_JOURNAL, answering, unwritten
from serving.journaling.book import Book
from serving.journaling.writers import Unwritten
from serving.loaded import Loaded
from serving.pseudonyms import pseudonyms, replaced
from serving.signature import Signature
from serving.signing import PUBLIC, trusted
from serving.site.routes import files
from serving.watch import Watch

KEPT = 8  # signatures of releases that devices still answer with


class Offer(Frozen):
    """The release that a device should have."""

    project: str
    release: int
    manifest: str
    """SHA-256 of its `manifest.json`, which is signed."""
    keys: tuple[str, ...]
    """The public keys that this service trusts, in base64. A device trusts those it was made with."""


def routes(watch: Watch, book: Book | None, clock: Clock) -> APIRouter:
    """What a device asks for."""
    router = APIRouter()
    of = _releases(watch)

    @router.get("/manifest.webmanifest", include_in_schema=False)
    async def manifest() -> JSONResponse:
        found = browser.manifest(for_devices(answering(watch)))
        return JSONResponse(found, media_type="application/manifest+json", headers=PLAIN)

    @router.get("/device/release", include_in_schema=False)
    async def release() -> Offer:
        loaded = for_devices(answering(watch))
        return Offer(
            project=loaded.predictor.signature.project, release=loaded.live.release,
            manifest=loaded.live.manifest, keys=trusted(),
        )  # fmt: skip

    @router.get("/device/release/{number}/{name}", include_in_schema=False)
    async def file(number: int, name: str) -> Response:
        loaded = for_devices(answering(watch))
        if number != loaded.live.release or name not in FILES:
            raise Bad([whole(f"{number}/{name}", "a file of the live release", ASK)], status=404)
        content = await asyncio.to_thread((loaded.folder / name).read_bytes)
        return Response(content, media_type="application/octet-stream", headers=PLAIN)

    @router.get("/device/runtime/{version}/{name}", include_in_schema=False)
    async def runtime(version: str, name: str) -> Response:
        found = await asyncio.to_thread(browser.runtime, watch.folder)
        if found is None or version != PIN.version or name not in found:
            raise Bad([whole(name, "a file of the runtime", MAKE)], status=404)
        media = MEDIA[name[name.rindex(".") :]]
        return Response(found[name], media_type=media, headers={**PLAIN, "cache-control": FIXED})

    @router.get("/device/shell", include_in_schema=False)
    async def shell() -> list[str]:
        for_devices(answering(watch))
        return browser.shell(list(files()))

    @router.post("/device/records", summary="What a device answered and was told without a network")
    async def records(request: Request) -> Taken:
        if book is None:
            raise Bad([NO_JOURNAL], status=404)
        found = parcel(await body(request.receive))
        at, signature = clock(request.scope), answering(watch).predictor.signature
        some = await asyncio.to_thread(handed, found, at, signature.project, signature, of)
        try:
            taken, refused = await book.read(
                lambda journal: journal.receive(found.device, some, at)
            )
        except Unwritten as why:
            raise unwritten(why) from why
        told = tuple(Refused(n=one.n, why=one.why) for one in refused)
        return Taken(taken=taken, refused=told)

    return router


def for_devices(loaded: Loaded) -> Loaded:
    """The release, where devices may have it: its charter says so, and it is signed."""
    if not browser.signed_for_devices(loaded):
        found = f"release {loaded.live.release}, which is not for devices here"
        raise Bad(
            [whole(found, "experience.surfaces with device, a signature and its key", MAKE)],
            status=404,
        )
    return loaded


def _releases(watch: Watch) -> Release:
    """Of each number the signature, and what of a row may be kept."""

    @lru_cache(maxsize=KEPT)
    def known(folder: Path) -> tuple[Signature, Callable[[dict[str, object]], dict[str, Any]]]:
        signature = load(folder).signature
        if not signature.hashed:
            return signature, lambda row: row
        hashes = pseudonyms(signature.project)
        return signature, lambda row: replaced(row, signature.hashed, hashes)

    def of(number: int) -> Any:
        folder = watch.folder / str(number)
        return known(folder) if folder.is_dir() else None

    return of


PLAIN = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
FIXED = "public, max-age=31536000, immutable"  # the version stands in the address
ASK = "Ask /device/release which one is live."
MAKE = (
    "Name device in experience.surfaces, make keys with `perennial keys`, train again, "
    f"and set {PUBLIC} where this service starts."
)
