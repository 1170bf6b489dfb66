"""History and turns: nothing is lost or told twice, and one works at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from charter import Refusal
from serving import releases
from serving.home import place
from tasks import history
from tasks.history import Entry
from tasks.turn import turn


def _entry(why: str, key: str = "", event: history.Event = "kept") -> Entry:
    return Entry(project="toy", event=event, why=why, key=key, release=1, previous=1)


def _live(number: int, event: str = "promoted", previous: int | None = None) -> releases.Live:
    return releases.Live(
        release=number, previous=previous, at=f"2026-01-{number:02}T00:00:00.000+00:00",
        manifest="m", note={"project": "toy", "event": event, "why": f"release {number}"},
    )  # fmt: skip


def test_what_happened_stands_in_order_and_on_the_page(root: Path) -> None:
    history.append(_entry("the first <time>", "a"))
    history.append(_entry("the second time", "b"))
    assert [entry.why for entry in history.entries("toy")] == [
        "the first <time>",
        "the second time",
    ]
    page = place("pages/toy/history.html").read_text()
    assert page.index("the second time") < page.index("the first &lt;time&gt;")


def test_the_same_outcome_again_is_told_once(root: Path) -> None:
    first = history.append(_entry("kept", "a"))
    assert history.append(_entry("kept", "a")) == first
    history.append(_entry("kept", "b"))
    history.append(_entry("kept", "a"))
    assert [entry.key for entry in history.entries("toy")] == ["a", "b", "a"]


def test_half_a_line_of_a_killed_writer_is_cut_off(root: Path) -> None:
    history.append(_entry("whole"))
    with place("releases/toy/history.jsonl").open("ab") as file:
        file.write(b'{"project": "to')
    assert [entry.why for entry in history.entries("toy")] == ["whole"]
    history.append(_entry("after"))
    assert [entry.why for entry in history.entries("toy")] == ["whole", "after"]


def test_the_live_pointer_is_told_once_in_its_own_words(root: Path) -> None:
    live = _live(2, previous=1)
    assert not history.mirrors(live, "toy")
    entry = history.mirror(live, "toy")
    assert (entry.event, entry.why, entry.release, entry.previous) == (
        "promoted",
        "release 2",
        2,
        1,
    )
    assert history.mirrors(live, "toy")
    assert history.mirror(live, "toy") == entry
    assert len(history.entries("toy")) == 1


def test_going_back_means_behind_what_was_live_before_the_training(root: Path) -> None:
    history.mirror(_live(1, "trained"), "toy")
    history.mirror(_live(2, previous=1), "toy")
    history.mirror(_live(3, previous=2), "toy")
    back = _live(2, "rolled back", previous=3).model_copy(update={"at": "2026-01-04"})
    history.mirror(back, "toy")
    assert history.came_from("toy", 2) == 1
    assert history.came_from("toy", 1) is None
    assert history.withdrawn("toy", 3) is not None
    assert history.withdrawn("toy", 2) is None
    forth = _live(3, "rolled back", previous=2).model_copy(update={"at": "2026-01-05"})
    history.mirror(forth, "toy")
    assert history.withdrawn("toy", 3) is None


HOLD = """
import sys, time
from tasks.turn import turn
with turn("toy", "train"):
    print("mine", flush=True)
    time.sleep(60)
"""


def test_a_turn_is_waited_for_refused_in_words_and_lost_with_its_process(root: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, env=os.environ)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mine\n"
        with (
            pytest.raises(Refusal, match="Wait until it has ended") as refused,
            turn("toy", "retrain", patience=0.3),
        ):
            pass
        assert f"train, process {holder.pid}" in refused.value.found
        with turn("other", "retrain", patience=0.0):
            pass
        holder.send_signal(signal.SIGKILL)
        began = time.monotonic()
        with turn("toy", "retrain", patience=30):
            assert time.monotonic() - began < 30
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()
