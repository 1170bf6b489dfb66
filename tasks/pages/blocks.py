"""The plain parts of a section: text, lists, and how parts stand to each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from markupsafe import Markup

NOTHING = Markup("")


def join(parts: Iterable[str]) -> Markup:
    """One part after the other; plain strings are escaped."""
    return NOTHING.join(parts)


def prose(*paragraphs: str) -> Markup:
    """Paragraphs of running text."""
    return join(Markup("<p>{}</p>").format(paragraph) for paragraph in paragraphs)


def stack(*parts: str) -> Markup:
    """Parts below each other."""
    return Markup('<div class="stack">{}</div>').format(join(part for part in parts if part))


def beside(*parts: str) -> Markup:
    """Parts next to each other where there is room, else below each other."""
    return Markup('<div class="beside">{}</div>').format(join(part for part in parts if part))


def fold(summary: str, *parts: str) -> Markup:
    """What only some readers want; opened by a click."""
    return Markup('<details><summary>{}</summary><div class="stack">{}</div></details>').format(
        summary, join(parts)
    )


def notice(level: Literal["good", "warn", "bad", "note"], heading: str, *parts: str) -> Markup:
    """What must not be overlooked; the heading says it in words."""
    return Markup('<div class="notice {}"><p class="notice-heading">{}</p>{}</div>').format(
        level, heading, join(parts)
    )


def points(items: Iterable[str]) -> Markup:
    """A list."""
    return Markup('<ul class="points">{}</ul>').format(
        join(Markup("<li>{}</li>").format(item) for item in items)
    )


def strong(text: str) -> Markup:
    """Words that carry the sentence."""
    return Markup("<strong>{}</strong>").format(text)


def code(text: str) -> Markup:
    """A name as it stands in the data or the charter."""
    return Markup("<code>{}</code>").format(text)


def link(text: str, href: str) -> Markup:
    """A link to a file near the page."""
    return Markup('<a href="{}">{}</a>').format(href, text)


def subheading(text: str) -> Markup:
    """A heading inside a section."""
    return Markup("<h3>{}</h3>").format(text)


def preformatted(text: str) -> Markup:
    """Text with its own lines, such as a tree or a YAML excerpt."""
    return Markup('<pre class="scroll" tabindex="0"><code>{}</code></pre>').format(text)
