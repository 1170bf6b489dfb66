"""Prefect's own server, for all commands at work on one root; it ends with the last of them.

Prefect starts a temporary server by itself when it is given no address; that one is left over when
the run is killed, and goes on holding the database. Here every command holds a shared lock, and the
server waits for an exclusive one: the system grants it once all are gone, however they went.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from charter import Refusal
from flows.settings import laptop
from serving.home import home

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE = 180.0
"""Seconds until a server counts as not starting; migrations of a first start take most."""


@contextmanager
def api() -> Iterator[str]:
    """The address of a Prefect API: PREFECT_API_URL, or the server of this root."""
    if given := os.environ.get("PREFECT_API_URL"):
        yield given
        return
    with shared() as url:
        yield url


def address(port: int) -> str:
    """The address of the API of a server of ours on this port."""
    return f"http://127.0.0.1:{port}/api"


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
def shared(port: int | None = None) -> Iterator[str]:
    """The address of the server of this root, started on `port` (any) where none runs yet."""
    process = None
    with _lock("users") as users:
        with _lock("starting") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)  # waits until one that is ending has ended
            url = running()
            if url is None:
                process, url = _start(port or free_port())
        try:
            yield url
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if process is not None:
                _wait(process)


def _lock(name: str) -> IO[bytes]:
    (home() / "prefect").mkdir(parents=True, exist_ok=True)
    return (home() / "prefect" / f"{name}.lock").open("ab")


def _start(port: int) -> tuple[subprocess.Popen[bytes], str]:
    url = address(port)
    with log().open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.server", str(port)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env={**os.environ, **laptop(), "PREFECT_UI_API_URL": url},
            start_new_session=True,  # Ctrl-C is for us; it ends when nobody uses it
        )  # fmt: skip
    _await(url, process)
    _note().write_text(json.dumps({"url": url, "pid": process.pid, "port": port}))
    return process, url


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Until the server that we started has ended, unless others use it."""
    while process.poll() is None and not _used():
        time.sleep(0.05)


def _used() -> bool:
    """Whether a command holds the shared lock; the server holds the exclusive one when it ends."""
    with _lock("users") as users:
        return not _taken(users, fcntl.LOCK_EX) and _taken(users, fcntl.LOCK_SH)


def _taken(lock: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _answers(url):
            return
        time.sleep(0.1)
    process.kill()
    tail = log().read_text(errors="replace")[-2000:]
    raise RuntimeError(f"the Prefect server did not start; the end of {log()}:\n{tail}")


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _note() -> Path:
    return home() / "prefect" / "server.json"


def log() -> Path:
    """Where the server of this root says what it has to say."""
    return home() / "prefect" / "server.log"


def running() -> str | None:
    """The address of the server of this root, where one runs now."""
    try:
        url = str(json.loads(_note().read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None
    return url if alive() and _answers(url) else None


def alive() -> bool:
    """Whether the process of the server of this root runs, however busy it is.

    Its port alone says nothing: the server of another root may have it by now.
    """
    try:
        note = json.loads(_note().read_text())
        command = psutil.Process(note["pid"]).cmdline()
        return command[-3:] == ["-m", "flows.server", str(note["port"])]
    except (OSError, ValueError, KeyError, psutil.Error):
        return False


def _end_with_users() -> None:
    with _lock("users") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        threading.Timer(10, os._exit, args=(0,)).start()
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait()  # whoever comes now waits for our end


def main() -> None:
    """Serve Prefect's API and UI, and the pages, until nobody uses this root."""
    options = _options()
    if not options.alone:
        threading.Thread(target=_end_with_users, daemon=True).start()
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
    parser.add_argument("--alone", action="store_true", help="runs on when nobody uses it")
    return parser.parse_args()


def _either(main: ASGIApp, path: str, other: ASGIApp) -> ASGIApp:
    """`main`, but for what stands under `path`: Prefect's UI would take every path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        chosen = other if scope["type"] == "http" and scope["path"].startswith(path) else main
        await chosen(scope, receive, send)

    return app


if __name__ == "__main__":
    main()
