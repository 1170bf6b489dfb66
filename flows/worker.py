"""The worker of `perennial up`: takes runs from the pool and gives each a process of its own.

It is Prefect's process worker; what is ours is how it ends. Prefect's own, when told to stop, leaves
the processes below the run, and when killed the run itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

import psutil

from flows.lifeline import end_with_caller

AT_ONCE = 2
"""Runs at a time on one machine: a retrain takes its cores, and SQLite bears no crowd."""


def main() -> None:
    """Work for the pool given until standard input ends."""
    end_with_caller(end_with_runs)
    from prefect.workers.process import ProcessWorker

    worker = ProcessWorker(work_pool_name=sys.argv[1], name="perennial up", limit=AT_ONCE)
    asyncio.run(worker.start())


def end_with_runs() -> None:
    """End at once, with every process below us; `flows.leftovers` sees to their runs.

    They are stopped first, so that none starts another, and killed together with us: a worker that
    sees a run die reports it as crashed, and then it would not go on.
    """
    below: set[psutil.Process] = set()
    while new := set(psutil.Process().children(recursive=True)) - below:
        below |= new
        for process in new:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
    for process in below:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)  # at once; that of psutil would look things up
    os._exit(0)


if __name__ == "__main__":
    main()
