"""Processes that work on the same root as a test, and that it kills on their way."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping

AFTER = 120
"""Seconds within which a child has to begin, on a machine that is busy."""


class Children:
    """Forked off a server that has the heavy imports behind it; Delta's threads bear no fork.

    The server imports from the folder that it was started in, so `preload` names no module of
    `tests`: another package of that name may be installed.
    """

    def __init__(self, *preload: str) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))

    def run(
        self, work: Callable[..., object], *given: object, seconds: float | None = None
    ) -> float | None:
        """Seconds that a child took for `work(*given)`; None where it was killed before.

        It sees the environment of this moment; the server has that of its start.
        """
        ready = self._context.Event()
        child = self._context.Process(target=begin, args=(ready, dict(os.environ), work, given))
        child.start()
        assert ready.wait(AFTER)
        began = time.perf_counter()
        child.join(seconds)
        child.kill()
        child.join()
        assert child.exitcode in (0, -9)
        return time.perf_counter() - began if child.exitcode == 0 else None


def begin(
    ready: object,
    environment: Mapping[str, str],
    work: Callable[..., object],
    given: tuple[object, ...],
) -> None:
    """What a child does."""
    os.environ |= environment
    ready.set()  # type: ignore[attr-defined]
    work(*given)
