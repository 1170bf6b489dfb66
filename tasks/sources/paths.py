"""Where a source's file is: a path, `package:NAME/inside/path` of an installed package, or `s3://…`."""

from __future__ import annotations

import hashlib
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from charter import Refusal
from tasks.nearest import suggestion
from tasks.sources.remote import Stored, is_remote


class HasPath(Protocol):
    """A section of the charter that names one file."""

    @property
    def path(self) -> str: ...


S = TypeVar("S", bound=HasPath)


class OneFile(Generic[S]):
    """What every source that is one file shares: its place, its name, its hash."""

    def __init__(self, source: S, where: str) -> None:
        self.source = source
        self.where = where
        self._seen: list[tuple[int, int, int]] | None = None
        """Inode, size and time of change of each file, as they were when it was hashed."""

    @property
    def name(self) -> str:
        return Path(self.source.path).name

    @cached_property
    def stored(self) -> Stored | None:
        """The object, where the file is one."""
        return Stored(self.source.path, self.where) if is_remote(self.source.path) else None

    @property
    def path(self) -> Path:
        if self.stored is None:
            return located(self.source.path, f"{self.where}.path")
        self.stored.check_file()
        return self.stored.path

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read."""
        return (self.path,)

    def check_unchanged(self) -> None:
        changed = self._seen is not None and self._stamps() != self._seen
        if changed or (self.stored is not None and not self.stored.is_unchanged()):
            raise self.changed_meanwhile()

    def changed_meanwhile(self) -> Refusal:
        return Refusal(
            self.where,
            f"found that {self.name} was changed while it was read",
            "wanted a file that is whole",
            "Run again once it is; whoever writes it had better rename it when it is done.",
        )

    def _stamps(self) -> list[tuple[int, int, int]]:
        stats = [file.stat() for file in self.files]
        return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats]

    def hashed(self, options: str) -> str:
        """SHA-256 of the file and of the options it is read with."""
        self._seen = self._stamps()
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        digest.update(options.encode())
        return digest.hexdigest()

    def refuse_empty(self, rows: int) -> None:
        if rows == 0:
            raise Refusal(
                self.where, f"found no rows in {self.name}", "wanted some", "Export it again."
            )


def located(path: str, where: str) -> Path:
    """The file, checked to be there and to be readable.

    Relative paths are seen from the working directory. A package is found without importing it.
    """
    file = expanded(path, where)
    if file.is_dir():
        raise Refusal(
            where,
            f"found a folder, {path}",
            "wanted a file",
            _listing(file) or "Name a file in it.",
        )
    if not file.exists():
        raise Refusal(where, f"found no file {path}", "wanted one that is there", _nearest(file))
    try:
        file.open("rb").close()
    except OSError as error:
        raise Refusal(
            where,
            f"found {path}, which cannot be opened ({error.strerror})",
            "wanted a readable file",
            "Give this user the right to read it.",
        ) from error
    return file


def located_folder(path: str, where: str) -> Path:
    """The folder, checked to be there."""
    folder = expanded(path, where)
    if folder.is_dir():
        return folder
    found = f"found a file, {path}" if folder.exists() else f"found no folder {path}"
    raise Refusal(where, found, "wanted a folder that is there", _nearest(folder))


def expanded(path: str, where: str) -> Path:
    """Where the path leads to, whatever is there."""
    return _in_package(path, where) if path.startswith("package:") else Path(path).expanduser()


def _in_package(path: str, where: str) -> Path:
    name, _, inside = path.removeprefix("package:").partition("/")
    try:
        spec = find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise Refusal(
            where,
            f"found no installed package {name}",
            f"wanted it for {path}",
            f"Install it: pip install {name}",
        )
    return Path(next(iter(spec.submodule_search_locations))) / inside


def _nearest(file: Path) -> str:
    folder = file.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either; relative paths are seen from {Path.cwd()}."
    names = sorted(entry.name for entry in folder.iterdir())
    return f"{suggestion(file.name, names)} (in {folder.absolute()})"


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    return f"Name a file in it: {', '.join(names[:8])}." if names else ""
