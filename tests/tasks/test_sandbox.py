"""Whatever a call does, the caller gets its answer or a reason, in time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from charter import Refusal
from tasks.tuning.sandbox import Died, Failed, Sandbox, TookTooLong, TookTooMuch
from tests.tasks import calls

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sandbox() -> Iterator[Sandbox[dict[str, int]]]:
    with Sandbox(calls.load, (40,), memory_gb=1.5) as made:
        yield made


def test_state_is_loaded_once_and_kept(sandbox: Sandbox[dict[str, int]]) -> None:
    assert sandbox.call(calls.count, 1, seconds=30) == 41
    assert sandbox.call(calls.count, 1, seconds=30) == 42
    assert sandbox.call(calls.pid, seconds=30) != os.getpid()
    assert sandbox.call(calls.threads, seconds=30) == "2"
    assert 0 < sandbox.peak_gb < 1.5


@pytest.mark.parametrize("endless", [calls.loop, calls.sleep_in_c])
def test_a_call_that_hangs_is_stopped_in_time(
    sandbox: Sandbox[dict[str, int]], endless: object
) -> None:
    first = sandbox.call(calls.pid, seconds=30)
    began = time.monotonic()
    with pytest.raises(TookTooLong, match="its time was over"):
        sandbox.call(endless, seconds=0.5)  # type: ignore[arg-type]
    assert 0.5 <= time.monotonic() - began < 5
    assert not psutil.pid_exists(first)
    spent = sandbox.processor_seconds
    assert spent > 0
    assert sandbox.call(calls.count, 1, seconds=30) == 41  # a fresh child, a fresh state
    assert sandbox.processor_seconds > spent  # of both


def test_a_call_that_eats_memory_is_stopped_near_the_limit() -> None:
    own = psutil.Process().memory_info().rss / 2**30
    limit = own + 0.5
    with Sandbox(calls.load, (40,), memory_gb=limit) as sandbox:
        with pytest.raises(TookTooMuch, match=r"was stopped at [\d.]+ GiB of"):
            sandbox.call(calls.eat, seconds=60)
        assert limit < sandbox.peak_gb < 1.1 * limit
        assert sandbox.call(calls.count, 1, seconds=30) == 41


def test_an_allocation_that_cannot_be_is_too_much_as_well(
    sandbox: Sandbox[dict[str, int]],
) -> None:
    with pytest.raises(TookTooMuch, match="Unable to allocate"):
        sandbox.call(calls.ask_too_much, seconds=30)


def test_what_the_child_raises_comes_back_as_words(sandbox: Sandbox[dict[str, int]]) -> None:
    first = sandbox.call(calls.pid, seconds=30)
    with pytest.raises(Failed, match=re.escape("ValueError: no such column") + "$"):
        sandbox.call(calls.raise_error, seconds=30)
    with pytest.raises(Refusal, match="Name another file"):
        sandbox.call(calls.refuse, seconds=30)
    with pytest.raises(Failed, match="lambda"):
        sandbox.call(calls.unsendable, seconds=30)
    assert sandbox.call(calls.pid, seconds=30) == first


def test_a_child_that_dies_is_replaced(sandbox: Sandbox[dict[str, int]]) -> None:
    with pytest.raises(Died, match="SIGSEGV"):
        sandbox.call(calls.crash, seconds=30)
    with pytest.raises(Died, match="status 3: the reason"):
        sandbox.call(calls.leave, seconds=30)
    assert sandbox.call(calls.count, 2, seconds=30) == 42


def test_a_state_that_cannot_be_loaded_is_a_failure() -> None:
    with Sandbox(calls.broken_load, memory_gb=1.5) as sandbox:
        for _ in range(2):
            with pytest.raises(Failed, match="ValueError: cannot read"):
                sandbox.call(calls.pid, seconds=30)  # type: ignore[arg-type]


def test_it_works_in_a_thread_and_is_watched() -> None:
    seen: list[int] = []
    looks: list[float] = []

    def work() -> None:
        with Sandbox(calls.load, (1,), memory_gb=1.5, watch=lambda: looks.append(0.0)) as sandbox:
            seen.append(sandbox.call(calls.count, 1, seconds=30))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [2]
    assert looks


def test_the_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import threading
        from pathlib import Path
        from tasks.tuning.sandbox import Sandbox
        from tests.tasks import calls as t

        def work():  # unguarded __main__ on purpose
            sandbox = Sandbox(t.load, (1,), memory_gb=1.5)
            Path("pid").write_text(str(sandbox.call(t.pid, seconds=60)))
            sandbox.call(t.sleep_in_c, seconds=60)

        threading.Thread(target=work).start()
        """
    )
    (tmp_path / "run.py").write_text(script)
    parent = subprocess.Popen(
        [sys.executable, "run.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert _within(60, lambda: (tmp_path / "pid").exists() and _read(tmp_path / "pid"))
        child = psutil.Process(int(_read(tmp_path / "pid")))
    finally:
        parent.kill()
        parent.wait()
    assert _within(10, lambda: not _runs(child))


def _read(path: Path) -> str:
    return path.read_text()


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _within(seconds: float, condition: object) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False
