"""How the service does, for Prometheus; counting a request costs less than a microsecond.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from serving.journaling.book import Backlog
from serving.journaling.minutes import EDGES
from serving.watch import Watch

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
STARTED = time.time()

Sample = tuple[str, dict[str, str | int | float], float]
"""Suffix of the name, labels, value."""


class Meter:
    """Counts the requests of one route."""

    __slots__ = ("latency", "milliseconds", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = defaultdict(int)
        self.latency = [0] * (len(EDGES) + 1)
        self.milliseconds = 0.0

    def count(self, status: int, milliseconds: float) -> None:
        """One request that was answered."""
        self.statuses[status] += 1
        self.latency[bisect_left(EDGES, milliseconds)] += 1
        self.milliseconds += milliseconds


class Metrics:
    """The meters of all routes; routes are templates, so there are few of them."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}

    def meter(self, route: str) -> Meter:
        """The meter of a route, made with its first request."""
        return self._meters.setdefault(route, Meter())

    def text(self, watch: Watch, backlog: Backlog | None) -> str:
        """All of it as one page."""
        lines = [
            *_family(
                "requests_total", "counter", "Requests by route and status.", self._requests()
            ),
            *_family("request_seconds", "histogram", "Time to answer.", self._latency()),
            *_release(watch),
            *(_journal(backlog) if backlog else ()),
            *_process(),
        ]
        return "\n".join(lines) + "\n"

    def _requests(self) -> Iterator[Sample]:
        for route, meter in sorted(self._meters.items()):
            for status, count in sorted(meter.statuses.items()):
                yield "", {"route": route, "status": status}, count

    def _latency(self) -> Iterator[Sample]:
        for route, meter in sorted(self._meters.items()):
            total = 0
            for edge, count in zip((*EDGES, float("inf")), meter.latency, strict=True):
                total += count
                end = f"{edge / 1e3:.6g}" if edge < float("inf") else "+Inf"
                yield "_bucket", {"route": route, "le": end}, total
            yield "_sum", {"route": route}, meter.milliseconds / 1e3
            yield "_count", {"route": route}, total


def _release(watch: Watch) -> Iterator[str]:
    current = watch.current
    number = current.live.release if current else 0
    yield from _one("release", "Number of the release that answers; 0 before there is one.", number)
    if current:
        since = datetime.fromisoformat(current.live.at).timestamp()
        yield from _one("release_live_timestamp_seconds", "When it went live.", since)
    tried, share = (watch.arms.canary, watch.arms.share) if watch.arms else (None, 0.0)
    told = "Number of the release that is tried beside it; 0 where none is."
    yield from _one("canary_release", told, tried.live.release if tried else 0)
    yield from _one("canary_share", "The share of the requests that it takes.", share)
    refused = "1 where the release that is live was not taken."
    yield from _one("release_refused", refused, watch.refused is not None)


def _journal(backlog: Backlog) -> Iterator[str]:
    told = "Predictions on their way into the journal; none of them is answered yet."
    yield from _one("journal_waiting_predictions", told, backlog.waiting)
    told = "For how long the oldest of them has been waiting."
    yield from _one("journal_lag_seconds", told, backlog.lag)
    if backlog.unfolded is not None:
        told = "Age of the oldest prediction that is not claimed for the next training."
        yield from _one("journal_unfolded_seconds", told, backlog.unfolded)


def _process() -> Iterator[str]:
    """Under the names that every client library uses."""
    memory = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    shown = {
        "process_resident_memory_bytes": ("gauge", "Memory in RAM.", memory),
        "process_cpu_seconds_total": ("counter", "User and system time.", time.process_time()),
        "process_start_time_seconds": ("gauge", "When the process began.", STARTED),
    }
    for name, (kind, told, value) in shown.items():
        yield from _family(name, kind, told, [("", {}, value)], "")


def _one(name: str, told: str, value: float) -> Iterator[str]:
    return _family(name, "gauge", told, [("", {}, value)])


def _family(
    name: str,
    kind: str,
    told: str,
    samples: Iterator[Sample] | list[Sample],
    prefix: str = "perennial_",
) -> Iterator[str]:
    name = f"{prefix}{name}"
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"
    for suffix, labels, value in samples:
        said = ",".join(f'{key}="{one}"' for key, one in labels.items())
        yield (
            f"{name}{suffix}{{{said}}} {float(value):.17g}"
            if said
            else f"{name} {float(value):.17g}"
        )
