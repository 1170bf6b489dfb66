"""`POST /predict` and `POST /feedback`, answered without a framework; the rest goes to the app.

Most of a request's time is spent around the model, so these two speak ASGI themselves.

`/predict` takes one row as a JSON object and answers with an object, or a list of rows and answers
with a list; each answer has the id under which the truth can be told later. One request is answered
by one release, whatever goes live or is tried meanwhile, and only once the journal has it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from serving import feedback
from serving.arms import Arms
from serving.asgi import App, Clock, Gone, Receive, Scope, Send, body
from serving.form import Bad, whole
from serving.journaling.book import Book
from serving.journaling.writers import Unwritten
from serving.loaded import Answer, Loaded
from serving.metrics import Meter, Metrics
from serving.trial import Trial
from serving.turn import Turns
from serving.watch import Watch

log = logging.getLogger(__name__)

INLINE_BYTES = 16 * 2**10  # larger bodies are answered beside the event loop

KEY = b"perennial-key"
"""The header whose value decides which release is asked while one is tried; by default the body does."""

JSON = (b"content-type", b"application/json")

Way = tuple[Callable[[bytes, float, bytes], Awaitable[bytes]], Meter]
"""What answers at an address, and what counts there."""


class Front:
    """An ASGI application in front of another one."""

    def __init__(
        self, app: App, watch: Watch, book: Book | None, clock: Clock, metrics: Metrics
    ) -> None:
        self._app = app
        self._watch = watch
        self._book = book
        self._clock = clock
        self._metrics = metrics
        self.trial = Trial(lambda: arms(watch), book)
        self._turns = Turns(self.trial, book.write if book else None)
        self._ways: dict[str, Way] = {
            "/predict": (self._predict, metrics.meter("/predict")),
            "/feedback": (self._feedback, metrics.meter("/feedback")),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        way = self._ways.get(scope["path"])
        start = time.perf_counter()
        if way is None:
            await self._rest(scope, receive, send, start)
            return
        answer, meter = way
        at = self._clock(scope)
        extra: tuple[tuple[bytes, bytes], ...] = ()
        try:
            if scope["method"] != "POST":
                raise Bad([NO_POST], status=405)
            key = named(scope) if self._watch.trying else b""
            status, content = 200, await answer(await body(receive), at, key)
        except Bad as bad:
            status, content = bad.status, told(bad)
            extra = tuple((k.encode(), v.encode()) for k, v in headers(bad).items())
        except Gone:
            return
        except Exception:
            log.exception("a fault at %s", scope["path"])
            status, content = 500, FAULT
        size = (b"content-length", b"%d" % len(content))
        head = [JSON, size, *extra]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": content})
        spent = (time.perf_counter() - start) * 1e3
        meter.count(status, spent)
        if self._book is not None:
            self._book.tally.count(at, status, spent)

    async def _rest(self, scope: Scope, receive: Receive, send: Send, start: float) -> None:
        """What the app answers, counted under the template of its route."""
        status = 500

        async def sent(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            spent = (time.perf_counter() - start) * 1e3
            self._metrics.meter(route).count(status, spent)
            if self._book is not None and route.endswith("/infer"):
                self._book.tally.count(self._clock(scope), status, spent)

    async def _predict(self, body: bytes, at: float, key: bytes) -> bytes:
        try:
            if len(body) <= INLINE_BYTES:
                return await self._turns.ask(body, at, key)
            content, records = await self._large(body, at, key)
            if self._book is not None:
                await self._book.write(records)
        except Unwritten as why:
            raise unwritten(why) from why
        return content

    async def _large(self, body: bytes, at: float, key: bytes) -> Answer:
        found = await self.trial.one(key or body, (body, at), Loaded.answers, large=True)
        if isinstance(found, Exception):
            raise found
        return found

    async def _feedback(self, body: bytes, at: float, key: bytes) -> bytes:
        if self._book is None:
            raise Bad([NO_JOURNAL], status=404)
        entries = feedback.read(body, answering(self._watch).predictor.signature)
        try:
            receipt = await self._book.feedback(entries, at)
        except Unwritten as why:
            raise unwritten(why) from why
        return orjson.dumps(receipt.model_dump())


def named(scope: Scope) -> bytes:
    """What the client names the request by, as its user; empty where it does not."""
    return next((value for name, value in scope["headers"] if name == KEY), b"")


def answering(watch: Watch) -> Loaded:
    """The live release; without one the request is refused as too early."""
    return arms(watch).champion


def arms(watch: Watch) -> Arms:
    """What answers now; without a release the request is refused as too early."""
    if watch.arms is None:
        why = watch.refused.why if watch.refused else "the release is still being loaded"
        problem = whole(why, "a release that answers", "Ask /ready until it says so.")
        raise Bad([problem], status=503)
    return watch.arms


def told(bad: Bad) -> bytes:
    """The body of a refusal."""
    return orjson.dumps({"detail": [problem.model_dump() for problem in bad.problems]})


def headers(bad: Bad) -> dict[str, str]:
    """What a refusal says beside its body."""
    return {503: {"retry-after": "1"}, 405: {"allow": "POST"}}.get(bad.status, {})


def unwritten(why: Exception) -> Bad:
    """The refusal where the journal does not take what would be answered."""
    remedy = "Send the request again later; nothing of it was acknowledged."
    found = f"a journal that cannot be written ({why})"
    return Bad([whole(found, "a journal that keeps this", remedy)], status=503)


NO_POST = whole("another method", "POST", "Send the rows as JSON with POST; /docs shows how.")
NO_JOURNAL = whole(
    "a service without a journal", "one that keeps predictions", "Start it without --journal off."
)
FAULT = orjson.dumps(
    {"detail": [whole("a fault in the service", "an answer", "Look at its log.").model_dump()]}
)
