"""Reading a charter: the file, overrides of one run, and errors in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from charter import document
from charter.charter import Charter
from charter.document import Document, Key, dotted
from charter.explain import Wrong, explain
from charter.refusal import Refusal


def load(path: Path, overrides: Sequence[str] = ()) -> Charter:
    """The checked charter; one Refusal lists everything that is wrong with it.

    `overrides` are `section.key=value` as of `--set`, the value read as YAML; parts may be keys
    of mappings (quoted where they hold a dot) and positions in lists, as in
    `data.joins.0.unmatched_share=0.1`. A wrong key is refused like one in the file.
    """
    read = document.read(path)
    origins = {key: text for text in overrides for key in [_override(read.values, text)]}
    values = {key: value for key, value in read.values.items() if value is not None}
    try:
        return Charter.model_validate(values)
    except ValidationError as error:
        wrongs = [_placed(wrong, read, origins) for wrong in explain(error, values)]
    raise _refusal(read.name, wrongs)


def _refusal(name: str, wrongs: list[Wrong]) -> Refusal:
    if len(wrongs) == 1:
        only = wrongs[0]
        separator = ", " if only.where else ""
        return Refusal(
            f"{name}{separator}{only.where}",
            f"found {only.found}",
            f"wanted {only.wanted}",
            only.remedy,
        )
    lines = [f"- {w.where}: found {w.found}, wanted {w.wanted}. {w.remedy}" for w in wrongs]
    return Refusal(
        name,
        f"found {len(wrongs)} errors",
        "wanted a charter that can be executed",
        "Correct these:\n" + "\n".join(lines),
    )


def _placed(wrong: Wrong, read: Document, origins: dict[Key, str]) -> Wrong:
    """The error with the line or the override that it comes from."""
    name = dotted(wrong.key)
    for key in (key for key in origins if key[: len(wrong.key)] == wrong.key):
        return replace(wrong, where=f"--set {origins[key]}")
    for key in (wrong.key[:length] for length in range(len(wrong.key), 0, -1)):
        if key in origins:
            where = f"--set {origins[key]}"
            return replace(wrong, where=where if key == wrong.key else f"{where}, {name}")
        if key in read.lines:
            return replace(wrong, where=f"line {read.lines[key]}, {name}")
    return replace(wrong, where=name)


def _override(values: dict[str, Any], text: str) -> Key:
    """Put one override into the values; gives the key it set."""
    name, equals, written = text.partition("=")
    parts = [quoted or plain for quoted, plain in re.findall(r'"([^"]+)"|([^."\[\]]+)', name)]
    if not equals or not parts:
        raise _unusable(text, "no key and value", "section.key=value")
    try:
        value = document.value(written)
    except yaml.YAMLError:
        quoted = written.replace("'", "''")
        raise _unusable(text, "a value that is no YAML", f"{name}='{quoted}'") from None
    at: Any = values
    key: Key = ()
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        step = _step(at, part, text, dotted(key))
        key = (*key, step)
        if last:
            _put(at, step, value)
        elif isinstance(at, list):
            at = at[step] if step < len(at) else _put(at, step, {})
        else:
            at = at[step] if at.get(step) is not None else _put(at, step, {})
    return key


def _step(at: Any, part: str, text: str, before: str) -> Any:
    """The next key or position inside a value; refused where the value has no inside."""
    if isinstance(at, dict):
        return part
    if not isinstance(at, list):
        raise _unusable(text, f"a single value in {before}", "a section or a list there")
    if not part.isdecimal() or int(part) > len(at):
        raise _unusable(text, f"{part} as position", f"one from 0 to {len(at)} in {before}")
    return int(part)


def _put(at: Any, step: Any, value: Any) -> Any:
    if isinstance(at, list) and step == len(at):
        at.append(value)
    else:
        at[step] = value
    return value


def _unusable(text: str, found: str, wanted: str) -> Refusal:
    return Refusal(
        f"--set {text}",
        f"found {found}",
        f"wanted {wanted}",
        "Write it as in --set constraints.train_minutes=1.",
    )
