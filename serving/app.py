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
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from charter import Frozen
from serving import pages
from serving.asgi import Gone, clock
from serving.device.routes import routes as device
from serving.form import Bad
from serving.front import Front, answering, headers, told
from serving.inference.routes import routes as inference
from serving.journaling.book import Book
from serving.metrics import MEDIA, Metrics
from serving.openapi import document
from serving.site.routes import routes as site
from serving.watch import Refused, Watch


class Health(Frozen):
    """The process runs."""

    alive: bool = True


class Ready(Frozen):
    """Whether predictions are given, and by which release."""

    ready: bool
    release: int | None = None
    canary: int | None = None
    """The release that takes a share of the requests beside it."""
    refused: Refused | None = None
    """The release that is live or tried but was not taken, and why."""


def create_app(releases: Path, book: Book | None = None, simulated: bool = False) -> Front:
    """The service of the folder `releases/<project>`, which needs nothing else.

    `book` is where predictions and truths are kept; without one nothing is. `simulated` lets a
    request say what time it is.
    """
    belong = book.belong if book is not None else None
    watch = Watch(releases.absolute(), keeps=book is not None, belong=belong)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(watch.run())]
        if book is not None:
            await asyncio.to_thread(book.open)
            running.append(asyncio.create_task(book.run()))
        yield
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if book is not None:
            await book.close()

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
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Gone, _gone)
    metrics, time = Metrics(), clock(simulated)
    _add_state(app, watch)
    _add_metrics(app, watch, book, metrics)
    _add_pages(app, watch)
    app.include_router(site(watch, book))
    front = Front(app, watch, book, time, metrics)
    app.include_router(device(watch, book, time))
    app.include_router(inference(watch, front.trial, book, time))
    return front


def _add_state(app: FastAPI, watch: Watch) -> None:
    @app.get("/health", summary="Whether the process runs")
    async def health() -> Health:
        return Health()

    @app.get("/ready", summary="Whether a verified release answers, and which", responses={503: {}})
    async def ready(response: Response) -> Ready:
        current = watch.current
        response.status_code = 200 if current else 503
        release = current.live.release if current else None
        tried = watch.arms.canary if watch.arms else None
        canary = tried.live.release if tried else None
        return Ready(
            ready=current is not None, release=release, canary=canary, refused=watch.refused
        )

    @app.get("/model", summary="Card, metadata, metrics and manifest of the release")
    async def model() -> dict[str, Any]:
        return answering(watch).papers


def _add_metrics(app: FastAPI, watch: Watch, book: Book | None, metrics: Metrics) -> None:
    @app.get(
        "/metrics", summary="How the service does, for Prometheus", response_class=PlainTextResponse
    )
    async def measured() -> PlainTextResponse:
        backlog = await book.backlog() if book is not None else None
        return PlainTextResponse(metrics.text(watch, backlog), media_type=MEDIA)


def _add_pages(app: FastAPI, watch: Watch) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(document(app, watch.current))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return pages.docs(watch.current, watch.refused)

    @app.get("/model/card", response_class=HTMLResponse, summary="The model card as a page")
    async def card() -> HTMLResponse:
        return pages.card(answering(watch))


async def _bad(request: Request, error: Exception) -> Response:
    assert isinstance(error, Bad)
    if request.url.path.startswith("/v2"):
        return JSONResponse({"error": str(error)}, error.status, headers=headers(error))
    return Response(
        told(error), error.status, headers=headers(error), media_type="application/json"
    )


async def _unknown(request: Request, error: Exception) -> Response:
    """No such address, or another method: said as each side of the service says it."""
    assert isinstance(error, HTTPException)
    word = "error" if request.url.path.startswith("/v2") else "detail"
    return JSONResponse({word: error.detail}, error.status_code, headers=error.headers)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it
