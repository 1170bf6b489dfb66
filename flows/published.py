"""What artifacts are made of: words, tables and pictures in the Prefect UI, one key for each part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from math import floor, isfinite, log10

from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from charter import Verdict
from flows.headlines import headline
from serving.home import place

Cell = str | float | int | None
Line = Mapping[str, Cell]


def words(
    project: str, stage: str, record: object, more: str = "",
    *, verdicts: Iterable[Verdict] = (), page: str = "",
) -> None:  # fmt: skip
    """The stage in words: its headline, its page, and how each of its gates was decided."""
    parts = [f"### {stage}", headline(record), more, link(page), gates(verdicts)]
    text = "\n\n".join(filter(None, parts))
    create_markdown_artifact(text, key=_key(project, stage), description=headline(record))


def table(project: str, part: str, lines: Sequence[Line], title: str) -> None:
    if lines:
        table = [{name: _cell(cell) for name, cell in line.items()} for line in lines]
        create_table_artifact(table, key=_key(project, part), description=title)


def picture(project: str, part: str, svg: str, title: str) -> None:
    # A file beside the pages: the UI writes the address out, which should not be the picture. Its
    # name is that of its content, so that an earlier run keeps its own.
    where = f"pages/{project}/{part}-{sha256(svg.encode()).hexdigest()[:12]}.svg"
    place(where).parent.mkdir(parents=True, exist_ok=True)
    place(where).write_text(svg, encoding="utf-8")
    create_image_artifact(f"/{where}", key=_key(project, part), description=title)


def link(page: str) -> str:
    # The path is that of our own server (flows/server.py), whatever its address.
    return f"[Open the page](/{page})" if page else ""


def gates(verdicts: Iterable[Verdict]) -> str:
    # A list and no table: the UI cuts what is long in a table off.
    return "\n".join(
        f"- {_decided(verdict)} `{verdict.gate}`: {verdict.message}" for verdict in verdicts
    )


def _decided(verdict: Verdict) -> str:
    return "✓" if verdict.passed else "✗ **failed**" if verdict.stops else "! **warning**"


def _cell(cell: Cell) -> Cell:
    """Four digits of a fraction, and whole numbers whole: what a reader compares."""
    if not isinstance(cell, float) or not isfinite(cell) or cell == 0:
        return cell
    return round(cell, max(0, 3 - floor(log10(abs(cell)))))


def _key(project: str, part: str) -> str:
    return f"{project.replace('_', '-')}-{part}"
