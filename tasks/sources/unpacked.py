"""The bytes of a file: plain, gzip or zip, told by their first bytes and not by the name."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from charter import Refusal


@contextmanager
def unpacked(path: Path, where: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file's content as a stream, and the stream of the file itself (how far reading is)."""
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        with broken(path, where):
            if magic[:2] == b"\x1f\x8b":
                with gzip.open(file, "rb") as content:
                    yield cast(BinaryIO, content), file
            elif magic == b"PK\x03\x04":
                with zipfile.ZipFile(file) as archive, archive.open(_one(archive, where)) as member:
                    yield cast(BinaryIO, member), file
            else:
                yield file, file


@contextmanager
def broken(path: Path, where: str) -> Iterator[None]:
    """Compressed bytes that end too early or do not add up are a refusal."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise Refusal(
            where,
            f"found {path.name} damaged ({str(error).rstrip('.')})",
            "wanted a whole compressed file",
            "Fetch or compress it again: it was cut off or damaged on the way.",
        ) from error


def _one(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:8]) or "none"
        raise Refusal(
            where,
            f"found {len(members)} files in the zip ({names})",
            "wanted one",
            "Unpack it and name the file that is meant.",
        )
    if members[0].flag_bits & 1:
        raise Refusal(
            where, "found a zip with a password", "wanted an open one", "Unpack the file first."
        )
    return members[0]
