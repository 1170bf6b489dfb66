"""The addresses of the protocol, under `/v2`."""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Any

from fastapi import APIRouter, Request, Response

from serving.asgi import Clock, body
from serving.form import Bad, whole
from serving.front import INLINE_BYTES, answering, unwritten
from serving.inference import model
from serving.inference.schema import ERROR, INFER, METADATA, READY
from serving.inference.tensors import wrong
from serving.journaling.book import Book
from serving.journaling.writers import Unwritten
from serving.loaded import Answer, Loaded
from serving.watch import Watch

MODEL = "/v2/models/{name}"
VERSION = MODEL + "/versions/{version}"
DIGITS = 12  # of a length; Python refuses to read thousands of them
EMPTY: Any = {"response_class": Response}


def routes(watch: Watch, book: Book | None, clock: Clock) -> APIRouter:
    """What a client of the protocol asks; the model is named like the project."""
    router = APIRouter(tags=["Open Inference Protocol"])
    _add_health(router, watch)

    @router.get(MODEL, summary="What the model takes and gives", responses=METADATA)
    @router.get(VERSION, summary="The same, of the live release", responses=METADATA)
    async def about(name: str, version: str | None = None) -> dict[str, Any]:
        return model.metadata(_named(watch, name, version))

    @router.get(MODEL + "/ready", summary="Whether it answers", responses=ERROR, **EMPTY)
    @router.get(
        VERSION + "/ready", summary="Whether this release answers", responses=ERROR, **EMPTY
    )
    async def ready(name: str, version: str | None = None) -> Response:
        _named(watch, name, version)
        return Response()

    @router.post(MODEL + "/infer", summary="Answer rows, a tensor per column", **INFER)
    @router.post(VERSION + "/infer", summary="The same, by the live release", **INFER)
    async def infer(name: str, request: Request, version: str | None = None) -> Response:
        loaded = _named(watch, name, version)
        at = clock(request.scope)
        said = await _answered(loaded, await body(request.receive), request, book, at)
        return Response(said.content, headers=said.headers)

    return router


def _add_health(router: APIRouter, watch: Watch) -> None:
    @router.get("/v2", summary="The server and what it can do")
    async def server() -> dict[str, Any]:
        version = metadata.version("perennial")
        return {"name": "perennial", "version": version, "extensions": ["binary_tensor_data"]}

    @router.get("/v2/health/live", summary="Whether the process runs", **EMPTY)
    async def alive() -> Response:
        return Response()

    @router.get("/v2/health/ready", summary="Whether a release answers", responses=READY, **EMPTY)
    async def ready() -> Response:
        answering(watch)
        return Response()


def _named(watch: Watch, name: str, version: str | None) -> Loaded:
    """The live release, where it is the one that is asked for."""
    loaded = answering(watch)
    known, live = loaded.predictor.signature.project, str(loaded.live.release)
    if name != known or version not in (None, live):
        found = f"the model {name}" + (f", version {version}" if version else "")
        raise Bad([whole(found, f"{known}, version {live}", "Ask for what is live.")], status=404)
    return loaded


async def _answered(
    loaded: Loaded, content: bytes, request: Request, book: Book | None, at: float
) -> model.Reply:
    header = _header(request, len(content))
    if len(content) <= INLINE_BYTES:
        asked, answer = _scored(loaded, content, header, at)
    else:
        asked, answer = await asyncio.to_thread(_scored, loaded, content, header, at)
    if book is not None and answer.records:
        try:
            await book.write(answer.records)
        except Unwritten as why:
            raise unwritten(why) from why
    return model.reply(asked, answer, loaded)


def _scored(
    loaded: Loaded, content: bytes, header: int | None, at: float
) -> tuple[model.Asked, Answer]:
    asked = model.read(content, header, loaded.predictor.signature)
    return asked, loaded.rows(asked.rows, at)


def _header(request: Request, size: int) -> int | None:
    """Length of the JSON in front of the bytes; None where there are none."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Bad([whole("a compressed body", "a plain one", "Send it as it is.")], status=415)
    text = request.headers.get(model.LENGTH)
    if text is None:
        return None
    short = text.isascii() and text.isdecimal() and len(text) <= DIGITS
    if not (short and int(text) <= size):
        raise wrong(f"{model.LENGTH}: {text[:40]}", "the length of the JSON in the body")
    return int(text)
