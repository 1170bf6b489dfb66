"""What a device hands over: answers that it gave and truths that it was told, numbered by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import orjson
from pydantic import Field, ValidationError

from charter import Frozen
from serving.feedback import truth
from serving.form import Bad, Form, whole
from serving.golden import Cell
from serving.journaling import ids
from serving.journaling.devices import Handed
from serving.journaling.stores import Record
from serving.signature import Signature
from serving.values import Unfit

NAME = ids.SHAPE.pattern
MOST = 1_000  # records of one request

Release = Callable[[int], tuple[Signature, Callable[[dict[str, object]], dict[str, object]]] | None]
"""Of the release of a number: its signature, and what of a row may be kept; None where there is none."""


class Said(Frozen):
    """The answer that the device gave."""

    id: str = Field(pattern=f"^{NAME}$")
    release: int = Field(ge=1, lt=2**31)
    prediction: str | float
    say: str | None = Field(default=None, max_length=1_000)
    probabilities: dict[str, float] = {}


class Asked(Frozen):
    """A row that was answered on the device."""

    kind: Literal["asked"]
    n: int = Field(ge=1, lt=2**53)
    """Counts from 1, for each device; never a number twice."""
    at: float = Field(ge=0, le=1e11)
    """Seconds since 1970 by the device's clock."""
    row: dict[str, Cell]
    answer: Said


class Told(Frozen):
    """What really happened."""

    kind: Literal["told"]
    n: int = Field(ge=1, lt=2**53)
    at: float = Field(ge=0, le=1e11)
    id: str = Field(pattern=f"^{NAME}$")
    truth: Cell


class Parcel(Frozen):
    """One request: records in the order of their numbers."""

    device: str = Field(pattern=f"^{NAME}$")
    """What the device called itself when it first started."""
    now: float = Field(ge=0, le=1e11)
    """The device's clock now: what it is off by is taken out of each record's time."""
    records: tuple[Asked | Told, ...] = Field(max_length=MOST)


class Refused(Frozen):
    """A record that is not kept, and why; the device need not send it again."""

    n: int
    why: str


class Taken(Frozen):
    """What the service has now."""

    taken: int
    """The highest number that it ever had from this device; nothing up to it is needed again."""
    refused: tuple[Refused, ...] = ()


def parcel(body: bytes) -> Parcel:
    """What stands in the request; raises `Bad`."""
    try:
        found = Parcel.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise Bad([whole(f"{where}: {first['msg']}", "a parcel of records", SEND)]) from None
    numbers = [one.n for one in found.records]
    if numbers != sorted(set(numbers)):
        raise Bad([whole("numbers that do not rise", "each record once, in order", SEND)])
    return found


def handed(found: Parcel, at: float, project: str, now: Signature, of: Release) -> list[Handed]:
    """Each record as the journal keeps it, or the reason why it is not kept.

    `now` is the signature that answers here; truths are read by it. `of` knows every release.
    """
    return [
        _asked(one, at - max(found.now - one.at, 0.0), project, of)
        if isinstance(one, Asked)
        else _told(one, now)
        for one in found.records
    ]


def _asked(one: Asked, at: float, project: str, of: Release) -> Handed:
    known = of(one.answer.release)
    if known is None:
        return Handed(one.n, why=f"no release {one.answer.release} is known here")
    signature, kept = known
    try:
        Form(signature).packed([dict(one.row)])
        answer = {"id": one.answer.id, **_answer(one.answer, signature)}
    except (Bad, Unfit) as wrong:
        return Handed(one.n, why=str(wrong))
    row, said = orjson.dumps(kept(dict(one.row))), orjson.dumps(answer)
    record = Record(project, one.answer.id, at, one.answer.release, row.decode(), said.decode())
    return Handed(one.n, asked=record)


def _answer(said: Said, signature: Signature) -> dict[str, Any]:
    """The answer as `/predict` would have written it."""
    if not signature.classes:
        if isinstance(said.prediction, str) or not math.isfinite(said.prediction):
            raise Unfit("a finite number as prediction", "")
        return {"prediction": said.prediction, "release": said.release}
    shares = [said.probabilities.get(name, math.nan) for name in signature.classes]
    if said.prediction not in signature.classes or not all(0 <= one <= 1 for one in shares):
        raise Unfit(f"one of {', '.join(signature.classes)} and the probability of each", "")
    label = str(said.prediction)
    return {
        "prediction": label, "say": signature.say.get(label, label),
        "probabilities": dict(zip(signature.classes, shares, strict=True)), "release": said.release,
    }  # fmt: skip


def _told(one: Told, signature: Signature) -> Handed:
    try:
        return Handed(one.n, told=(one.id, truth(one.truth, signature)))
    except Unfit as unfit:
        return Handed(one.n, why=f"{unfit.wanted} was wanted as truth")


SEND = "Send device, now and records, as serving/device/kit/device.py does."
