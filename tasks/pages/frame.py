"""The page around the sections."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from serving.home import place

_HERE = Path(__file__).parent
TRAINED = ("Profile", "Recipe", "Study", "Scorecard")
LATER = ("Clusters", "Anomalies", "Privacy", "Audit", "Mitigation", "History", "Monitor", "Canary")


@dataclass(frozen=True)
class Fact:
    """A number that is read first, with its name and what it means."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Link:
    """A file near the page."""

    text: str
    href: str


def siblings(page: str, project: str) -> list[Link]:
    """The project's other pages: those that a training writes, in its order, then those of its
    run time that are there already."""
    trained = [Link(name, f"{name.lower()}.html") for name in TRAINED]
    later = [Link(name, f"{name.lower()}.html") for name in LATER]
    there = [link for link in later if place(f"pages/{project}/{link.href}").exists()]
    return [link for link in (*trained, *there) if link.text != page]


@dataclass(frozen=True)
class Section:
    """A heading, the sentence that says what is seen, and the evidence."""

    heading: str
    lead: str = ""
    body: str = field(default=Markup(""), repr=False)
    """`Markup` from blocks, charts and tables; a plain string is shown as text."""

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.heading.lower()).strip("-") or "section"


def render(
    *,
    title: str,
    sections: Sequence[Section],
    subtitle: str = "",
    project: str = "",
    facts: Sequence[Fact] = (),
    links: Sequence[Link] = (),
    footer: str = "",
) -> str:
    """The complete page as one HTML text that needs nothing else."""
    return _template().render(
        title=title,
        subtitle=subtitle,
        project=project,
        facts=facts,
        sections=_numbered(sections),
        links=links,
        footer=footer,
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
    )


def keep(where: str, html: str) -> str:
    """Write the page to `where` (relative to the root) in one step, and return `where`."""
    path = place(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(html, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return where


def _numbered(sections: Sequence[Section]) -> list[tuple[str, Section]]:
    """Each section with an anchor of its own, also where two share a heading."""
    seen: dict[str, int] = {}
    anchored = []
    for section in sections:
        seen[section.anchor] = seen.get(section.anchor, 0) + 1
        repeat = seen[section.anchor]
        anchored.append((section.anchor + (f"-{repeat}" if repeat > 1 else ""), section))
    return anchored


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
