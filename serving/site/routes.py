"""The addresses of the page: itself, its files, and what it asks for besides predictions."""

from __future__ import annotations

import asyncio
import hashlib
import time
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from serving import pages
from serving.asgi import body
from serving.device.browser import on_devices
from serving.front import answering, arms, named, unwritten
from serving.journaling.book import Book
from serving.journaling.writers import Unwritten
from serving.reasons import Reason, reasons
from serving.site import page
from serving.site.changes import Change, changes
from serving.site.outcomes import Outcomes, outcomes
from serving.watch import Watch

STATIC = Path(__file__).parent / "static"
MEDIA = {
    ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}  # fmt: skip
WORKERS = ("sw.js", "worker.js")
FRESH = 15.0  # seconds for which figures are given again


def routes(watch: Watch, book: Book | None) -> APIRouter:
    """What a browser asks for."""
    router = APIRouter()
    recent = Recent(watch, book)

    @router.get("/", include_in_schema=False)
    async def site() -> HTMLResponse:
        if watch.current is None:
            return pages.docs(None, watch.refused)
        device = await asyncio.to_thread(on_devices, watch.current) if book is not None else False
        return page.site(watch.current, watch.refused, book is not None, device)

    @router.get("/site/{name}", include_in_schema=False)
    async def file(name: str, request: Request) -> Response:
        return _file(name, request.headers.get("if-none-match"))

    @router.get("/model/changes", summary="What changed between releases, the newest first")
    async def changed() -> list[Change]:
        return await asyncio.to_thread(changes, watch.folder)

    @router.get(
        "/model/outcomes", summary="The latest answers against what really happened",
        responses={503: {"description": "No release answers yet, or the journal cannot be read"}},
    )  # fmt: skip
    async def well() -> Outcomes:
        return await recent.figures()

    @router.post("/reasons", summary="What moved the answer to one row, the most first")
    async def why(request: Request) -> list[Reason]:
        content = await body(request.receive)
        found = arms(watch).of(named(request.scope) or content)  # as the answer came
        return await asyncio.to_thread(reasons, found, content)

    return router


class Recent:
    """The figures of now, made anew when they are old; all who ask meanwhile wait for the same."""

    def __init__(self, watch: Watch, book: Book | None) -> None:
        self._watch = watch
        self._book = book
        self._found = Outcomes(known=0)
        self._until = 0.0
        self._one = asyncio.Lock()

    async def figures(self) -> Outcomes:
        """How the latest answers did; nothing is known without a journal."""
        loaded = answering(self._watch)
        signature, price = (
            loaded.predictor.signature,
            loaded.charter.get("goal", {}).get("cost", {}),
        )
        async with self._one:
            if self._book is not None and time.monotonic() >= self._until:
                try:
                    self._found = await self._book.read(
                        lambda journal: outcomes(journal, signature, price)
                    )
                except Unwritten as why:
                    raise unwritten(why) from why
                self._until = time.monotonic() + FRESH
        return self._found


def _file(name: str, known: str | None) -> Response:
    found = files().get(name)
    if found is None:
        return Response(status_code=404)
    content, tag, media = found
    head = {"etag": tag, "cache-control": "no-cache", "x-content-type-options": "nosniff"}
    if name in WORKERS:
        head |= {"content-security-policy": page.ON_DEVICE, "service-worker-allowed": "/"}
    if known == tag:
        return Response(status_code=304, headers=head)
    return Response(content, media_type=media, headers=head)


@cache
def files() -> dict[str, tuple[bytes, str, str]]:
    """Content, tag and media type of each file; read once."""
    paths = [*STATIC.iterdir(), pages.HERE / "page.css"]
    kept = {path.name: (path.read_bytes(), MEDIA[path.suffix]) for path in paths if path.suffix in MEDIA}  # fmt: skip
    return {
        name: (content, f'"{hashlib.sha256(content).hexdigest()[:16]}"', media)
        for name, (content, media) in kept.items()
    }
