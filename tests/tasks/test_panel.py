"""Judges in processes of their own: in order, with Refusals as they are, and gone with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from charter import Refusal
from tasks.validation.panel import Panel

pytestmark = pytest.mark.slow


class Place:
    """Where a judge sits."""

    def __init__(self, greeting: str) -> None:
        self.greeting = greeting

    def say(self, number: int) -> tuple[str, int, int]:
        if number == 13:
            raise Refusal("here", "13", "wanted another number", "Take another.")
        if number == 99:
            raise ZeroDivisionError("nothing to share")
        return self.greeting, number, os.getpid()

    def end(self, _: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel[Place]]:
    with Panel(Place, ("hello",), 2) as judges:
        yield judges


def test_answers_come_in_order_from_every_judge(panel: Panel[Place]) -> None:
    answers = list(panel.each(Place.say, range(7)))
    assert [number for _, number, _ in answers] == list(range(7))
    assert {greeting for greeting, _, _ in answers} == {"hello"}
    assert len({process for _, _, process in answers} - {os.getpid()}) == 2
    assert panel.call(Place.say, 7)[1] == 7


def test_a_refusal_stays_one_and_a_fault_is_told(panel: Panel[Place]) -> None:
    with pytest.raises(Refusal, match="wanted another number"):
        panel.call(Place.say, 13)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: nothing to share"):
        panel.call(Place.say, 99)
    assert panel.call(Place.say, 1)[1] == 1


def test_a_judge_that_dies_is_a_fault(panel: Panel[Place]) -> None:
    with pytest.raises(RuntimeError, match="process of a judge ended"):
        panel.call(Place.end, 0)


def test_no_process_stays() -> None:
    with Panel(Place, ("hello",), 2) as judges:
        processes = {process for _, _, process in judges.each(Place.say, range(4))}
    deadline = time.monotonic() + 20
    while any(map(psutil.pid_exists, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, processes))


def test_judges_die_with_a_killed_process(tmp_path: Path) -> None:
    code = (
        "import time; from tests.tasks.test_panel import Place; "
        "from tasks.validation.panel import Panel; judges = Panel(Place, ('',), 2).__enter__(); "
        "list(judges.each(Place.say, range(4))); print('ready', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    judges = psutil.Process(parent.pid).children(recursive=True)
    assert len(judges) == 3
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while any(map(_alive, judges)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, judges))


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
