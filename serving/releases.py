"""The releases of one project: numbered folders, and `live.json`, the one truth of what is live.

    releases/flights/1/            a bundle, never changed once it has its number
    releases/flights/2/
    releases/flights/live.json     {"release": 2, "previous": 1, "at": ..., "manifest": sha256,
                                    "canary": what is tried beside it (serving/canary.py), or null}

Readers need nothing but the folder. Writers hold `.lock` by flock, which the system lets go of when
its holder dies, and every write is a temporary name, fsync, rename: a killed writer changes nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from charter import Frozen, Refusal

LIVE = "live.json"
MANIFEST = "manifest.json"
PATIENCE = 60.0  # seconds to wait for another writer

Note = dict[str, str | int | float | None]


class Canary(Frozen):
    """A release that takes a share of the traffic beside the live one."""

    release: int
    manifest: str
    """As of the live one."""
    share: float
    at: str
    """When it was started, ISO 8601, UTC."""
    since: str
    """From when on what is answered counts; another time than `at` where time is simulated."""
    note: Note = {}
    """What the project's history says of its start."""


class Withdrawn(Frozen):
    """The canary that was taken away last."""

    canary: Canary
    at: str
    note: Note
    """What the project's history says of it."""


class Live(Frozen):
    """What `live.json` says."""

    release: int
    previous: int | None = None
    """The release that was live before; what a rollback goes back to."""
    at: str
    """When it went live, ISO 8601, UTC."""
    manifest: str
    """SHA-256 of the release's `manifest.json`, which holds the hash of every other file."""
    note: Note = {}
    """What the project's history says of it; it stands here so that no kill parts the two."""
    canary: Canary | None = None
    withdrawn: Withdrawn | None = None

    @property
    def pointer(self) -> Live:
        """What is live, whatever is tried beside it."""
        return self.model_copy(update={"canary": None, "withdrawn": None})


Amend = Callable[[Live], Live]


class Conflict(Exception):
    """Another writer moved the live pointer in between, or holds the lock; nothing was changed."""


def live(folder: Path) -> Live | None:
    """What is live, or None where nothing ever was; a `live.json` that makes no sense is refused."""
    try:
        text = (folder / LIVE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return Live.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Refusal(
            str(folder / LIVE),
            f"found {'.'.join(map(str, first['loc'])) or 'the text'}: {first['msg']}",
            "wanted release, previous, at and manifest",
            "Deploy again (`perennial train`); it writes the file anew.",
        ) from error


def numbers(folder: Path) -> tuple[int, ...]:
    """The numbers of all releases, oldest first."""
    names = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def digest(release: Path) -> str:
    """SHA-256 of the manifest of a bundle or release, which stands for all its files."""
    try:
        return hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refusal(
            str(release),
            f"found no {MANIFEST}",
            "wanted the folder of a bundle",
            "Package it again with `perennial train`.",
        ) from error


def add(folder: Path, bundle: Path) -> int:
    """Copy a bundle to a release of its own and give its number; the same bundle keeps its number."""
    wanted = digest(bundle)
    with _lock(folder):
        known = numbers(folder)
        for number in reversed(known):
            if (folder / str(number) / MANIFEST).is_file() and digest(
                folder / str(number)
            ) == wanted:
                return number
        number = max(known, default=0) + 1
        _copy(bundle, folder / f".{number}.new", folder / str(number))
    return number


def publish(folder: Path, number: int, expected: int | None, note: Note | None = None) -> Live:
    """Make a release live if `expected` still is (None: nothing is); else `Conflict`.

    Publishing what is live already changes nothing. A canary of another release ends with it.
    """
    manifest = digest(folder / str(number))
    with _lock(folder):
        now = live(folder)
        if now and (now.release, now.manifest) == (number, manifest):
            return now
        found = now.release if now else None
        if found != expected:
            raise Conflict(
                f"{folder / LIVE}: found release {found} live, wanted {expected}: somebody else "
                "deployed in between. Run the deploy again; it starts from what is live then."
            )
        at = moment()
        gone = now.canary if now and now.canary and now.canary.release != number else None
        why: Note = {"event": "withdrawn", "why": f"release {number} went live instead"}
        moved = Live(
            release=number, previous=found, at=at, manifest=manifest, note=note or {},
            withdrawn=Withdrawn(canary=gone, at=at, note=why) if gone else None,
        )  # fmt: skip
        _write(folder / LIVE, moved.model_dump_json(indent=1).encode() + b"\n")
    return moved


def reseal(folder: Path) -> Live | None:
    """Let the live pointer name the manifests of its releases as they are now, where a file of one
    had to be changed by law; None where nothing is live."""

    def sealed(now: Live) -> Live:
        canary = now.canary
        if canary is not None:
            manifest = digest(folder / str(canary.release))
            canary = canary.model_copy(update={"manifest": manifest})
        manifest = digest(folder / str(now.release))
        return now.model_copy(update={"manifest": manifest, "canary": canary})

    return amend(folder, sealed)


def amend(folder: Path, amended: Amend) -> Live | None:
    """Let `live.json` say what `amended` makes of it, with nobody in between; what that raises
    changes nothing. None where nothing is live."""
    with _lock(folder):
        now = live(folder)
        if now is None:
            return None
        then = amended(now)
        if then != now:
            _write(folder / LIVE, then.model_dump_json(indent=1).encode() + b"\n")
    return then


def moment() -> str:
    """Now, as `live.json` spells it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + PATIENCE
    with (folder / ".lock").open("a") as file:
        while not _taken(file.fileno()):
            if time.monotonic() > deadline:
                raise Conflict(f"{folder}: another process has been writing here for {PATIENCE} s")
            time.sleep(0.02)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _copy(source: Path, new: Path, target: Path) -> None:
    if new.exists():  # left by a killed writer; we hold the lock, so nobody writes there now
        shutil.rmtree(new)
    shutil.copytree(source, new)
    for path in (*new.rglob("*"), new):
        _sync(path)
    new.rename(target)
    _sync(target.parent)


def _write(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    _sync(new)
    new.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
