"""The README's table of the frozen model against the loop, April to September 2013.

    .venv/bin/python -m benchmarks.replay [--to 2013-05-31] [--set KEY=VALUE ...]

Trains `configs/flights.yaml` in a root of its own, replays, prints the table in Markdown and puts
the picture into docs/. About 15 minutes on 2 quiet cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tasks.replay import Replayed

CHARTER = "configs/flights.yaml"


def main() -> None:
    options = _options()
    sets = [part for one in options.set for part in ("--set", one)]
    with tempfile.TemporaryDirectory(prefix="perennial-replay-") as root:
        _perennial(root, ["train", CHARTER])
        found = Path(root) / "replay.json"
        _perennial(root, ["replay", CHARTER, "--to", options.to, "--json", str(found), *sets])
        told = json.loads(found.read_text())
        told.pop("outcome")
        replayed = Replayed.model_validate(told)
        Path("docs").mkdir(exist_ok=True)
        shutil.copyfile(Path(root) / replayed.picture, "docs/replay.svg")
    print("\n".join(table(replayed)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--to", default="2013-09-30", help="the last day")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def _perennial(root: str, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "flows", *arguments]
    subprocess.run(command, env={**os.environ, "PERENNIAL_HOME": root}, check=True)


def table(replayed: Replayed) -> list[str]:
    """The months as lines of Markdown."""
    lines = ["| month | rows | frozen | loop | gain | 95 % interval |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {month.month} | {month.rows:,} | {month.frozen.value:.3f} | {month.loop.value:.3f} "
        f"| {month.gain.value:+.3f} | {month.gain.low:+.3f} to {month.gain.high:+.3f} |"
        for month in replayed.months
    ]
    return [*lines, f"| mean | | | | **{replayed.gain:+.3f}** | |"]


if __name__ == "__main__":
    main()
