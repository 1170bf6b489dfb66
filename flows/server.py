"""Prefect's own server, beside a run or for `perennial up`, that never outlives who started it.

Prefect starts a temporary server by itself when it is given no address; that one is left over when
the run is killed, and goes on holding the database. This one ends with its caller, however it went.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from charter import Refusal
from flows.lifeline import beside, end_with_caller
from flows.settings import laptop
from serving.home import home

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE = 180.0
"""Seconds until a server counts as not starting; migrations of a first start take most."""


@contextmanager
def api() -> Iterator[str]:
    """The address of a Prefect API: PREFECT_API_URL, one that runs on this root, or a new one."""
    found = os.environ.get("PREFECT_API_URL") or running()
    if found:
        yield found
        return
    with started(free_port()) as url:
        yield url


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refuse_taken(port: int, what: str, remedy: str, host: str = "127.0.0.1") -> None:
    """Say in words that somebody listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise Refusal(
                f"port {port}", "found another program listening there", f"wanted it free for {what}",
                remedy,
            ) from None  # fmt: skip


@contextmanager
def started(port: int) -> Iterator[str]:
    """The address of a new server of this root, which ends with the block."""
    url = f"http://127.0.0.1:{port}/api"
    log, note = home() / "prefect" / "server.log", _note()
    environment = {**laptop(), "PREFECT_UI_API_URL": url}
    with beside("flows.server", str(port), log=log, environment=environment) as process:
        try:
            _await(url, process, log)
            note.write_text(json.dumps({"url": url, "pid": process.pid}))
            yield url
        finally:
            note.unlink(missing_ok=True)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(url):
            return
        time.sleep(0.1)
    process.kill()
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"the Prefect server did not start; the end of {log}:\n{tail}")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _note() -> Path:
    return home() / "prefect" / "server.json"


def running() -> str | None:
    """The address of a server that runs on this root now."""
    try:
        url = str(json.loads(_note().read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None
    return url if _answers(url) else None


def _end() -> None:
    threading.Timer(10, os._exit, args=(0,)).start()
    os.kill(os.getpid(), 15)


def main() -> None:
    """Serve Prefect's API and UI, and the pages, until standard input ends."""
    options = _options()
    if not options.alone:
        end_with_caller(_end)
    import uvicorn
    from prefect.server.api.server import create_app
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    pages = home() / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    beside = Starlette(routes=[Mount("/pages", StaticFiles(directory=pages, html=True))])
    app = _either(create_app(final=True), "/pages/", beside)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flows.server")
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine only")
    parser.add_argument("--alone", action="store_true", help="no caller is there to end with")
    return parser.parse_args()


def _either(main: ASGIApp, path: str, other: ASGIApp) -> ASGIApp:
    """`main`, but for what stands under `path`: Prefect's UI would take every path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = other if scope["type"] == "http" and scope["path"].startswith(path) else main
        await chosen(scope, receive, send)

    return app


if __name__ == "__main__":
    main()
