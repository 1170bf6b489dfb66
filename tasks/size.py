"""What a load costs: how many cores and how much memory serve it at the charter's p99."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from charter import Charter, Frozen, Refusal, Verdict
from serving import releases
from serving.golden import golden
from serving.home import home
from serving.loaded import HELD
from tasks.progress import report
from tasks.rehearse import percentile
from tasks.service import Service, served
from tasks.sizing.load import Counted, Failed, load
from tasks.sizing.points import Point, busy, most

SHARES = (0.1, 0.3, 0.5, 0.7, 0.85)
"""Parts of the saturating rate at which the service is measured."""
FREE = 0.8
"""Cores that a service has when it is saturated and nothing else is in its way."""
SECONDS = 1.5
"""Of each measured load."""


class Sized(Frozen):
    """What one machine like this serves, and what the load asked for costs."""

    project: str
    release: int
    rps: float
    """The load that was asked about."""
    limit_ms: float
    """`constraints.latency_p99_ms`."""
    durable: str
    """What an answered prediction survives (`runtime.durable`); it is part of the price."""
    replicas: int
    """Services that serve the load within the limit; 0: none does, however many."""
    cores: float
    """Cores that they use together; each takes one at most for its event loop."""
    memory_mb: float
    """Resident, together, in MB (10^6 bytes)."""
    core_hours: float
    """Of a million predictions, at this load."""
    most_rps: float
    """What one service serves within the limit; from here on a second one is needed."""
    saturated_rps: float
    """What one service answers at most."""
    points: tuple[Point, ...]
    """What was measured."""
    seconds: float
    """How long it took."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Whether the load can be served within the limit at all, and what the figures are worth."""
        said = f"one service keeps p99 {self.limit_ms:g} ms up to {self.most_rps:,.0f} requests/s"
        numbers = {"most_rps": self.most_rps, "rps": self.rps, "limit_ms": self.limit_ms}
        got = max(point.cores for point in self.points)
        free = f"the service had {got:.2f} of a core at most"
        if got < FREE:
            free += ": the machine was busy with something else, so it serves more than this says"
        return (
            Verdict(
                gate="constraints.latency_p99_ms", passed=self.replicas > 0, message=said,
                numbers=numbers,
            ),
            Verdict(gate="machine", passed=got >= FREE, message=free, level="warn"),
        )  # fmt: skip


def size(
    charter: Charter, rps: float, release: int | None = None, seconds: float = SECONDS
) -> Sized:
    """Put load on a service of the live release, or of another one, and say what `rps` needs.

    The service runs by itself on loopback, with a journal of its own, so that nothing that is live is
    asked. It is measured idle, saturated, and at `SHARES` of that, one-row requests over 16
    connections; what lies between is on straight lines. The machine should have nothing else to do:
    latency is that of here and now.
    """
    if not rps > 0:
        raise Refusal("--rps", f"found {rps:g}", "wanted requests a second, above 0", "Name the load.")  # fmt: skip
    began, number, folder = time.monotonic(), *_release(charter, release)
    with tempfile.TemporaryDirectory(prefix="perennial-size-") as temporary:
        stage = Path(temporary) / charter.name
        releases.publish(stage, releases.add(stage, folder), None)
        journal = ("--journal", f"sqlite:///{temporary}/journal.db")
        options = (*journal, "--durable", charter.runtime.durable)
        with served(stage, f"release {number} of {charter.name}", options) as service:
            probe = Probe(service, bodies(folder), seconds)
            saturated, points = _measured(probe)
            memory = probe.memory_mb
    limit = charter.constraints.latency_p99_ms
    top = most(points, saturated.rate, limit)
    replicas = math.ceil(rps / top) if top else 0
    each = rps / replicas if replicas else rps
    cores = max(replicas, 1) * busy((*points, saturated), each)
    return Sized(
        project=charter.name, release=number, rps=rps, limit_ms=limit,
        durable=charter.runtime.durable, replicas=replicas, cores=cores,
        memory_mb=max(replicas, 1) * memory, core_hours=cores / rps * 1e6 / 3600, most_rps=top,
        saturated_rps=saturated.rate, points=(*points, saturated),
        seconds=time.monotonic() - began,
    )  # fmt: skip


@dataclass(frozen=True)
class Probe:
    """Measures a running service."""

    service: Service
    bodies: Sequence[bytes]
    seconds: float

    def at(self, rate: float | None) -> Point:
        """The service under this load; None: as much as it takes."""
        process = psutil.Process(self.service.process.pid)
        before, begin = _used(process), time.monotonic()
        try:
            found = load(self.service.port, self.bodies, self.seconds, rate)
        except Failed as error:
            raise self.service.refusal(f"found a request that failed ({error})", "wanted answers") from error  # fmt: skip
        return _point(found, (_used(process) - before) / (time.monotonic() - begin))

    def idle(self) -> Point:
        """Without any load."""
        process = psutil.Process(self.service.process.pid)
        before = _used(process)
        time.sleep(self.seconds)
        return Point(rate=0.0, cores=(_used(process) - before) / self.seconds)

    @property
    def memory_mb(self) -> float:
        """Resident now."""
        return float(psutil.Process(self.service.process.pid).memory_info().rss) / 1e6


def _measured(probe: Probe) -> tuple[Point, tuple[Point, ...]]:
    """Saturated, and from idle to nearly that."""
    steps = len(SHARES) + 2
    report("size", 0, steps, "idle")
    points = [probe.idle()]
    report("size", 1, steps, "as much as it takes")
    saturated = probe.at(None)
    for done, share in enumerate(SHARES, 2):
        rate = share * saturated.rate
        report("size", done, steps, f"{rate:,.0f} requests a second")
        points.append(probe.at(rate))
    report("size", steps, steps, "done")
    return saturated, tuple(points)


def _point(found: Counted, cores: float) -> Point:
    times = found.milliseconds
    if not times:
        return Point(rate=0.0, p99_ms=math.inf, cores=cores)
    return Point(
        rate=found.rate, p50_ms=percentile(times, 0.5), p99_ms=percentile(times, 0.99), cores=cores
    )


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _release(charter: Charter, number: int | None) -> tuple[int, Path]:
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    number = live.release if number is None and live else number
    known = releases.numbers(folder)
    if number is None or number not in known:
        found = "no live release" if number is None else f"no release {number}"
        wanted = f"one of {', '.join(map(str, known))}" if known else "a release"
        remedy = f"Run `perennial train configs/{charter.name}.yaml`, or name one with --release."
        raise Refusal(f"releases/{charter.name}", f"found {found}", f"wanted {wanted}", remedy)
    return number, folder / str(number)


def bodies(folder: Path) -> list[bytes]:
    """Rows as they were held out; hostile ones say nothing about what is usual."""
    wanted = golden(folder)
    pairs = zip(wanted.rows, wanted.cases, strict=True)
    held = [row for row, case in pairs if case.startswith(HELD)]
    return [json.dumps(row).encode() for row in held or wanted.rows]
