"""What becomes of personal data that nobody declared: refused, or dropped, masked or hashed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.types as pt

from charter import Charter, Refusal
from serving.home import place
from serving.pseudonyms import pseudonyms
from tasks.protection.hashes import hashed
from tasks.protection.recognisers import RECOGNISERS
from tasks.protection.scan import BY_NAME, NONE, Find, Looks, Scanner

Action = Literal["drop", "mask", "hash"]
VEIL = "[masked]"


def scanner(charter: Charter, schema: pa.Schema, looks: Looks = NONE) -> Scanner:
    """Looks at every column that is not declared or vouched for, and goes on behind `looks`."""
    known = charter.privacy.declared | {*charter.fairness.sensitive}
    return Scanner((name for name in schema.names if name not in known), looks)


def undeclared(charter: Charter, finds: Iterable[Find]) -> tuple[Find, ...]:
    """Those above the charter's share."""
    return tuple(one for one in finds if one.sure and one.share > charter.privacy.found.share)


def decisions(charter: Charter, finds: Iterable[Find]) -> set[tuple[str, bool]]:
    """The columns that something becomes of, and whether only their name told."""
    return {(one.column, one.kind == BY_NAME) for one in undeclared(charter, finds)}


def in_words(finds: Iterable[Find]) -> str:
    """Columns, kinds and shares."""
    return ", ".join(
        f"{one.column} (by its name)"
        if one.kind == BY_NAME
        else f"{one.column} ({one.kind} in {one.share:.1%} of the rows)"
        for one in finds
    )


def refuse(charter: Charter, finds: Iterable[Find]) -> None:
    """Where the charter says so, and something was found."""
    found = undeclared(charter, finds)
    if not found or charter.privacy.found.action != "refuse":
        return
    raise Refusal(
        "privacy.found",
        f"found personal data that nobody declared: {in_words(found)}",
        f"wanted them in at most {charter.privacy.found.share:.1%} of the rows",
        "Declare the columns in privacy.identifiers, quasi_identifiers or sensitive; vouch in "
        "privacy.cleared for those that hold none; or let privacy.found.action drop, mask or hash "
        "them. Nothing of the data was kept.",
    )


class Cleaning:
    """Batches without what was found in these columns."""

    def __init__(self, charter: Charter, finds: Iterable[Find]) -> None:
        action = charter.privacy.found.action
        acted = undeclared(charter, finds) if action != "refuse" else ()
        self.actions: dict[str, Action] = {one.column: action for one in acted}  # type: ignore[misc]
        self._named = {one.column for one in acted if one.kind == BY_NAME}
        self._hashes = pseudonyms(charter.name) if "hash" in self.actions.values() else None

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """What comes out: values that are no text have nothing to mask, and go."""
        return pa.schema(
            field.with_type(pa.string()) if field.name in self.actions else field
            for field in schema
            if not self._goes(field)
        )

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows as they may be kept."""
        if not self.actions:
            return batch
        columns = [
            self._made(field.name, column)
            for field, column in zip(batch.schema, batch.columns, strict=True)
            if not self._goes(field)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema(batch.schema))

    def _goes(self, field: pa.Field) -> bool:
        action = self.actions.get(field.name)
        plain = pt.is_string(field.type) or (pt.is_integer(field.type) and action == "hash")
        return action == "drop" or (action is not None and not plain)

    def _made(self, name: str, column: pa.Array) -> pa.Array:
        action = self.actions.get(name)
        if action == "hash":
            assert self._hashes is not None
            return hashed(self._hashes, name, column)
        return masked(column, whole=name in self._named) if action == "mask" else column


def masked(column: pa.Array, whole: bool) -> pa.Array:
    """Texts with the kind in place of each find; all of the text where only the name tells."""
    coded = column.dictionary_encode()
    made = [VEIL if whole else _masked(text) for text in coded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(made, pa.string())).cast(
        pa.string()
    )


def _masked(text: str) -> str:
    for one in RECOGNISERS:
        text = one.masked(text)
    return text


def decided(project: str) -> dict[str, str]:
    """The columns of the project that hold personal data nobody declared, and what became of them."""
    try:
        found: dict[str, str] = json.loads(_note(project).read_bytes())
    except FileNotFoundError:
        return {}
    return found


def decide(project: str, actions: dict[str, Action]) -> None:
    """Remember them: neither the model nor the service may take what is still to come."""
    note = _note(project)
    if actions == decided(project):
        return
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_name(f".{note.name}.{os.getpid()}")
    draft.write_text(json.dumps(actions, indent=1), encoding="utf-8")
    draft.replace(note)


def _note(project: str) -> Path:
    return place(f"tables/{project}/found.json")
