"""The first line of a CSV file: names, each once, none blank, split by the right character."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath
from typing import BinaryIO

from charter import Refusal
from charter.data import CsvSource
from tasks.sources.quotes import is_torn

LONGEST = 2**20
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
OTHERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def header(content: BinaryIO, source: CsvSource, where: str) -> list[str]:
    """The names of the columns; refused where they cannot be the names of columns."""
    text = _decoded(content.read(LONGEST), source, where)
    if not text.strip():
        raise Refusal(
            where, f"found {source.path} empty", "wanted a header and rows", "Export it again."
        )
    if text.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
        raise Refusal(
            on_line(1, source, where),
            "found a web page or XML",
            "wanted rows of a CSV file",
            "Look at it in a browser: a download often gives the page of a login or an error.",
        )
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=source.delimiter)
    try:
        names = next((line for line in lines if line), [])
    except csv.Error as error:
        raise Refusal(
            on_line(1, source, where),
            f"found no header ({error})",
            "wanted names of columns",
            _LOOK,
        ) from error
    _quoted_rightly("".join(text.splitlines(keepends=True)[: lines.line_num]), source, where)
    _split_rightly(names, source, where)
    check_names(names, on_line(1, source, where))
    return names


def on_line(line: int, source: CsvSource, where: str) -> str:
    """The place of a line: `where`, its number, and the file unless `where` names it."""
    name = PurePath(source.path).name
    return f"{where}, line {line}" + ("" if name in where else f" of {name}")


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse what are no names of columns; `where` tells the line or row that they stand in."""
    _are_names(names, where)
    _each_once(names, where)


_LOOK = "Look at the file in a text editor: the first line has to name the columns."


def _decoded(head: bytes, source: CsvSource, where: str) -> str:
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if head.startswith(mark) and not source.encoding.lower().startswith("utf-16"):
            raise _wrong_encoding(source, where, f"encoding: {name}")
    if head[:1000].count(0) > len(head[:1000]) // 4 and "16" not in source.encoding:
        raise _wrong_encoding(source, where, "encoding: utf-16-le")
    try:
        decoder = codecs.getincrementaldecoder(source.encoding)()
        return decoder.decode(head).removeprefix("\ufeff")
    except LookupError as error:
        raise Refusal(
            f"{where}.encoding",
            f"found {source.encoding}",
            "wanted the name of an encoding",
            "Usual ones: utf-8, latin-1, cp1252, utf-16.",
        ) from error
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = head[:start].count(b"\n") + 1
        raise undecodable(source, where, line) from error


def undecodable(source: CsvSource, where: str, line: int) -> Refusal:
    """The refusal of bytes that are not in the charter's encoding."""
    return _wrong_encoding(source, f"{where}, line {line}", "encoding: latin-1, or cp1252")


def _wrong_encoding(source: CsvSource, where: str, remedy: str) -> Refusal:
    return Refusal(
        where,
        f"found bytes in {source.path} that are not {source.encoding}",
        f"wanted {source.encoding}",
        f"Say which it is in the charter's source, perhaps {remedy}.",
    )


def _quoted_rightly(head: str, source: CsvSource, where: str) -> None:
    if head.count('"') % 2:
        found = "found a quote that is opened and not closed"
    elif is_torn(head, source.delimiter):
        found = "found a text behind a closing quote"
    else:
        return
    raise Refusal(on_line(1, source, where), found, "wanted names of columns", _LOOK)


def _split_rightly(names: list[str], source: CsvSource, where: str) -> None:
    if len(names) != 1:
        return
    for other, word in OTHERS.items():
        if other != source.delimiter and other in names[0]:
            raise Refusal(
                on_line(1, source, where),
                f"found one column, {names[0][:80]!r}",
                f"wanted columns separated by {source.delimiter!r}",
                f"It looks like {word}: set delimiter: {json.dumps(other)} in the charter's source.",
            )


def _are_names(names: Sequence[str], where: str) -> None:
    if all(NUMBER.fullmatch(name.strip()) for name in names):
        raise Refusal(
            where,
            f"found only numbers ({', '.join(names[:8])}), as in a file without a header",
            "wanted names of columns",
            "Write a line with the names above the rows.",
        )


def _each_once(names: Sequence[str], where: str) -> None:
    blank = [number for number, name in enumerate(names, 1) if not name.strip()]
    if blank:
        raise Refusal(
            where,
            f"found no name for column {', '.join(map(str, blank[:8]))} of {len(names)}",
            "wanted a name for each column",
            "Name it in the first line, or take the column out.",
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Refusal(
            where,
            f"found the name {', '.join(twice[:8])} more than once",
            "wanted each column to have its own name",
            "Rename or remove the repeated columns in the first line.",
        )
