"""How well the model does now: its latest answers against what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from charter import Frozen
from serving.interval import wilson
from serving.journal import Journal, Seen
from serving.signature import Signature
from serving.site.words import outcome

LATEST = 2_000
LEAST = 20  # known outcomes; fewer say nothing


class Said(Frozen):
    """One answer that the model gives, and how often it came true."""

    say: str
    outcome: str
    times: int
    right: int


class Outcomes(Frozen):
    """The latest answers whose outcome is known."""

    known: int
    least: int = LEAST
    """From how many on there are figures."""
    right: float | None = None
    """Share of answers that came true."""
    low: float | None = None
    high: float | None = None
    """Its 95 % interval (Wilson, 1927)."""
    always: float | None = None
    """The share that always giving the commonest answer would have had."""
    commonest: str | None = None
    said: tuple[Said, ...] = ()
    cost: float | None = None
    """Two classes: what its errors cost an answer, at the prices of the charter."""
    constant: float | None = None
    """What always giving the cheaper of the two answers would have cost."""
    off: float | None = None
    """A number: by how much it was off on average."""
    spread: float | None = None
    """By how much always saying the average would have been off."""


def outcomes(journal: Journal, signature: Signature, price: Mapping[str, Any]) -> Outcomes:
    """Of the answers whose truth came last; `price` is what the charter says that errors cost.

    Answers of earlier releases that this one cannot give, as of another task, do not count.
    """
    known = [one for one in journal.latest(LATEST) if one.answer and one.truth is not None]
    seen = [one for one in known if _fits(one, signature)]
    if len(seen) < LEAST:
        return Outcomes(known=len(seen))
    return _classes(seen, signature, price) if signature.classes else _numbers(seen)


def _classes(seen: Sequence[Seen], signature: Signature, price: Mapping[str, Any]) -> Outcomes:
    pairs = [(str(_answer(one)["prediction"]), str(one.truth)) for one in seen]
    right = sum(said == truth for said, truth in pairs)
    commonest, always = Counter(truth for _, truth in pairs).most_common(1)[0]
    low, high = wilson(right, len(pairs))
    said = tuple(
        Said(
            say=signature.say.get(label, label), outcome=outcome(signature, label),
            times=sum(one == label for one, _ in pairs),
            right=sum(one == truth == label for one, truth in pairs),
        )
        for label in reversed(signature.classes)
    )  # fmt: skip
    cost, constant = _costs(pairs, signature.classes, price)
    return Outcomes(
        known=len(pairs), right=right / len(pairs), low=low, high=high, always=always / len(pairs),
        commonest=signature.say.get(commonest, commonest), said=said, cost=cost, constant=constant,
    )  # fmt: skip


def _costs(
    pairs: Sequence[tuple[str, str]], classes: Sequence[str], price: Mapping[str, Any]
) -> tuple[float | None, float | None]:
    """What errors cost an answer: its own, and those of the better constant; None without prices."""
    miss, alarm = price.get("miss"), price.get("false_alarm")
    if len(classes) != 2 or not (miss or alarm):
        return None, None
    miss, alarm, positive = miss or 1.0, alarm or 1.0, classes[1]
    missed = sum(said != positive == truth for said, truth in pairs)
    alarms = sum(said == positive != truth for said, truth in pairs)
    hits = sum(truth == positive for _, truth in pairs)
    constant = min(hits * miss, (len(pairs) - hits) * alarm)
    return (missed * miss + alarms * alarm) / len(pairs), constant / len(pairs)


def _numbers(seen: Sequence[Seen]) -> Outcomes:
    pairs = [(float(_answer(one)["prediction"]), float(one.truth or 0)) for one in seen]
    middle = sum(truth for _, truth in pairs) / len(pairs)
    return Outcomes(
        known=len(pairs),
        off=sum(abs(said - truth) for said, truth in pairs) / len(pairs),
        spread=sum(abs(middle - truth) for _, truth in pairs) / len(pairs),
    )


def _fits(one: Seen, signature: Signature) -> bool:
    said = _answer(one).get("prediction")
    if signature.classes:
        return said in signature.classes
    return isinstance(said, int | float) and isinstance(one.truth, int | float)


def _answer(one: Seen) -> dict[str, Any]:
    return dict(orjson.loads(one.answer or "{}"))
