"""`POST /predict` and `POST /feedback`, answered without a framework; the rest goes to the app.

Most of a request's time is spent around the model, so these two speak ASGI themselves.

`/predict` takes one row as a JSON object and answers with an object, or a list of rows and answers
with a list; each answer has the id under which the truth can be told later. One request is answered
by one release, whatever goes live meanwhile, and only once the journal has it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any

import orjson

from serving import feedback
from serving.form import Bad, whole
from serving.journaling.book import Book
from serving.journaling.writers import Unwritten
from serving.loaded import Loaded
from serving.turn import Turns
from serving.values import seconds
from serving.watch import Watch

log = logging.getLogger(__name__)

MAX_BYTES = 8 * 2**20
INLINE_BYTES = 16 * 2**10  # larger bodies are answered beside the event loop

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON = (b"content-type", b"application/json")
CLOCK = b"perennial-time"


class Front:
    """An ASGI application in front of another one."""

    def __init__(self, app: App, watch: Watch, book: Book | None, simulated: bool) -> None:
        self._app = app
        self._watch = watch
        self._book = book
        self._simulated = simulated
        self._turns = Turns(lambda: answering(watch), book.write if book else None)
        self._paths = {"/predict": self._predict, "/feedback": self._feedback}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._paths.get(scope["path"]) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        at = self._now(scope) if self._simulated else time.time()
        extra: tuple[tuple[bytes, bytes], ...] = ()
        try:
            if scope["method"] != "POST":
                raise Bad([NO_POST], status=405)
            status, content = 200, await answer(await _body(receive), at)
        except Bad as bad:
            status, content = bad.status, told(bad)
            extra = tuple((k.encode(), v.encode()) for k, v in headers(bad).items())
        except _Gone:
            return
        except Exception:
            log.exception("a fault at %s", scope["path"])
            status, content = 500, FAULT
        size = (b"content-length", b"%d" % len(content))
        head = [JSON, size, *extra]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": content})
        if self._book is not None:
            self._book.tally.count(at, status, (time.perf_counter() - start) * 1e3)

    async def _predict(self, body: bytes, at: float) -> bytes:
        try:
            if len(body) <= INLINE_BYTES:
                return await self._turns.ask(body, at)
            content, records = await asyncio.to_thread(answering(self._watch).answer, body, at)
            if self._book is not None:
                await self._book.write(records)
        except Unwritten as why:
            raise Bad([_unwritten(why)], status=503) from why
        return content

    async def _feedback(self, body: bytes, at: float) -> bytes:
        if self._book is None:
            raise Bad([NO_JOURNAL], status=404)
        entries = feedback.read(body, answering(self._watch).predictor.signature)
        try:
            receipt = await self._book.feedback(entries, at)
        except Unwritten as why:
            raise Bad([_unwritten(why)], status=503) from why
        return orjson.dumps(receipt.model_dump())

    def _now(self, scope: Scope) -> float:
        """The time that the request says it is, where it says one."""
        for name, value in scope["headers"]:
            if name == CLOCK:
                try:
                    return seconds(datetime.fromisoformat(value.decode()))
                except ValueError:
                    break
        return time.time()


class _Gone(Exception):
    """The client went away before its request was whole."""


def answering(watch: Watch) -> Loaded:
    """The release that answers now; without one the request is refused as too early."""
    if watch.current is None:
        why = watch.refused.why if watch.refused else "the release is still being loaded"
        problem = whole(why, "a release that answers", "Ask /ready until it says so.")
        raise Bad([problem], status=503)
    return watch.current


async def _body(receive: Receive) -> bytes:
    """The body, but never more of it than the limit."""
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        parts, size = [body], len(body)
        while message.get("more_body") and size <= MAX_BYTES:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        body = b"".join(parts)
    if message["type"] != "http.request":
        raise _Gone
    if len(body) > MAX_BYTES:
        raise Bad([TOO_LARGE], status=413)
    return bytes(body)


def told(bad: Bad) -> bytes:
    """The body of a refusal."""
    return orjson.dumps({"detail": [problem.model_dump() for problem in bad.problems]})


def headers(bad: Bad) -> dict[str, str]:
    """What a refusal says beside its body."""
    return {503: {"retry-after": "1"}, 405: {"allow": "POST"}}.get(bad.status, {})


def _unwritten(why: Exception) -> Any:
    remedy = "Send the request again later; nothing of it was acknowledged."
    return whole(f"a journal that cannot be written ({why})", "a journal that keeps this", remedy)


TOO_LARGE = whole(
    "a larger body",
    f"at most {MAX_BYTES // 2**20} MiB in one request",
    "Send the rows in parts, or score a file with `perennial score`.",
)
NO_POST = whole("another method", "POST", "Send the rows as JSON with POST; /docs shows how.")
NO_JOURNAL = whole(
    "a service without a journal", "one that keeps predictions", "Start it without --journal off."
)
FAULT = orjson.dumps(
    {"detail": [whole("a fault in the service", "an answer", "Look at its log.").model_dump()]}
)
