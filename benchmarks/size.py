"""Whether `perennial size` is right: its short probe against long loads, on two projects.

    .venv/bin/python -m benchmarks.size [--seconds 6]

One boosted model of 200 trees, and nearest neighbours, which cost many times as much a row; both on
the rows of benchmarks/service.py. Cores, memory and the load from which on a second service is needed
are predicted once, then measured on another process at several loads.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.service import bundle, fitted
from charter import Charter
from charter.tuning import FamilyName
from serving import releases
from tasks.rehearse import percentile
from tasks.service import served
from tasks.size import Probe, Sized, bodies, size
from tasks.sizing.load import load
from tasks.sizing.points import busy

PROJECTS: dict[str, tuple[FamilyName, dict[str, int]]] = {
    "flights": ("boosting", {"trees": 200}),
    "queues": ("neighbours", {}),
}
LIMIT = 50.0
LOADS = (0.25, 0.5, 0.75)
"""Parts of what one service is said to serve, at which cores and memory are compared."""
EDGE = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
"""The same, among which the load from which on a second service is needed is looked for."""


def made(root: Path, project: str) -> Charter:
    """The project with a live release under `root`, which becomes the root."""
    name, params = PROJECTS[project]
    pipeline, signature, table = fitted(project, name, **params)
    bundle(root / "bundle", pipeline, signature, table.slice(0, 32).to_pylist())
    folder = root / "releases" / project
    releases.publish(folder, releases.add(folder, root / "bundle"), None)
    os.environ["PERENNIAL_HOME"] = str(root)
    return Charter.model_validate(
        {
            "name": project,
            "goal": {"target": {"column": "late"}},
            "data": {"source": {"kind": "csv", "path": "rows.csv"}},
            "constraints": {"latency_p99_ms": LIMIT},
        }
    )


def compared(root: Path, sized: Sized, seconds: float) -> Iterator[tuple[str, float, float]]:
    """What, predicted, measured."""
    folder = root / "releases" / sized.project
    rows: Sequence[bytes] = bodies(folder / "1")
    journal = ("--journal", f"sqlite:///{root}/journal.db")
    with served(folder, sized.project, journal) as service:
        probe = Probe(service, rows, seconds)
        for share in LOADS:
            rate = share * sized.most_rps
            found = probe.at(rate)
            yield f"cores at {rate:,.0f}/s", busy(sized.points, rate), found.cores
        yield "memory of one, MB", sized.memory_mb / max(sized.replicas, 1), probe.memory_mb
        kept = 0.0
        for share in EDGE:
            times = load(service.port, rows, seconds, share * sized.most_rps).milliseconds
            if percentile(times, 0.99) > sized.limit_ms:
                break
            kept = share * sized.most_rps
        yield f"requests/s within p99 {sized.limit_ms:g} ms", sized.most_rps, kept


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=6.0)
    asked = options.parse_args()
    for project in PROJECTS:
        with tempfile.TemporaryDirectory() as temporary:
            charter = made(Path(temporary), project)
            sized = size(charter, 500)
            print(
                f"{project}: 500/s by {sized.replicas} service(s), {sized.cores:.2f} cores, "
                f"{sized.memory_mb:.0f} MB, {sized.core_hours:.3g} core-hours a million; probe "
                f"{sized.seconds:.0f} s, {sized.verdicts[1].message}",
                flush=True,
            )
            for what, said, found in compared(Path(temporary), sized, asked.seconds):
                apart = f"{said / found - 1:+.0%}" if found else "nothing kept"
                print(f"{project}, {what}: predicted {said:.3g}, measured {found:.3g}, {apart}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
