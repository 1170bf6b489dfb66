"""What is started beside us ends with us, even where nobody could tell it to."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from flows.lifeline import beside

CHILD = """
import subprocess, sys, time
from flows import worker
from flows.lifeline import end_with_caller
end_with_caller(worker.end_with_runs)
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(below.pid, flush=True)
time.sleep(600)
"""
CALLER = """
import sys, time
from pathlib import Path
from flows.lifeline import beside
with beside("child", log=Path("log"), environment={"PYTHONPATH": "."}) as process:
    while not Path("log").read_text().strip():
        time.sleep(0.05)
    print(process.pid, Path("log").read_text().strip(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a module that has a process of its own below it."""
    (tmp_path / "child.py").write_text(CHILD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_killed_caller_leaves_nothing_behind(folder: Path) -> None:
    caller = subprocess.Popen([sys.executable, "-c", CALLER], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    started = [psutil.Process(int(pid)) for pid in caller.stdout.readline().split()]
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    caller.stdout.close()
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []


def test_the_end_of_the_block_ends_it(folder: Path) -> None:
    log = folder / "logs" / "log"
    with beside("child", log=log, environment={"PYTHONPATH": str(folder)}) as process:
        assert process.poll() is None
    assert process.returncode == 0
