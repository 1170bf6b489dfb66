"""Why this answer: by how much each input moved it, against what is usual.

Each input alone takes the values of rows that the model was judged on; what the answer loses by it on
average is what the input gave (Robnik-Šikonja and Kononenko, Explaining Classifications For Individual
Instances, 2008). Inputs that say the same share what they give, and may seem to give little each.
"""

from __future__ import annotations

import numpy as np

from charter import Frozen
from serving.form import Bad, whole
from serving.loaded import Loaded
from serving.packing import Packed
from serving.predictor import Answers
from serving.signature import Signature


class Reason(Frozen):
    """One input and what it did."""

    field: str
    moved: float
    """What it added to the chance of the class that is said, or to the number."""


def reasons(loaded: Loaded, body: bytes) -> list[Reason]:
    """Of one row, what moved most first; raises `Bad`."""
    packed, _, many = loaded.form.read(body)
    if many or not len(loaded.usual):
        lacks = "a list of rows" if many else "a release without rows that were held out"
        raise Bad([whole(lacks, "one row and what is usual", "Ask about one row.")], status=422)
    signature = loaded.predictor.signature
    changed = [_with(signature, packed, loaded.usual, name) for name in _names(signature)]
    numbers = np.concatenate([packed.numbers, *(one.numbers for one in changed)])
    texts = np.concatenate([packed.texts, *(one.texts for one in changed)])
    said = _said(loaded.predictor.predict(Packed(numbers, texts)), signature)
    without = said[1:].reshape(len(changed), len(loaded.usual)).mean(axis=1)
    moved = zip(_names(signature), (said[0] - without).tolist(), strict=True)
    found = [Reason(field=name, moved=value) for name, value in moved]
    return sorted(found, key=lambda one: -abs(one.moved))


def _names(signature: Signature) -> list[str]:
    return [column.name for column in signature.inputs]


def _with(signature: Signature, packed: Packed, others: Packed, name: str) -> Packed:
    """The row as often as there are others, each with the value that one of them has."""
    numbers = np.repeat(packed.numbers, len(others), axis=0)
    texts = np.repeat(packed.texts, len(others), axis=0)
    if name in signature.numbers:
        place = signature.numbers.index(name)
        numbers[:, place] = others.numbers[:, place]
    else:
        place = signature.texts.index(name)
        texts[:, place] = others.texts[:, place]
    return Packed(numbers, texts)


def _said(answers: Answers, signature: Signature) -> np.ndarray:
    """What the answers give to what the first one says, shape (rows,)."""
    if answers.values is not None:
        return answers.values
    assert answers.probabilities is not None
    assert answers.labels is not None
    said: np.ndarray = answers.probabilities[:, signature.classes.index(answers.labels[0])]
    return said
