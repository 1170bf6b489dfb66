"""Whether it pays to score requests that come together in one run of the model.

    .venv/bin/python -m benchmarks.batching

Processor time of a one-row request, reading and answering included, alone and in groups; the model of
benchmarks/service.py. It does not depend on what else the machine does.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks.service import bundle, fitted
from serving import releases
from serving.loaded import Loaded, load

GROUPS = (1, 2, 4, 8, 16)
ROUNDS, SECONDS = 5, 0.3


def loaded(folder: Path) -> tuple[Loaded, list[bytes]]:
    """A release of 200 boosted trees on nine columns, and requests."""
    pipeline, signature, table = fitted("flights", "boosting", trees=200)
    bundle(folder / "bundle", pipeline, signature, table.slice(0, 5).to_pylist())
    where = folder / "flights"
    live = releases.publish(where, releases.add(where, folder / "bundle"), None)
    return load(where, live), [json.dumps(row).encode() for row in table.slice(0, 16).to_pylist()]


def microseconds(release: Loaded, bodies: list[bytes]) -> float:
    """Of one request; the best round, since nothing makes a round faster than it is."""
    asked = [(body, 0.0) for body in bodies]
    found = []
    for _ in range(ROUNDS):
        begin, answered = time.process_time(), 0
        while (spent := time.process_time() - begin) < SECONDS:
            release.answers(asked)
            answered += len(asked)
        found.append(1e6 * spent / answered)
    return min(found)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        release, bodies = loaded(Path(temporary))
        for size in GROUPS:
            print(f"{size} together: {microseconds(release, bodies[:size]):.1f} µs a request")


if __name__ == "__main__":
    main()
