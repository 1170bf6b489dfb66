"""What nothing needs: folders and files of old runs, and files that no version of a table needs."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from serving.home import place
from tasks.deltafiles import history
from tasks.scratch import abandoned
from tasks.tidying.needed import DIGITS, Needed

DAY = 86_400.0
FOLDERS = ("splits", "studies", "bundles", "scorecards")
"""Each holds one folder for each fingerprint, under the project's name. Recipes stay: they are small,
and no manifest names the one that a release was made with."""
NOTES = ("tables/{}/ingested", "tables/{}/validated", "tables/{}/findings", "pages/{}/docs")


def old(project: str, needed: Needed, since: float) -> Iterator[Path]:
    """Folders, notes, pages and caches last touched before `since` (seconds since 1970)."""
    places = [f"{name}/{project}" for name in FOLDERS] + [note.format(project) for note in NOTES]
    for path in (entry for where in places for entry in _entries(place(where))):
        kept = path.stem in needed.names or path.stem[:DIGITS] in needed.names
        if not kept and touched(path) < since:
            yield path
    yield from _but_newest(place(f"pages/{project}").glob("*-*.svg"), since)
    since = min(since, time.time() - DAY)  # others may be at work on these
    room = place(f"replays/{project}")
    if room.exists() and touched(room) < since:
        yield room
    for path in _entries(place("prefect/storage")):  # a record that is gone is made again
        if touched(path) < since:
            yield path
    yield from abandoned()


def of_table(folder: Path, needed: Needed, where: str, since: float) -> Iterator[Path]:
    """Files that only versions have which nothing needs and which were over before `since`, and
    those of killed writes, which no version has."""
    log = history(folder)
    if log is None:
        return
    oldest, versions = log.current(since), needed.versions.get(where, set())
    now = time.time()
    for path in folder.glob("*.parquet"):
        life = log.files.get(path.name)
        if life is None:
            if touched(path) < now - DAY:  # longer than any write takes
                yield path
        elif not life.within(oldest, versions):
            yield path


def remove(path: Path) -> int:
    """Remove it and give the bytes that are free; a folder is taken out of its place at once, so
    that a kill leaves no half of it."""
    size = used(path)
    if path.is_dir():
        place("scratch").mkdir(parents=True, exist_ok=True)
        room = tempfile.mkdtemp(prefix=f"tidy-{os.getpid()}-", dir=place("scratch"))
        path.rename(Path(room) / path.name)
        shutil.rmtree(room)
    else:
        path.unlink(missing_ok=True)
    return size


def used(path: Path) -> int:
    """Bytes of the file, or of all files in the folder; one with two names counts once."""
    files = {(found.st_dev, found.st_ino): found.st_size for found in map(_stat, _files(path))}
    return sum(files.values())


def touched(path: Path) -> float:
    """When it, or something in it, was last changed."""
    return max(_stat(one).st_mtime for one in (path, *_files(path)))


def _stat(path: Path) -> os.stat_result:
    try:
        return path.lstat()
    except FileNotFoundError:  # whoever made it took it away meanwhile
        return os.stat_result((0,) * 10)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _but_newest(paths: Iterator[Path], since: float) -> Iterator[Path]:
    """Pictures of one kind, named with a hash behind the last dash."""
    newest: dict[str, Path] = {}
    for path in sorted(paths, key=touched):
        kind = path.stem.rpartition("-")[0]
        if (before := newest.get(kind)) is not None and touched(before) < since:
            yield before
        newest[kind] = path
