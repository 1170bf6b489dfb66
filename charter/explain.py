"""What pydantic found wrong, in the words of somebody who writes charters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from charter import keys
from charter.conflict import Contradiction
from charter.document import Key, dotted

_WANTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "tuple_type": "a list, as in [a, b]",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "too_short": "at least one entry",
    "string_too_short": "a text that is not empty",
}


@dataclass(frozen=True)
class Wrong:
    """One error; `where` is filled in by whoever knows the lines."""

    key: Key
    found: str
    wanted: str
    remedy: str
    where: str = ""
    meant: Key = ()
    """The key that an unknown one was probably meant to be."""


@dataclass(frozen=True)
class _Placed:
    """An error of pydantic with its key in the file, freed from the names of union members."""

    key: Key
    union: bool
    error: ErrorDetails


def explain(error: ValidationError, values: dict[str, Any]) -> list[Wrong]:
    """Every error once, in the order of the sections."""
    placed = [_place(details, values) for details in error.errors(include_url=False)]
    wrongs: dict[Key, Wrong] = {}
    for item in placed:
        if _echo(item, placed):
            continue
        for wrong in _wrongs(item, values):
            known = wrongs.get(wrong.key)
            wrongs[wrong.key] = _either(known, wrong) if known and item.union else wrong
    misspelt = {wrong.meant for wrong in wrongs.values() if wrong.meant}
    return [wrong for key, wrong in wrongs.items() if key not in misspelt]


def _echo(item: _Placed, placed: list[_Placed]) -> bool:
    """Whether a deeper error says the same more exactly."""
    unsure = item.union or item.error["type"] == "too_short"
    deeper = (other.key for other in placed if len(other.key) > len(item.key))
    return unsure and any(key[: len(item.key)] == item.key for key in deeper)


def _either(one: Wrong, two: Wrong) -> Wrong:
    if two.wanted in one.wanted:
        return one
    return Wrong(one.key, one.found, f"{one.wanted}, or {two.wanted}", one.remedy or two.remedy)


def _place(error: ErrorDetails, values: dict[str, Any]) -> _Placed:
    at: Any = values
    key: Key = ()
    union = False
    for place, part in enumerate(error["loc"]):
        last = place == len(error["loc"]) - 1
        if keys.within(at, part):
            at, key = at[part], (*key, part)
        elif last and error["type"] == "missing":
            key = (*key, part)
        elif part != "[key]" and not _chosen(at, part):
            union = True
    return _Placed(key, union, error)


def _chosen(at: Any, tag: str | int) -> bool:
    """Whether the tag is the one that the file itself gives with kind or by."""
    return isinstance(at, dict) and tag in (at.get("kind"), at.get("by"))


def _wrongs(item: _Placed, values: dict[str, Any]) -> Iterator[Wrong]:
    error, context = item.error, item.error.get("ctx", {})
    kind, given = error["type"], error["input"]
    remedy = _meaning(item.key, values)
    cause = context.get("error")
    if isinstance(cause, Contradiction):
        for conflict in cause.conflicts:
            parts = _inside(conflict.key, given)
            yield Wrong((*item.key, *parts), conflict.found, conflict.wanted, conflict.remedy)
    elif kind == "missing":
        yield Wrong(item.key, "nothing", "it to be given", remedy)
    elif kind == "extra_forbidden":
        yield _unknown(item.key, values)
    elif kind == "union_tag_not_found":
        tags = keys.tags(item.key, values)
        wanted = f"{context['discriminator']}: one of {', '.join(tags)}".replace("'", "")
        yield Wrong(item.key, _shown(given), wanted, remedy)
    elif kind in ("union_tag_invalid", "literal_error"):
        yield _choice(item, context)
    elif isinstance(cause, ValueError):
        yield Wrong(item.key, _shown(given), str(cause), remedy)
    else:
        yield Wrong(item.key, _shown(given), _wanted(error), _quoting(error) or remedy)


def _inside(name: str, given: Any) -> Key:
    """The key of a conflict, as far as the file itself goes."""
    at: Any = given
    parts: list[str] = []
    rest = name
    while rest:
        known = at if isinstance(at, dict) else {}
        part = next(
            (key for key in known if rest == key or rest.startswith(f"{key}.")),
            rest.partition(".")[0],
        )
        parts.append(part)
        at, rest = known.get(part), rest[len(part) + 1 :]
    return tuple(parts)


def _unknown(key: Key, values: dict[str, Any]) -> Wrong:
    valid = keys.valid(key[:-1], values)
    name = str(key[-1])
    absent = [other for other in valid if other not in keys.given(key[:-1], values)]
    near = get_close_matches(name, absent, n=1, cutoff=0.5)
    near = near or get_close_matches(name, valid, n=1, cutoff=0.8)
    meant = (*key[:-1], *near) if near else ()
    elsewhere = keys.elsewhere(name)
    remedy = f"Did you mean {dotted(meant)}?" if near else "Take it out."
    if elsewhere and not (near and near[0].startswith(name)):
        remedy = f"Did you mean {' or '.join(elsewhere)}?"
    wanted = f"one of {', '.join(valid)}"
    return Wrong(key, f"an unknown key {name}", wanted, remedy, meant=meant)


def _choice(item: _Placed, context: dict[str, Any]) -> Wrong:
    """A closed set: what there is, and the nearest."""
    expected = str(context.get("expected_tags") or context.get("expected"))
    options = re.findall(r"'([^']*)'", expected) or [expected]
    given = context.get("tag", item.error["input"])
    near = get_close_matches(str(given), options, n=1, cutoff=0.5)
    key = item.key
    if "discriminator" in context:
        key = (*key, str(context["discriminator"]).strip("'"))
    wanted = options[0] if len(options) == 1 else f"one of {', '.join(options)}"
    remedy = f"Did you mean {near[0]}?" if near else "Take one of these."
    return Wrong(key, _shown(given), wanted, remedy)


def _wanted(error: ErrorDetails) -> str:
    if error["type"] in _WANTED:
        return _WANTED[error["type"]]
    if error["type"].startswith("date"):
        return "a date that exists, as in 2024-02-29 or 2024-02-29T18:00"
    if error["type"] == "string_pattern_mismatch":
        return f"a text like {error['ctx']['pattern']}"
    message = re.sub(r"^(Value error, |Input should be )", "", error["msg"])
    return re.sub(r"^(greater|less)", r"a value \1", message)


def _quoting(error: ErrorDetails) -> str:
    given = error["input"]
    if error["type"] == "string_type" and isinstance(given, int | float):
        return f'Write it in quotes: "{_shown(given)}".'
    if error["type"] == "string_type" and isinstance(given, dict):
        return "Put a text that holds a colon in quotes."
    if error["type"] == "tuple_type" and isinstance(given, str):
        return f"Write [{given}]."
    return ""


def _meaning(key: Key, values: dict[str, Any]) -> str:
    text = keys.description(key, values)
    return f"{key[-1]}: {text}" if text else "See charter.schema.json."


def _shown(given: Any) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return f"the keys {', '.join(map(str, given))}" if given else "no keys"
    if isinstance(given, list | tuple):
        return f"a list of {len(given)}"
    text = str(given)
    return text if len(text) <= 60 else f"{text[:57]}..."
