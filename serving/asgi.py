"""What the service reads of a request before it knows what is asked."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any

from serving.form import Bad, whole
from serving.values import seconds

MAX_BYTES = 8 * 2**20
CLOCK = b"perennial-time"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Clock = Callable[[Scope], float]
"""When a request counts as asked, in seconds since 1970."""


class Gone(Exception):
    """The client went away before its request was whole."""


async def body(receive: Receive) -> bytes:
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
        raise Gone
    if len(body) > MAX_BYTES:
        raise Bad([TOO_LARGE], status=413)
    return bytes(body)


def clock(simulated: bool) -> Clock:
    """The clock of this machine, or the one that each request brings along."""
    return _brought if simulated else lambda scope: time.time()


def _brought(scope: Scope) -> float:
    """The time that the request says it is, where it says one."""
    for name, value in scope["headers"]:
        if name == CLOCK:
            try:
                return seconds(datetime.fromisoformat(value.decode()))
            except ValueError:
                break
    return time.time()


TOO_LARGE = whole(
    "a larger body",
    f"at most {MAX_BYTES // 2**20} MiB in one request",
    "Send the rows in parts, or score a file with `perennial score`.",
)
