"""A YAML file as plain values that remember their lines.

YAML 1.2 rules, since those of 1.1 surprise: only true and false are booleans (`no` and `on` are
words), 010 and 1:30 are texts, 1e-3 is a number, dates stay texts until a section reads them,
and every key is the text that stands in the file.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from charter.refusal import Refusal

Key = tuple[str | int, ...]
MOST_BYTES = 1_000_000
MOST_VALUES = 100_000  # aliases of aliases can grow without end

_RULES = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("null", r"~|null|Null|NULL|", "~nN"),
)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


for _name, _pattern, _first in _RULES:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}",
        re.compile(f"^(?:{_pattern})$"),
        [*_first, *([""] if _name == "null" else [])],
    )


@dataclass
class Document:
    """The values of a file, and the line of each key."""

    name: str
    values: dict[str, Any]
    lines: dict[Key, int] = field(default_factory=dict)


def read(path: Path) -> Document:
    """The file as a mapping; what cannot be read as one is refused with its line."""
    document = Document(path.as_posix(), {})
    try:
        node = _compose(_text(path))
        if not isinstance(node, yaml.MappingNode):
            raise _refusal(
                document.name,
                "nothing" if node is None else "no keys",
                "keys and values, as in `name: flights`",
                "Begin with name, goal and data, or draft one: perennial new NAME --data FILE.",
            )
        document.values = _Reading(document).value(node, ())
    except yaml.YAMLError as error:
        raise _broken(document.name, error) from None
    except RecursionError:
        raise _refusal(document.name, "endless nesting", "a few levels", "Flatten it.") from None
    return document


def value(text: str) -> Any:
    """One value by the same rules; raises yaml.YAMLError."""
    node = _compose(text)
    return None if node is None else _Reading(Document("", {})).value(node, ())


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise _refusal(path.as_posix(), found, "a readable file", "Name a YAML file.") from None
    if len(raw) > MOST_BYTES:
        found = f"{len(raw):,} bytes"
        raise _refusal(path.as_posix(), found, "a charter", "Is this a data file?")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        where = f"{path.as_posix()}, line {line}"
        raise _refusal(where, "bytes that are not UTF-8", "text", "Save it as UTF-8.") from None


def _missing(path: Path) -> Refusal:
    near = sorted(found.as_posix() for found in path.parent.glob("*.yaml"))
    remedy = f"There is {', '.join(near[:8])}." if near else "Draft one: perennial new NAME."
    return _refusal(path.as_posix(), "no such file", "a charter", remedy)


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


class _Reading:
    """Values of nodes, the line of each key noted on the way."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.made = 0
        self.scalars = _Loader("")

    def value(self, node: yaml.Node, at: Key) -> Any:
        self.made += 1
        if self.made > MOST_VALUES:
            raise _refusal(self.document.name, "endless aliases", "a charter", "Write them out.")
        self.document.lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*at, place)) for place, item in enumerate(node.value)]
        try:
            return self.scalars.construct_object(node)
        except (ValueError, KeyError, AttributeError):  # thousands of digits, `!!int word`
            problem = "a value that cannot be what it is written as"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None

    def mapping(self, node: yaml.MappingNode, at: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name = self.name(name_node)
            line = name_node.start_mark.line + 1
            if name in found:
                first = self.document.lines[(*at, name)]
                raise _refusal(
                    f"{self.document.name}, line {line}, {dotted((*at, name))}",
                    f"the key stands in line {first} and again in line {line}",
                    "each key once",
                    "Keep one of the two.",
                )
            self.document.lines[(*at, name)] = line
            found[name] = self.value(value_node, (*at, name))
        return found

    def name(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            where = f"{self.document.name}, line {node.start_mark.line + 1}"
            raise _refusal(where, "a list or mapping as key", "a text", "Quote the key.")
        text: Hashable = node.value
        return str(text).lower() if node.tag.endswith(":bool") else str(text)


def dotted(key: Key) -> str:
    """A key as people write it, as in `data.joins[0].on`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _broken(name: str, error: yaml.YAMLError) -> Refusal:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}, line {mark.line + 1}" if mark else name
    problem = str(getattr(error, "problem", None) or error).splitlines()[0]
    if "\\t" in problem:
        return _refusal(where, "a tab", "spaces", "Indent with two spaces, never with tabs.")
    return _refusal(where, problem, "YAML", "Look at indentation, colons and quotes just there.")


def _refusal(where: str, found: str, wanted: str, remedy: str) -> Refusal:
    return Refusal(where, f"found {found}", f"wanted {wanted}", remedy)
