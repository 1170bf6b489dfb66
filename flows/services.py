"""What stays up: the scoring services, and Prefect's UI with the pages beside it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from charter import Charter, Refusal
from flows.server import api, refuse_taken
from flows.terminal import console, say_where
from serving import releases
from serving.home import home


def serve_here(charter: Charter, host: str, port: int) -> None:
    """Serve the project's live release in the foreground, until Ctrl-C."""
    _refuse_unreleased(charter)
    refuse_taken(port, "the scoring service", "Choose another with --port, or stop that program.")
    with suppress(KeyboardInterrupt), _kept(charter, host, port) as process:
        process.wait()


def up(charters: Sequence[Charter], port: int) -> None:
    """Prefect's UI and one service per charter in the foreground, until Ctrl-C."""
    refuse_taken(port, "the Prefect UI", "Choose another with --port, or stop that program.")
    for charter in charters:
        _refuse_unreleased(charter)
        refuse_taken(
            charter.deployment.port, f"the service of {charter.name}",
            "Set deployment.port in the charter, or stop that program.",
        )  # fmt: skip
    with ExitStack() as stack:
        url = stack.enter_context(api(port))
        running = [
            stack.enter_context(_kept(one, one.deployment.host, one.deployment.port))
            for one in charters
        ]
        say_where("up; Ctrl-C ends it", addresses(charters, url.removesuffix("/api")))
        try:
            while all(process.poll() is None for process in running):
                time.sleep(0.5)
        except KeyboardInterrupt:
            console.print("stopping")


def addresses(charters: Sequence[Charter], ui: str) -> dict[str, str]:
    """Where to look, by what one finds there."""
    found = {"Prefect UI": ui}
    for charter in charters:
        found[f"{charter.name}: page"] = f"{ui}/pages/{charter.name}/scorecard.html"
        found[f"{charter.name}: service"] = (
            f"http://{charter.deployment.host}:{charter.deployment.port}"
        )
    return found


def _refuse_unreleased(charter: Charter) -> None:
    if releases.live(home() / "releases" / charter.name) is None:
        raise Refusal(
            f"releases/{charter.name}",
            "found no live release",
            "wanted one to serve",
            f"Run `perennial train configs/{charter.name}.yaml` first.",
        )


def _service(charter: Charter, host: str, port: int) -> subprocess.Popen[bytes]:
    folder = home() / "releases" / charter.name
    arguments = ["--releases", str(folder), "--host", host, "--port", str(port)]
    return subprocess.Popen([sys.executable, "-m", "serving", *arguments])


@contextmanager
def _kept(charter: Charter, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A service that ends with the block."""
    process = _service(charter, host, port)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
