"""The edit of the suite that would make it fit the data as they are now; a person accepts it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from charter import Charter, Frozen
from serving.home import place
from tasks.ingest import Ingested
from tasks.validation.change import Change
from tasks.validation.expectation import FILLED, UNIQUE, Expectation
from tasks.validation.inference import infer_columns
from tasks.validation.suite import entry, parsed, text

Entry = dict[str, Any]
NUMBERS = ("int8", "int16", "int32", "int64", "float", "double")
NAMING = ("column", "column_A", "column_B")
LISTING = ("column_list", "column_set")


class Proposal(Frozen):
    """The suite's file as it would be."""

    suite: str
    """Path of the file."""
    before: str
    """SHA-256 of the file that the proposal is an edit of."""
    found: tuple[str, ...]
    """What changed in the data, in words."""
    edits: tuple[str, ...]
    """What would change in the suite, in words."""
    after: str
    """The whole new file."""


def propose(
    charter: Charter,
    ingested: Ingested,
    rules: Sequence[Expectation],
    path: Path,
    found: Sequence[Change],
) -> Proposal:
    """Write down the edit for `perennial accept`, and give it."""
    fresh = [change.column for change in found if change.kind in ("new", "retyped")]
    drafted = infer_columns(charter, ingested, rules, fresh) if fresh else ()
    document = parsed(path)
    for one in document["expectations"]:
        one["kwargs"] = one.get("kwargs") or {}
    edits = tuple(_edit(document, change, drafted) for change in found)
    proposal = Proposal(
        suite=str(path),
        before=digest(path),
        found=tuple(change.words for change in found),
        edits=edits,
        after=text(document),
    )
    where = _place(charter)
    where.parent.mkdir(parents=True, exist_ok=True)
    temporary = where.with_name(f".{where.name}.{os.getpid()}")
    temporary.write_text(proposal.model_dump_json(indent=2), encoding="utf-8")
    temporary.replace(where)
    return proposal


def pending(charter: Charter) -> Proposal | None:
    """What waits to be accepted."""
    where = _place(charter)
    if not where.exists():
        return None
    return Proposal.model_validate_json(where.read_text(encoding="utf-8"))


def forget(charter: Charter) -> None:
    """There is nothing to accept any more."""
    _place(charter).unlink(missing_ok=True)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _place(charter: Charter) -> Path:
    return place(f"tables/{charter.name}/proposal.json")


def _edit(document: Entry, change: Change, drafted: Sequence[Expectation]) -> str:
    """Change the document, and say what was changed."""
    columns: dict[str, str] = document["meta"]["columns"]
    entries: list[Entry] = document["expectations"]
    mine = [entry(one) for one in drafted if one.columns == (change.column,)]
    if change.kind == "renamed":
        document["meta"]["columns"] = {
            change.name if name == change.column else name: kind for name, kind in columns.items()
        }
        renamed = sum(_rename(one["kwargs"], change.column, change.name) for one in entries)
        return f"call {change.column} {change.name}, in {_count(renamed)} too"
    if change.kind == "missing":
        del columns[change.column]
        dropped = _drop(entries, change.column, ())
        return f"drop {change.column} and {_count(dropped)}"
    columns[change.column] = change.type
    if change.kind == "new":
        for one in entries:
            if change.column not in one["kwargs"].get("column_set", [change.column]):
                one["kwargs"]["column_set"].append(change.column)
        entries.extend(mine)
        return f"add {change.column} ({change.type}) with {_count(len(mine))}"
    return _retype(entries, change, mine)


def _retype(entries: list[Entry], change: Change, drafted: Sequence[Entry]) -> str:
    said = f"let {change.column} hold {change.type}"
    if change.type in NUMBERS and change.was in NUMBERS:
        return f"{said}, with the expectations that it has"
    dropped = _drop(entries, change.column, (FILLED, UNIQUE))
    there = {one["type"] for one in entries if one["kwargs"].get("column") == change.column}
    added = [one for one in drafted if one["type"] not in there]
    entries.extend(added)
    return f"{said}, with {_count(len(added))} instead of {dropped}"


def _drop(entries: list[Entry], column: str, kept: Sequence[str]) -> int:
    """Drop what is about the column; how many that were."""
    before = len(entries)
    entries[:] = [one for one in entries if one["type"] in kept or not _about(one, column)]
    if not kept:
        for one in entries:
            names = one["kwargs"].get("column_set")
            if names and column in names:
                names.remove(column)
    return before - len(entries)


def _about(one: Entry, column: str) -> bool:
    kwargs = one["kwargs"]
    named = [kwargs.get(name) for name in NAMING] + list(kwargs.get("column_list") or ())
    return column in named


def _rename(kwargs: Entry, old: str, new: str) -> int:
    """Whether the expectation named it, as 0 or 1."""
    before = json.dumps(kwargs)
    for name in NAMING:
        if kwargs.get(name) == old:
            kwargs[name] = new
    for name in LISTING:
        if name in kwargs:
            kwargs[name] = [new if one == old else one for one in kwargs[name]]
    return int(json.dumps(kwargs) != before)


def _count(expectations: int) -> str:
    return f"{expectations} expectation{'' if expectations == 1 else 's'}"
