"""Which keys a charter may have at a place, read off the models themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel

from charter.charter import Charter
from charter.document import Key, dotted

_CHOOSERS = ("kind", "by")


def valid(key: Key, values: dict[str, Any]) -> list[str]:
    """The keys of the section at `key`; of a union, those of the member that the file chose."""
    return list(
        dict.fromkeys(name for model in _models(key, values) for name in model.model_fields)
    )


def given(key: Key, values: dict[str, Any]) -> list[str]:
    """The keys that the file has at a place."""
    at: Any = values
    for part in key:
        at = _inside(at, part)
    return list(at) if isinstance(at, dict) else []


def tags(key: Key, values: dict[str, Any]) -> list[str]:
    """The values of `kind` or `by` among the members of a union."""
    return [tag for model in _models(key, values) for tag in _tags(model)]


def description(key: Key, values: dict[str, Any]) -> str:
    """What the key means; empty where it has no text of its own."""
    for model in _models(key[:-1], values) if key else ():
        field = model.model_fields.get(str(key[-1]))
        if field is not None and field.description:
            return " ".join(field.description.split())
    return ""


def elsewhere(name: str) -> list[str]:
    """Sections outside unions and lists that have a key of this name, and top-level sections."""
    return [dotted(key) for key in _all(Charter, ()) if key[-1] == name][:3]


def _all(model: type[BaseModel], at: Key) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        yield (*at, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _all(field.annotation, (*at, name))


def _models(key: Key, values: dict[str, Any]) -> list[type[BaseModel]]:
    kinds: list[Any] = [Charter]
    at: Any = values
    for part in key:
        kinds = [inner for kind in kinds for inner in _step(kind, part)]
        at = _inside(at, part)
        kinds = [chosen for kind in kinds for chosen in _members(kind, at)]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def within(at: Any, part: str | int) -> bool:
    """Whether the value is a mapping with this key, or a list with this position."""
    if isinstance(at, list):
        return isinstance(part, int) and part < len(at)
    return isinstance(at, dict) and part in at


def _inside(at: Any, part: str | int) -> Any:
    return at[part] if within(at, part) else None


def _step(kind: Any, part: str | int) -> Iterator[Any]:
    """The annotation behind a field, a key or a position."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        if field is not None:
            yield field.annotation
    elif get_origin(kind) is dict:
        yield get_args(kind)[1]
    elif get_origin(kind) is tuple:
        yield get_args(kind)[0]


def _members(kind: Any, at: Any) -> Iterator[Any]:
    """The annotation without its wrapping; of several models the one that the file chose."""
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0], at)
    elif get_args(kind) and get_origin(kind) not in (dict, tuple, Literal):
        members = [inner for part in get_args(kind) for inner in _members(part, at)]
        chosen = [at.get(name) for name in _CHOOSERS] if isinstance(at, dict) else []
        fit = [member for member in members if set(_tags(member)) & set(map(str, chosen))]
        yield from fit or members
    else:
        yield kind


def _tags(kind: Any) -> list[str]:
    fields = getattr(kind, "model_fields", {})
    return [
        tag for name in _CHOOSERS if name in fields for tag in get_args(fields[name].annotation)
    ]
