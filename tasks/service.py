"""A service process for as long as a block lasts, and a client that times it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charter import Refusal

START = 60.0  # seconds until the service has to be ready
TAIL = 2_000  # characters of its log that a refusal shows
REHEARSED = ("--journal", "off")  # a rehearsal is no traffic
LOOK = "Look at the log above; `perennial train` makes the bundle anew."


@dataclass(frozen=True)
class Service:
    """A running service: where it listens and what it said."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    where: str

    @contextmanager
    def client(self, seconds: float = 120.0) -> Iterator[Client]:
        """One connection that is kept open; whatever is asked over it takes so long at most."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            yield Client(self, connection, time.monotonic() + seconds)
        finally:
            connection.close()

    def refusal(self, found: str, wanted: str, remedy: str = LOOK) -> Refusal:
        """A refusal with the end of the service's log."""
        said = self.log.read_text("utf-8", "replace")[-TAIL:].strip()
        shown = f"{found}; its log ends:\n{said}\n" if said else found
        return Refusal(self.where, shown, wanted, remedy)


@dataclass(frozen=True)
class Client:
    """Sends requests, one after the other."""

    service: Service
    connection: http.client.HTTPConnection
    deadline: float

    def predict(self, rows: object) -> Any:
        """The answer to one row, or to a list of rows."""
        return json.loads(self.send(json.dumps(rows).encode()))

    def time(self, body: bytes) -> float:
        """Milliseconds from the request to the whole answer."""
        start = time.perf_counter()
        self.send(body)
        return (time.perf_counter() - start) * 1e3

    def send(self, body: bytes) -> bytes:
        """The body of the answer; anything but 200 in time is refused."""
        self.connection.timeout = max(self.deadline - time.monotonic(), 0.001)
        if self.connection.sock is not None:
            self.connection.sock.settimeout(self.connection.timeout)
        try:
            self.connection.request("POST", "/predict", body)
            reply = self.connection.getresponse()
            content = reply.read()
        except TimeoutError as error:
            remedy = "Take a cheaper model: constraints.latency_p99_ms, tuning.families."
            raise self.service.refusal(
                "found requests that take too long", "wanted answers", remedy
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise self.service.refusal(f"found no answer ({error!r})", "wanted one") from error
        if reply.status != 200:
            found = f"found status {reply.status}: {content[:500].decode('utf-8', 'replace')}"
            raise self.service.refusal(found, "wanted status 200")
        return content


@contextmanager
def served(releases: Path, where: str, options: Sequence[str] = REHEARSED) -> Iterator[Service]:
    """Serve a releases folder on a free port of this machine; ready inside, gone after the block.

    The process has a group of its own, which is killed however the block ends, and it ends by
    itself when this process is killed.
    """
    with tempfile.TemporaryDirectory(prefix="perennial-service-") as temporary:
        log, port = Path(temporary) / "log", Path(temporary) / "port"
        command = [sys.executable, "-m", "serving", "--releases", str(releases), "--port", "0"]
        command += options
        command += ["--port-file", str(port), "--parent", str(os.getpid())]
        with log.open("wb") as said:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        try:
            yield _ready(process, log, port, where)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it keeps nothing, so nothing is lost
            process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path, port: Path, where: str) -> Service:
    """The service as soon as it is ready; refused when it ends, refuses its release or is late."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        service = Service(int(port.read_text()) if port.exists() else 0, process, log, where)
        if process.poll() is not None:
            found = f"found the service ended with {process.returncode} before it was ready"
            raise service.refusal(found, "wanted it to start")
        state = _state(service.port) if service.port else {}
        if state.get("ready"):
            return service
        if state.get("refused"):
            raise service.refusal(f"found {state['refused']['why']}", "wanted the bundle served")
        time.sleep(0.03)
    raise service.refusal(f"found the service not ready after {START:g} s", "wanted it ready")


def _state(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
