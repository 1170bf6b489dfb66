"""A Dask cluster on free loopback ports, started by the two commands of the README."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).parents[2]


class LocalCluster:
    """A scheduler, and workers in processes of their own with a nanny each."""

    def __init__(self, folder: Path, workers: int, threads: int = 1) -> None:
        self.address = ""
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self._count = workers
        self._threads = threads

    def __enter__(self) -> Self:
        file = self._folder / "scheduler.json"
        self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(file),
        )  # fmt: skip
        until(file.exists)
        self.address = json.loads(file.read_text())["address"]
        for _ in range(self._count):
            self.add()
        if self._count:
            self.wait(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            if process.poll() is None:
                self.stop(psutil.Process(process.pid))
            process.wait()

    def add(self, code: Path = ROOT) -> None:
        """One more worker, with the code that lies there."""
        place = str(self._folder / f"worker{len(self._started)}")
        self._start(
            "worker", self.address, "--nthreads", str(self._threads), "--no-dashboard",
            "--host", "127.0.0.1", "--local-directory", place, code=code,
        )  # fmt: skip

    def wait(self, workers: int, seconds: float = 60) -> None:
        """Until so many workers are there."""
        from distributed import Client

        with Client(self.address, timeout=seconds, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=seconds)

    @property
    def scheduler(self) -> psutil.Process:
        return psutil.Process(self._started[0].pid)

    @property
    def nannies(self) -> list[psutil.Process]:
        return [psutil.Process(one.pid) for one in self._started[1:] if one.poll() is None]

    @property
    def processes(self) -> list[psutil.Process]:
        """The workers themselves."""
        return [one for nanny in self.nannies for one in nanny.children() if "spawn" in _said(one)]

    @property
    def fitting(self) -> list[psutil.Process]:
        """The children of the workers, in which fits run."""
        every = [one for nanny in self.nannies for one in children(nanny)]
        return [one for one in every if "tasks.tuning.worker" in _said(one)]

    def stop(self, nanny: psutil.Process) -> None:
        """At once, with all that it started."""
        for one in [nanny, *children(nanny)]:
            one.send_signal(signal.SIGKILL)

    def _start(self, *words: str, code: Path = ROOT) -> None:
        said = (self._folder / f"said{len(self._started)}.txt").open("wb")
        with said:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                cwd=code,
                env={**os.environ, "PYTHONPATH": str(code)},
                stdout=said,
                stderr=said,
            )
        self._started.append(process)


def children(process: psutil.Process) -> list[psutil.Process]:
    """All below it."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _said(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def gone(processes: Sequence[psutil.Process], seconds: float = 15) -> bool:
    """Whether all of them end within so many seconds."""
    _, alive = psutil.wait_procs(list(processes), timeout=seconds)
    return not alive


def until(condition: object, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)
