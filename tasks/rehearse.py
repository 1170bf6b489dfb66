"""Proof before release: a real server process answers right and fast."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

from charter import Charter, Frozen, Verdict
from serving import releases, signing
from serving.bundle import Artifact, load
from serving.device.runtime import PIN
from serving.golden import Golden, golden
from serving.home import place
from tasks.package import Bundle
from tasks.progress import report
from tasks.rehearsal.runtime import runtime
from tasks.rehearsal.targets import on_devices, parity, read
from tasks.service import Client, served

WARM_UP = 20
ROUNDS = 2
PATIENCE = 120.0  # seconds for everything that is asked, beside the requests within the limit


class Blessing(Frozen):
    """What the rehearsal measured."""

    project: str
    bundle: str
    """Folder of the bundle, relative to the root."""
    fingerprint: str
    requests: int
    p50_ms: float
    p99_ms: float
    golden_rows: int
    golden_difference: float
    verdicts: tuple[Verdict, ...]


def rehearse(charter: Charter, bundle: Bundle) -> Blessing:
    """Start the service with the bundle on a free port, compare golden answers, time requests.

    Where the charter names devices, both of their runners answer the same rows, before anything goes
    live. The server runs in a process of its own, which is gone when this returns, however it returns.
    """
    folder = place(bundle.where)
    artifact, wanted = load(folder), golden(folder)
    requests, limit = charter.deployment.rehearsal_requests, charter.constraints.latency_p99_ms
    devices = "device" in charter.experience.surfaces
    with tempfile.TemporaryDirectory(prefix="perennial-rehearsal-") as temporary:
        stage = Path(temporary) / "releases"
        live = releases.publish(stage, releases.add(stage, folder), None)
        release = stage / str(live.release)
        signing.sign(release)
        if devices:
            signing.need("since experience.surfaces names device")
            (stage / PIN.name).symlink_to(runtime())
        report("rehearse", 0, 4, "waiting for the server")
        with (
            served(stage, f"rehearsal of {bundle.where}") as service,
            service.client(PATIENCE + requests * limit / 1e3) as client,
        ):
            report("rehearse", 1, 4, "golden rows")
            right, apart = _right(client, artifact, wanted)
            report("rehearse", 2, 4, f"timing {requests} requests")
            timed = _timed(client, requests, limit, wanted)
            report("rehearse", 3, 4, "on devices" if devices else "on no device")
            others = on_devices(release, live, service.port, artifact, wanted) if devices else ()
    report("rehearse", 4, 4, "done")
    return Blessing(
        project=charter.name,
        bundle=bundle.where,
        fingerprint=bundle.fingerprint,
        requests=len(timed),
        p50_ms=percentile(timed, 0.50),
        p99_ms=percentile(timed, 0.99),
        golden_rows=len(wanted.rows),
        golden_difference=apart,
        verdicts=(right, _fast(timed, limit), *others),
    )


def percentile(milliseconds: list[float], share: float) -> float:
    """The nearest-rank percentile: the smallest measured value that `share` of all do not exceed."""
    return sorted(milliseconds)[math.ceil(share * len(milliseconds)) - 1]


def _right(client: Client, artifact: Artifact, wanted: Golden) -> tuple[Verdict, float]:
    """Every golden row answered in one request together, and each alone."""
    together = read(client.predict(list(wanted.rows)), artifact.signature)
    alone = read([client.predict(row) for row in wanted.rows], artifact.signature)
    return parity("rehearsal.golden", (together, alone), artifact, wanted)


def _timed(client: Client, requests: int, limit: float, wanted: Golden) -> list[float]:
    """Milliseconds of one-row requests over one connection.

    A round that fails is measured once more, since something else on the machine may have been in
    the way; the better round counts.
    """
    bodies = [json.dumps(row).encode() for row in wanted.rows]
    best: list[float] = []
    for _ in range(ROUNDS):
        timed = _round(client, bodies, requests, limit)
        best = min(best or timed, timed, key=lambda times: percentile(times, 0.99))
        if percentile(best, 0.99) <= limit:
            break
    return best


def _round(client: Client, bodies: list[bytes], requests: int, limit: float) -> list[float]:
    """Times of the requests, warm-up left out; it ends early where p99 cannot be met any more."""
    for i in range(WARM_UP):
        client.send(bodies[i % len(bodies)])
    allowed = requests - math.ceil(0.99 * requests)
    timed: list[float] = []
    slow = 0
    for i in range(requests):
        timed.append(client.time(bodies[i % len(bodies)]))
        slow += timed[-1] > limit
        if slow > allowed:
            break
    return timed


def _fast(timed: list[float], limit: float) -> Verdict:
    p99 = percentile(timed, 0.99)
    said = f"p99 {p99:.2f} ms over {len(timed):,} requests of one row, limit {limit:g} ms"
    return Verdict(
        gate="constraints.latency_p99_ms",
        passed=p99 <= limit,
        message=said,
        numbers={"p50_ms": percentile(timed, 0.5), "p99_ms": p99, "limit_ms": limit},
    )
