"""Which columns hold personal data: every value of every text column, batch by batch.

RE2 looks at the different values of a batch, checksums only at what it finds; a column is judged by
the share of its filled rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from charter import Frozen
from tasks.protection import given_names
from tasks.protection.recognisers import RECOGNISERS, Recogniser

BY_NAME = "column name"
ANY = "|".join(f"(?:{one.pattern})" for one in RECOGNISERS)
SHORTEST = 12
"""Digits of the shortest card number."""
SEVERAL = 5
"""Different texts from which on a name is one: a district that is called after somebody is not. And
different values from which on a column's own name tells: a street that is paved or not is nobody's."""
CHECKED = 2_000
"""Most candidates of one batch and kind that are checked one by one; the rest goes by their share."""


class Find(Frozen):
    """Personal data in one column."""

    column: str
    kind: str
    """What was found most often: `email`, `phone`, …, or `column name`."""
    share: float
    """Of the filled rows."""
    rows: int
    sure: bool = True
    """False where only the name of the column lets one ask, or its values are too few to tell."""


@dataclass
class _Tally:
    """What one column showed so far."""

    filled: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    """Rows by kind."""
    candidates: Counter[str] = field(default_factory=Counter)
    texts: dict[str, set[str]] = field(default_factory=dict)
    """Some of the different texts, by kind, where their number counts; they stay in memory."""
    before: dict[str, set[str]] = field(default_factory=dict)
    """What is known of those that earlier scans saw: marks (`_mark`)."""
    any: int = 0
    """Rows with at least one kind."""

    def different(self, kind: str) -> int:
        """At least so many different texts of the kind there are."""
        return max(len(self.texts.get(kind, ())), len(self.marks(kind)))

    def marks(self, kind: str) -> set[str]:
        """Of all that were seen; these may be kept."""
        return self.before.get(kind, set()) | set(map(_mark, self.texts.get(kind, ())))


Looks = Mapping[str, Mapping[str, Any]]
"""The counts of each column."""
NONE: Looks = MappingProxyType({})


def _told(counts: Mapping[str, Any] | None) -> _Tally:
    if counts is None:
        return _Tally()
    return _Tally(
        filled=counts["filled"],
        hits=Counter(counts["hits"]),
        candidates=Counter(counts["candidates"]),
        before={kind: {mark[:1] for mark in marks} for kind, marks in counts["texts"].items()},
        any=counts["any"],
    )


class Scanner:
    """Looks at batches as they pass; `finds` says what was there."""

    def __init__(self, names: Iterable[str], looks: Looks = NONE) -> None:
        self._tallies = {name: _told(looks.get(name)) for name in names}

    @property
    def looks(self) -> Looks:
        """What it has counted so far, for another one to go on."""
        return {
            name: {
                "filled": tally.filled, "any": tally.any,
                "hits": dict(tally.hits), "candidates": dict(tally.candidates),
                "texts": {
                    kind: sorted(tally.marks(kind)) for kind in {**tally.before, **tally.texts}
                },
            }
            for name, tally in self._tallies.items()
        }  # fmt: skip

    @property
    def names(self) -> list[str]:
        """The columns that are looked at."""
        return list(self._tallies)

    def look(self, batch: pa.RecordBatch) -> None:
        """Count what this batch holds."""
        for name, tally in self._tallies.items():
            if (at := batch.schema.get_field_index(name)) >= 0:
                _look(tally, batch.column(at))
                if given_names.sure(name):
                    _count(tally, batch.column(at))

    def finds(self) -> tuple[Find, ...]:
        """Every column with a find, the largest share first."""
        found = [self._find(name, tally) for name, tally in self._tallies.items() if tally.filled]
        return tuple(sorted(filter(None, found), key=lambda one: (-one.sure, -one.share)))

    def _find(self, name: str, tally: _Tally) -> Find | None:
        hits = Counter(dict(_likely(tally)))
        if hits:
            kind, most = hits.most_common(1)[0]
            rows = min(max(most, tally.any if len(hits) > 1 else most), tally.filled)
            return Find(column=name, kind=kind, share=rows / tally.filled, rows=rows)
        if given_names.sure(name):
            sure = tally.different(BY_NAME) >= SEVERAL
            return Find(column=name, kind=BY_NAME, share=1.0, rows=tally.filled, sure=sure)
        if given_names.maybe(name):
            return Find(column=name, kind=BY_NAME, share=1.0, rows=tally.filled, sure=False)
        return None


def _likely(tally: _Tally) -> Iterator[tuple[str, int]]:
    for one in RECOGNISERS:
        rows = tally.hits[one.kind]
        lone = one.several and tally.different(one.kind) < SEVERAL
        chance = one.rarely and 2 * rows < tally.candidates[one.kind]
        if rows and not lone and not chance:
            yield one.kind, rows


def _look(tally: _Tally, column: pa.Array) -> None:
    tally.filled += len(column) - column.null_count
    whole = pt.is_integer(column.type)
    if not (pt.is_string(column.type) or (whole and _is_long(column))):
        return
    coded = column.cast(pa.string()).dictionary_encode()
    texts = coded.dictionary
    rows = np.bincount(coded.indices.drop_null().to_numpy(), minlength=len(texts))
    if not whole:  # one pass for all kinds, since most texts hold none
        some = np.flatnonzero(pc.match_substring_regex(texts, ANY).to_numpy(zero_copy_only=False))
        texts, rows = texts.take(pa.array(some)), rows[some]
    if not len(texts):
        return
    seen = np.zeros(len(texts), dtype=bool)
    for one in RECOGNISERS:
        if whole and not one.rarely:
            continue  # of whole numbers only cards have a checksum
        hits, candidates = _hits(one, texts, rows)
        tally.candidates[one.kind] += candidates
        tally.hits[one.kind] += int(rows[hits].sum())
        if one.several:
            some = texts.take(pa.array(np.flatnonzero(hits)[:SEVERAL])).to_pylist()
            tally.texts.setdefault(one.kind, set()).update(some)
        seen |= hits
    tally.any += int(rows[seen].sum())


def _count(tally: _Tally, column: pa.Array) -> None:
    """Whether the column's different values are several."""
    kept = tally.texts.setdefault(BY_NAME, set())
    if tally.different(BY_NAME) < SEVERAL:
        known = pc.drop_null(pc.unique(column.cast(pa.string())))
        kept.update(known.to_pylist()[: 4 * SEVERAL])


def _mark(text: str) -> str:
    """Tells most different texts apart, but every sixteenth name has the same: kept with counts."""
    return hashlib.sha256(text.encode()).hexdigest()[:1]


def _is_long(numbers: pa.Array) -> bool:
    """Whether whole numbers have as many digits as a card."""
    largest = pc.max(numbers).as_py()
    return largest is not None and largest >= 10 ** (SHORTEST - 1)


def _hits(one: Recogniser, texts: pa.Array, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """Which texts hold the kind (bool), and how many rows looked like it."""
    found = pc.match_substring_regex(texts, one.pattern).to_numpy(zero_copy_only=False).copy()
    places = np.flatnonzero(found)
    candidates = int(rows[places].sum())
    if one.pattern_is_enough or not len(places):
        return found, candidates
    step = max(1, len(places) // CHECKED)
    passed = [bool(one.holds(texts[int(at)].as_py())) for at in places[::step]]
    if step == 1:
        found[places] = passed
    else:  # a share of them stands for all
        found[places] = np.resize(passed, len(places))
    return found, candidates
