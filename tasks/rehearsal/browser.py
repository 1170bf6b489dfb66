"""The release in a real browser, as the page runs it on the user's device."""

from __future__ import annotations

import http.client
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson

from serving.golden import Golden
from serving.site.page import ON_DEVICE

VARIABLE = "PERENNIAL_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 120.0  # that the browser may take
PAGE = b'<!doctype html><title>rehearsal</title><script type="module" src="/rehearsal/parity.js"></script>'
SCRIPT = Path(__file__).with_name("parity.js")
OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def program() -> str | None:
    """The browser to try it in: what PERENNIAL_BROWSER names (`off`: none), else one that is found."""
    named = os.environ.get(VARIABLE)
    if named == "off":
        return None
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def answers(browser: str, port: int, wanted: Golden) -> dict[str, Any]:
    """What it answers to the golden rows, `together` and `alone`; or `error`, in its words.

    `port` is that of the service, whose own files and headers the browser gets.
    """
    found: queue.Queue[bytes] = queue.Queue()
    rows = orjson.dumps([dict(row) for row in wanted.rows])
    with _stage(port, rows, found) as address, _opened(browser, address):
        try:
            return dict(orjson.loads(found.get(timeout=SECONDS)))
        except queue.Empty:
            return {"error": f"no answer within {SECONDS:g} s"}


@contextmanager
def _stage(port: int, rows: bytes, found: queue.Queue[bytes]) -> Iterator[str]:
    """The service with a page more, for as long as the block lasts."""

    class Stage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own = {
                "/": (PAGE, "text/html"), "/rehearsal/rows": (rows, "application/json"),
                "/rehearsal/parity.js": (SCRIPT.read_bytes(), "text/javascript"),
            }  # fmt: skip
            if self.path in own:
                content, media = own[self.path]
                self._give(200, content, media)
            else:
                self._give(*passed(port, self.path))

        def do_POST(self) -> None:
            found.put(self.rfile.read(int(self.headers["content-length"])))
            self._give(200, b"", "text/plain")

        def _give(self, status: int, content: bytes, media: str) -> None:
            self.send_response(status)
            self.send_header("content-type", media)
            self.send_header("content-length", str(len(content)))
            self.send_header("content-security-policy", ON_DEVICE)
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Stage) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def passed(port: int, path: str) -> tuple[int, bytes, str]:
    """What the service gives at a path: status, content, media type."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read(), reply.headers.get_content_type()
    finally:
        connection.close()


@contextmanager
def _opened(browser: str, address: str) -> Iterator[None]:
    """The browser with a profile of its own, all of whose processes are gone after the block."""
    with tempfile.TemporaryDirectory(
        prefix="perennial-browser-", ignore_cleanup_errors=True
    ) as own:
        # Root cannot have the sandbox; what is opened is ours.
        bare = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [browser, *OPTIONS, *bare, f"--user-data-dir={own}", address]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, env={**os.environ, "HOME": own},
        )  # fmt: skip
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
