"""The release in the folder of a device, in a process with one core and 512 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson

from serving import releases
from serving.golden import Golden
from tasks.equip import write

MEGABYTES = 512
SECONDS = 120.0
TAIL = 300
# The limits come before the first import that takes memory.
CODE = f"""
import json, os, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEGABYTES} * 2**20, {MEGABYTES} * 2**20))
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
from pathlib import Path
from device import Device
runner = Device(Path.cwd()).runner
rows = json.loads(sys.stdin.read())
found = {{"together": runner.answer(rows), "alone": [runner.answer([row])[0] for row in rows]}}
# Not `ru_maxrss`: a child inherits the peak of the process that started it.
status = Path("/proc/self/status")
if status.exists():
    found["megabytes"] = int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps(found))
"""


def answers(release: Path, live: releases.Live, wanted: Golden) -> dict[str, Any]:
    """What the runner answers to the golden rows, `together` and `alone`, and the memory it took;
    or `error`, the end of what it said. It verifies the release and tests itself first."""
    rows = orjson.dumps([dict(row) for row in wanted.rows])
    with tempfile.TemporaryDirectory(prefix="perennial-device-") as temporary:
        folder = Path(temporary) / "kit"
        write(folder, release, live, "")
        try:
            done = subprocess.run(
                [sys.executable, "-c", CODE], cwd=folder, input=rows, capture_output=True,
                check=False, timeout=SECONDS, env=_bare(),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"error": f"no answer within {SECONDS:g} s"}
    if done.returncode:
        return {"error": done.stderr.decode("utf-8", "replace").strip()[-TAIL:] or "killed"}
    return dict(json.loads(done.stdout))


def _bare() -> dict[str, str]:
    """Nothing of this process but what a process needs, and one thread for each library."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
