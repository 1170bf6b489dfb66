"""What `perennial up` keeps at work is started again, unless that is in vain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.house import House

ENDS = "print('the port is taken', flush=True); raise SystemExit(3)"


@contextmanager
def _process(code: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_ends_is_started_again_and_ends_with_the_block(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def start() -> Iterator[subprocess.Popen[bytes]]:
        with _process("import time; time.sleep(600)", tmp_path / "log") as process:
            started.append(process)
            yield process

    with House() as house:
        first = house.keep("the service of berries", start, tmp_path / "log")
        house.look()
        assert len(started) == 1
        first.kill()
        first.wait()
        house.look()
        assert len(started) == 2
        assert started[1].poll() is None
    assert started[1].returncode is not None
    assert "the service of berries ended by itself with code -9, and is" in capsys.readouterr().out


def test_what_ends_again_at_once_ends_the_house_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with House() as house:
        house.keep("the worker", lambda: _process(ENDS, log), log).wait()
        house.look()
        house._kept["the worker"].process.wait()
        with pytest.raises(RuntimeError, match=r"the worker ended.*code 3(?s:.*)the port is taken"):
            house.look()
