"""The addresses of the protocol, under `/v2`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

from fastapi import APIRouter, Request, Response

from serving.asgi import Clock, body
from serving.form import Bad, whole
from serving.front import INLINE_BYTES, answering, arms, named, unwritten
from serving.inference import model
from serving.inference.schema import ERROR, INFER, METADATA, READY
from serving.inference.tensors import wrong
from serving.journaling.book import Book
from serving.journaling.writers import Unwritten
from serving.loaded import Answer, Loaded
from serving.trial import Asked, Trial
from serving.watch import Watch

MODEL = "/v2/models/{name}"
VERSION = MODEL + "/versions/{version}"
DIGITS = 12  # of a length; Python refuses to read thousands of them
Scored = tuple[Loaded, model.Asked, Answer]
"""What answered, what it was asked and what it said."""
EMPTY: Any = {"response_class": Response}


def routes(watch: Watch, trial: Trial, book: Book | None, clock: Clock) -> APIRouter:
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
        _named(watch, name, version)
        said = await _answered(trial, version, await body(request.receive), request, book, clock)
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
    """The release that is asked for: the live one, or by its version what is tried beside it."""
    found = arms(watch)
    loaded, canary = found.champion, found.canary
    if canary is not None and version == str(canary.live.release):
        return canary
    known, live = loaded.predictor.signature.project, str(loaded.live.release)
    if name != known or version not in (None, live):
        said = f"the model {name}" + (f", version {version}" if version else "")
        raise Bad([whole(said, f"{known}, version {live}", "Ask for what is live.")], status=404)
    return loaded


async def _answered(
    trial: Trial, version: str | None, content: bytes, request: Request, book: Book | None,
    clock: Clock,
) -> model.Reply:  # fmt: skip
    header = _header(request, len(content))
    large = len(content) > INLINE_BYTES
    asked = content, clock(request.scope)

    def work(loaded: Loaded, some: Sequence[Asked]) -> list[Scored | Exception]:
        return [_scored(loaded, *one, header) for one in some]

    found = await trial.one(named(request.scope) or content, asked, work, large, version)
    if isinstance(found, Exception):
        raise found
    loaded, read, answer = found
    if book is not None and answer.records:
        try:
            await book.write(answer.records)
        except Unwritten as why:
            raise unwritten(why) from why
    return model.reply(read, answer, loaded)


def _scored(loaded: Loaded, content: bytes, at: float, header: int | None) -> Scored | Exception:
    try:
        asked = model.read(content, header, loaded.predictor.signature)
        return loaded, asked, loaded.rows(asked.rows, at)
    except Exception as error:
        return error


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
