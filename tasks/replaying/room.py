"""A root of its own for a replay: what is live for real, and what was learned for real, stays as it is."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from charter import Charter, Refusal
from serving import releases
from serving.home import home
from serving.journaling.database import VARIABLE


@contextmanager
def apart(charter: Charter) -> Iterator[Path]:
    """`replays/<project>` under the root is the root inside the block, empty but for the live release.

    The journal is there too, whatever PERENNIAL_JOURNAL_URL says. What the last replay left is
    removed first; two replays of one project at once are refused.
    """
    live = _live(charter)
    room = home() / "replays" / charter.name
    with _alone(room.with_suffix(".lock"), charter.name):
        shutil.rmtree(room, ignore_errors=True)
        stage = room / "releases" / charter.name
        releases.publish(stage, releases.add(stage, live), None)
        with _environment({"PERENNIAL_HOME": str(room), VARIABLE: None}):
            yield room


def _live(charter: Charter) -> Path:
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    if live is None:
        raise Refusal(
            f"releases/{charter.name}", "found no live release", "wanted one to freeze",
            f"Run `perennial train configs/{charter.name}.yaml` first.",
        )  # fmt: skip
    return folder / str(live.release)


@contextmanager
def _alone(lock: Path, project: str) -> Iterator[None]:
    """Held by flock, which the system lets go of when its holder dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                f"replays/{project}", "found another replay at work", "wanted one at a time",
                "Wait until it ends, or stop it.",
            ) from None  # fmt: skip
        yield


@contextmanager
def _environment(wanted: dict[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
