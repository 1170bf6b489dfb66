"""Truths as clients send them: `{"id": …, "truth": …}`, or a list of such objects."""

from __future__ import annotations

import math
from typing import Any

import orjson

from serving.form import MAX_ROWS, SHOWN, Bad, Problem, shown, whole
from serving.journaling import ids
from serving.journaling.labels import Truth
from serving.signature import Signature
from serving.values import Unfit, number, text

EXAMPLE = '{"id": "01890a5d-ac96-774b-bcce-b302099a8057", "truth": …}'


def read(body: bytes, signature: Signature) -> list[tuple[str, Truth]]:
    """The truths of a request, as the journal keeps them; raises `Bad` with what is wrong."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Bad([_whole(f"no JSON ({error.msg})" if body.strip() else "an empty body")]) from None
    many = found if isinstance(found, list) else [found]
    if len(many) > MAX_ROWS:
        wanted, remedy = f"at most {MAX_ROWS:,} in one request", "Send them in parts."
        raise Bad([whole(f"{len(many):,} truths", wanted, remedy)], status=413)
    entries: list[tuple[str, Truth]] = []
    problems: list[Problem] = []
    for i, one in enumerate(many):
        wrong = _wrong(i, one)
        if not wrong:
            try:
                entries.append((one["id"].lower(), truth(one["truth"], signature)))
            except Unfit as unfit:
                wrong = [_problem(i, "truth", one["truth"], unfit.wanted, unfit.remedy)]
        problems += wrong
    if problems:
        raise Bad(problems[:SHOWN])
    return entries


def truth(value: object, signature: Signature) -> Truth:
    """What the journal keeps of a truth: the class label, or a finite number; raises `Unfit`."""
    if signature.classes:
        label = text(value)
        if label not in signature.classes:
            known = ", ".join(signature.classes)
            raise Unfit(f"one of {known}", "Send the class as the model names it.")
        return label
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Unfit("a finite number", "Send the number that turned out to be true.")
    found = number(value)
    if math.isnan(found):
        raise Unfit("a finite number", "Send the number that turned out to be true.")
    return found


def _wrong(i: int, one: Any) -> list[Problem]:
    if not isinstance(one, dict):
        return [_problem(i, None, one, "an object with id and truth", f"Send {EXAMPLE}.")]
    strange = [name for name in one if name not in ("id", "truth")]
    if strange:
        remedy = f"Send {EXAMPLE}."
        return [_problem(i, strange[0], one[strange[0]], "only the fields id and truth", remedy)]
    if not (isinstance(one.get("id"), str) and ids.is_one(one["id"].lower())):
        remedy = "Send the id that came with the answer to /predict."
        return [_problem(i, "id", one.get("id"), "the id of a prediction", remedy)]
    if "truth" not in one:
        return [_problem(i, "truth", None, "what turned out to be true", f"Send {EXAMPLE}.")]
    return []


def _problem(row: int, field: str | None, value: object, wanted: str, remedy: str) -> Problem:
    return Problem(row=row, field=field, found=shown(value), wanted=wanted, remedy=remedy)


def _whole(found: str) -> Problem:
    wanted = "an object with id and truth, or a list of such objects"
    return whole(found, wanted, f"Send {EXAMPLE}.")
