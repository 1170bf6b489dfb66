"""The bytes of a file: plain, gzip or zip, told by their first bytes and not by the name."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from charter import Refusal
from tasks.sources.span import Part, Span

PACKED = (b"\x1f\x8b", b"PK\x03\x04")


@contextmanager
def unpacked(
    path: Path, where: str, span: Span | None = None
) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file's content (a span of it) as a stream, and the stream of the file itself (how far reading is)."""
    with path.open("rb") as file:
        if span is not None:
            yield cast(BinaryIO, io.BufferedReader(Part(file, span))), file
            return
        magic = file.read(4)
        file.seek(0)
        with broken(path, where):
            if magic[:2] == PACKED[0]:
                with gzip.open(file, "rb") as content:
                    yield cast(BinaryIO, content), file
            elif magic == PACKED[1]:
                with (
                    zipfile.ZipFile(file) as archive,
                    archive.open(_one(archive, path, where)) as member,
                ):
                    yield cast(BinaryIO, member), file
            else:
                yield file, file


def check_plain(path: Path, where: str) -> None:
    """Refuse what is compressed: behind the end of such a file nothing can be written."""
    with path.open("rb") as file:
        if not file.read(4).startswith(PACKED):
            return
    raise Refusal(
        where,
        f"found {path.name} compressed",
        "wanted a plain file, since it grows (data.grows)",
        "Let the file be written plain, or take grows out of the charter.",
    )


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


def _one(archive: zipfile.ZipFile, path: Path, where: str) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:8]) or "none"
        raise Refusal(
            where,
            f"found {len(members)} files in the zip {path.name} ({names})",
            "wanted one",
            "Unpack it and name the file that is meant.",
        )
    if members[0].flag_bits & 1:
        raise Refusal(
            where,
            f"found the zip {path.name} locked by a password",
            "wanted an open one",
            "Unpack the file first.",
        )
    return members[0]
