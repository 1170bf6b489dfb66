"""The processes of `perennial up`: kept at work, told about, ended with the block."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from math import inf
from pathlib import Path

from flows.terminal import console

Process = subprocess.Popen[bytes]
SOON = 60.0
"""Seconds: what ends so soon after it was started again is not started once more."""
TAIL = 1500  # characters of a log that are worth showing


@dataclass
class _Kept:
    start: Callable[[], AbstractContextManager[Process]]
    log: Path
    process: Process
    again: float
    """When it was started again; before that, one end is forgiven."""


class House(ExitStack):
    """Processes that are started again when they end by themselves, and end with the block."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, _Kept] = {}

    def keep(
        self, what: str, start: Callable[[], AbstractContextManager[Process]], log: Path
    ) -> Process:
        """Start it, and from now on again whenever `look` finds it ended."""
        process = self.enter_context(start())
        again = time.monotonic() if what in self._kept else -inf
        self._kept[what] = _Kept(start, log, process, again)
        return process

    def look(self) -> None:
        """Start again what has ended; RuntimeError with the end of its log where that was in vain."""
        for what, kept in self._kept.items():
            if kept.process.poll() is None:
                continue
            said = f"{what} ended by itself with code {kept.process.returncode}"
            if time.monotonic() - kept.again < SOON:
                raise RuntimeError(f"{said}; the end of {kept.log}:\n{_tail(kept.log)}")
            console.print(f"{said}, and is started again; its log is {kept.log}", soft_wrap=True)
            self.keep(what, kept.start, kept.log)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-TAIL:].strip()
