"""The HTTP service of one releases folder.

`POST /predict` takes one row as a JSON object and answers with an object, or a list of rows and
answers with a list. One request is answered by one release, whatever goes live meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool

from charter import Frozen
from serving import pages
from serving.form import Bad, Problem
from serving.loaded import Loaded
from serving.openapi import document
from serving.watch import Refused, Watch

MAX_BYTES = 8 * 2**20
INLINE_BYTES = 16 * 2**10  # larger bodies are answered beside the event loop


class Health(Frozen):
    """The process runs."""

    alive: bool = True


class Ready(Frozen):
    """Whether predictions are given, and by which release."""

    ready: bool
    release: int | None = None
    refused: Refused | None = None
    """The release that is live but was not taken, and why."""


def create_app(releases: Path) -> FastAPI:
    """The service of the folder `releases/<project>`, which needs nothing else."""
    watch = Watch(releases.absolute())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(watch.run())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    # FastAPI's own pages load their scripts from elsewhere; ours do not.
    app = FastAPI(
        title="Perennial",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_exception_handler(Bad, _bad)
    _add_predict(app, watch)
    _add_state(app, watch)
    _add_pages(app, watch)
    return app


def _add_predict(app: FastAPI, watch: Watch) -> None:
    @app.post("/predict", summary="Answer one row, or a list of rows")
    async def predict(request: Request) -> Response:
        loaded = _loaded(watch)
        body = await _body(request)
        if len(body) <= INLINE_BYTES:
            answer = loaded.answer(body)
        else:
            answer = await run_in_threadpool(loaded.answer, body)
        return Response(answer, media_type="application/json")


def _add_state(app: FastAPI, watch: Watch) -> None:
    @app.get("/health", summary="Whether the process runs")
    async def health() -> Health:
        return Health()

    @app.get("/ready", summary="Whether a verified release answers, and which", responses={503: {}})
    async def ready(response: Response) -> Ready:
        current = watch.current
        response.status_code = 200 if current else 503
        release = current.live.release if current else None
        return Ready(ready=current is not None, release=release, refused=watch.refused)

    @app.get("/model", summary="Card, metadata, metrics and manifest of the release")
    async def model() -> dict[str, Any]:
        return _loaded(watch).papers


def _add_pages(app: FastAPI, watch: Watch) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(document(app, watch.current))

    @app.get("/", include_in_schema=False)
    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return pages.docs(watch.current, watch.refused)

    @app.get("/model/card", response_class=HTMLResponse, summary="The model card as a page")
    async def card() -> HTMLResponse:
        return pages.card(_loaded(watch))


def _loaded(watch: Watch) -> Loaded:
    if watch.current is None:
        why = watch.refused.why if watch.refused else "the release is still being loaded"
        problem = _whole(why, "a release that answers", "Ask /ready until it says so.")
        raise Bad([problem], status=503)
    return watch.current


async def _body(request: Request) -> bytes:
    """The body, but never more of it than the limit."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            limit = f"at most {MAX_BYTES // 2**20} MiB in one request"
            remedy = "Send the rows in parts, or score a file with `perennial score`."
            raise Bad([_whole("a larger body", limit, remedy)], status=413)
        parts.append(part)
    return b"".join(parts)


async def _bad(request: Request, error: Exception) -> Response:
    assert isinstance(error, Bad)
    detail = [problem.model_dump() for problem in error.problems]
    headers = {"Retry-After": "1"} if error.status == 503 else None
    return JSONResponse({"detail": detail}, error.status, headers)


def _whole(found: str, wanted: str, remedy: str) -> Problem:
    return Problem(row=None, field=None, found=found, wanted=wanted, remedy=remedy)
