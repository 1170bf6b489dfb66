"""Releases: numbering, the live pointer, and what a killed or racing writer leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from charter import Refusal
from serving import releases
from serving.releases import Conflict


def _bundle(folder: Path, text: str) -> Path:
    (folder / "pages").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"says": text}))
    (folder / "pages" / "card.html").write_text(text)
    return folder


def test_add_numbers_releases_and_keeps_the_number_of_a_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    first = _bundle(tmp_path / "a", "a")
    assert [releases.add(folder, first), releases.add(folder, first)] == [1, 1]
    assert releases.add(folder, _bundle(tmp_path / "b", "b")) == 2
    assert releases.add(folder, first) == 1
    assert releases.numbers(folder) == (1, 2)
    assert (folder / "1" / "pages" / "card.html").read_text() == "a"


def test_add_clears_what_a_killed_writer_left(tmp_path: Path) -> None:
    left = tmp_path / "releases" / ".1.new"
    left.mkdir(parents=True)
    (left / "half").write_text("written")
    assert releases.add(tmp_path / "releases", _bundle(tmp_path / "a", "a")) == 1
    assert not left.exists()
    assert not (tmp_path / "releases" / "1" / "half").exists()


def test_publish_moves_the_pointer_and_remembers_the_previous(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    assert releases.live(folder) is None
    for text in "ab":
        releases.add(folder, _bundle(tmp_path / text, text))
    assert releases.publish(folder, 1, None).previous is None
    moved = releases.publish(folder, 2, 1)
    assert (moved.release, moved.previous) == (2, 1)
    assert moved.manifest == releases.digest(folder / "2")
    assert releases.live(folder) == moved
    assert releases.publish(folder, 2, 1) == moved, "publishing what is live changes nothing"
    assert releases.publish(folder, 1, 2).previous == 2


def test_publish_refuses_when_somebody_was_faster(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    for text in "ab":
        releases.add(folder, _bundle(tmp_path / text, text))
    first = releases.publish(folder, 1, None)
    with pytest.raises(Conflict, match="Run the deploy again"):
        releases.publish(folder, 2, None)
    assert releases.live(folder) == first


def test_publish_refuses_a_release_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="Package it again"):
        releases.publish(tmp_path, 7, None)


def test_live_refuses_a_pointer_that_makes_no_sense(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text('{"release": "two"}')
    with pytest.raises(Refusal, match="Deploy again"):
        releases.live(tmp_path)


def test_of_many_racing_writers_exactly_one_wins(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    for number in range(6):
        releases.add(folder, _bundle(tmp_path / f"b{number}", str(number)))
    won: list[int] = []
    lost: list[int] = []

    def race(number: int) -> None:
        try:
            won.append(releases.publish(folder, number, None).release)
        except Conflict:
            lost.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = releases.live(folder)
    assert len(won) == 1
    assert len(lost) == 5
    assert now is not None
    assert now.release == won[0]


HOLD = """
import sys, time
from pathlib import Path
from serving.releases import _lock
with _lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_is_waited_for_and_dies_with_its_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = _bundle(tmp_path / "a", "a")
    folder = tmp_path / "releases"
    monkeypatch.setattr(releases, "PATIENCE", 0.2)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(Conflict, match="another process"):
                releases.add(folder, bundle)
        finally:
            holder.kill()
    assert releases.add(folder, bundle) == 1
