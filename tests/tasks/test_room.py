"""A disk that fills up: said in words, nothing that was there is lost, and all of it lands later."""

from __future__ import annotations

import errno
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from charter import Refusal
from tasks.room import in_room, is_full
from tests.tasks.filled import LEFT

SMALL, LARGE = 100, 12_000


def _write(folder: Path) -> None:
    draw = random.Random(0)  # so that it cannot be compressed
    for name, rows in (("small", SMALL), ("large", LARGE)):
        lines = [
            f'{row},"{draw.getrandbits(128):x}"{"" if row % 10 else "x"}\n' for row in range(rows)
        ]
        (folder / f"{name}.csv").write_text("number,text\n" + "".join(lines))


def _outcomes(command: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def _check(outcomes: list[dict[str, Any]], said: str) -> None:
    first, *full, landed, last = outcomes
    assert (first["rows"], first["refused"]) == (SMALL * 9 // 10, SMALL // 10)
    assert 3 <= len(full) <= len(LEFT)
    for outcome in full:
        assert "found no room to write" in outcome["refusal"]
        assert said in outcome["refusal"]
        assert "Make room" in outcome["refusal"]
        # The old rows, or all of the new ones where the room ended behind them; no torn file.
        assert (outcome["version"], outcome["read"]) in ((1, first["read"]), (2, landed["read"]))
        assert {file for file in first["files"] if "scratch" in file} == set()
        assert outcome["version"] == 2 or outcome["files"] == first["files"]
    for outcome in (landed, last):
        assert (outcome["rows"], outcome["refused"]) == (LARGE * 9 // 10, LARGE // 10)
        assert (outcome["version"], outcome["read"]) == (2, LARGE * 9 // 10)


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    _write(tmp_path)
    outcomes = _outcomes([sys.executable, "-m", "tests.tasks.filled", str(tmp_path)])
    _check(outcomes, "File too large")


def test_a_full_disk(tmp_path: Path) -> None:
    """Skipped where the kernel lets nobody mount a disk of their own, which no package mends; the
    test above reaches the same refusal everywhere."""
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    disk, files = tmp_path / "disk", tmp_path / "files"
    disk.mkdir()
    files.mkdir()
    mount = f"mount -t tmpfs -o size=4m none {disk}"
    try:
        subprocess.run([*inside, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a disk of its own may not be mounted here")
    _write(files)
    run = f"{sys.executable} -m tests.tasks.filled {disk} disk"
    outcomes = _outcomes([*inside, f"{mount} && cp {files}/* {disk} && exec {run}"])
    _check(outcomes, "No space left on device")


def test_only_a_want_of_room_is_one(root: Path) -> None:
    @in_room
    def failing(error: Exception) -> None:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("the stage failed") from cause

    with pytest.raises(Refusal, match="found no room to write"):
        failing(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(Refusal, match="Make room"):
        failing(RuntimeError("database or disk is full"))
    with pytest.raises(RuntimeError, match="the stage failed"):
        failing(OSError(errno.EACCES, "Permission denied"))
    assert not is_full(Refusal("data", "found a row", "wanted none", "Remove it."))
