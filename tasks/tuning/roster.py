"""The workers of a cluster: who is there, and who has the same versions as this machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.tuning.post import versions
from tasks.tuning.scheduler import CONNECT, Later, Scheduler

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    """As the scheduler describes it, and what it says of its packages."""

    address: str
    threads: int
    memory: int | None
    """Bytes that it may take; None where nobody bounds it."""
    said: Later[dict[str, str]]

    @property
    def difference(self) -> str:
        """What is different on the worker, in words; empty where nothing is, or nothing was said."""
        if not self.said.done():
            return ""
        if self.said.status != "finished":
            return f"{self.address} cannot run it: {self.said.exception(CONNECT)}"
        theirs = self.said.result(CONNECT)
        different = [
            f"{name} {theirs.get(name, 'none')} (here {own})"
            for name, own in versions().items()
            if theirs.get(name) != own
        ]
        return f"{self.address} has {', '.join(different)}" if different else ""


class Roster:
    """Every worker that was seen, whether or not it is still there."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._new: list[Worker] = []
        self.seen: dict[str, Worker] = {}
        self.present: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether there are workers, and all have said what they are."""
        return bool(self.seen) and all(worker.said.done() for worker in self.seen.values())

    def look(self) -> None:
        """See who is there, every second; raises Lost."""
        workers = self._scheduler.look()
        if workers is None:
            return
        self.present = frozenset(workers)
        for address, one in workers.items():
            if address not in self.seen and one["status"] == "running":
                self._add(address, one)

    def _add(self, address: str, one: Mapping[str, Any]) -> None:
        said = self._scheduler.ask(versions, address)
        self.seen[address] = Worker(address, one["nthreads"], one["memory_limit"] or None, said)
        self._new.append(self.seen[address])

    def welcome(self) -> list[Worker]:
        """Those that have the same versions, each once, as soon as they have said so."""
        ready = [worker for worker in self._new if worker.said.done()]
        self._new = [worker for worker in self._new if worker not in ready]
        for words in filter(None, (worker.difference for worker in ready)):
            log.warning("not asked to run trials: %s", words)
        return [one for one in ready if not one.difference and one.address in self.present]
