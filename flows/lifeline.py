"""A process beside us that never outlives us, however we end.

It gets one end of a pipe as its standard input, and ends when the other end closes: by us, or by
the kernel when we were killed. No signal has to be sent, so no kill can come before it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

GRACE = 30.0  # seconds it may take to end by itself


@contextmanager
def beside(
    module: str, *arguments: str, log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module`, which calls `end_with_caller`, for as long as the block lasts."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=out, stderr=out, env={**os.environ, **environment},
            start_new_session=True,  # Ctrl-C is for us; we end it in our order
        )  # fmt: skip
    try:
        yield process
    finally:
        process.stdin.close()  # type: ignore[union-attr]  # a pipe, by the call above
        try:
            process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_with_caller(end: Callable[[], None]) -> None:
    """Call `end` when the caller of `beside` is done with us or gone."""

    def wait() -> None:
        sys.stdin.buffer.read()  # returns when the other end is closed
        end()

    threading.Thread(target=wait, daemon=True).start()
