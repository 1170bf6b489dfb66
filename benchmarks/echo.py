"""A bare ASGI application that answers with the body it was sent: what a service costs without a model.

uvicorn benchmarks.echo:app --loop uvloop --http httptools --no-access-log --log-level warning
"""

from __future__ import annotations

from serving.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """One message in, the same bytes out."""
    if scope["type"] != "http":
        return
    message = await receive()
    content = message.get("body", b"")
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": content})
