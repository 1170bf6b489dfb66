"""The scoring services: one in the foreground, or those of `perennial up`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from charter import Charter, Refusal
from flows.server import refuse_taken
from serving import releases
from serving.home import home


def serve_here(charter: Charter, host: str, port: int) -> None:
    """Serve the project's live release in the foreground, until Ctrl-C."""
    if not released(charter):
        raise Refusal(
            f"releases/{charter.name}",
            "found no live release",
            "wanted one to serve",
            f"Run `perennial train configs/{charter.name}.yaml` first.",
        )
    refuse_taken(
        port, "the scoring service", "Choose another with --port, or stop that program.", host
    )
    with suppress(KeyboardInterrupt), service(charter, host, port) as process:
        process.wait()


def released(charter: Charter) -> bool:
    """Whether the project has a live release."""
    return releases.live(_folder(charter)) is not None


@contextmanager
def service(
    charter: Charter, host: str, port: int, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A service that ends with the block, and with us; without a log it speaks to the terminal."""
    arguments = ["--releases", str(_folder(charter)), "--host", host, "--port", str(port)]
    arguments += ["--durable", charter.runtime.durable, "--parent", str(os.getpid())]
    command = [sys.executable, "-m", "serving", *arguments]
    if log is None:
        process = subprocess.Popen(command)
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _folder(charter: Charter) -> Path:
    return home() / "releases" / charter.name
