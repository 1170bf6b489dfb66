"""What texts can mean: each reading turns a column of texts into typed values, or fails as a whole.

Arrow's casts are strict (no locale, no guess), but take hexadecimal numbers, leading zeros and
infinities; what is not the usual way of writing the value is turned down here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXACT = 2**53
"""Whole numbers beyond this are not all exact as float64."""
PROBE = 16


@dataclass(frozen=True)
class Reading:
    """One meaning: the type of the values and how they are parsed (nulls stay nulls)."""

    means: str
    type: pa.DataType
    parse: Callable[[pa.Array], pa.Array]
    """Raises pa.ArrowInvalid where one text does not have this meaning."""
    sure: Callable[[pa.Array], pa.Array]
    """The same where each text is known to have it, and a quick way will do."""

    def again(self, texts: pa.Array) -> pa.Array:
        """The values of texts that `fits` has seen."""
        try:
            return self.sure(texts)
        except pa.ArrowInvalid:
            return self.sure(pc.utf8_trim_whitespace(texts))

    def read(self, texts: pa.Array) -> pa.Array:
        """The values; pa.ArrowInvalid where one text does not have this meaning."""
        try:
            return self.parse(texts)
        except pa.ArrowInvalid:
            tidy = pc.utf8_trim_whitespace(texts)
            if tidy.equals(texts):
                raise
            return self.parse(tidy)

    def fits(self, texts: pa.Array) -> bool:
        """Whether every text has this meaning; a few are tried first, as a failing cast is slow."""
        try:
            self.read(texts.slice(0, PROBE))
            self.read(texts)
        except pa.ArrowInvalid:
            return False
        return True

    def fitting(self, texts: pa.Array) -> np.ndarray:
        """Which texts have this meaning, by halving; shape (len,), null counts as fitting."""
        mask = np.ones(len(texts), dtype=bool)
        spans = [(0, len(texts))]
        while spans:
            start, length = spans.pop()
            if length == 0 or self.fits(texts.slice(start, length)):
                continue
            if length == 1:
                mask[start] = False
            else:
                half = length // 2
                spans += [(start, half), (start + half, length - half)]
        return mask


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _whole(texts: pa.Array) -> pa.Array:
    values = texts.cast(pa.int64())
    if not values.cast(pa.string()).equals(texts):
        raise pa.ArrowInvalid("leading zeros, a sign or another base: a code rather than a number")
    return _exact(values)


def _exact(values: pa.Array) -> pa.Array:
    ends = pc.min_max(values).as_py()
    if ends["min"] is not None and (ends["min"] < -EXACT or ends["max"] > EXACT):
        raise pa.ArrowInvalid("whole numbers beyond 2^53: identifiers rather than amounts")
    return values


def _any_decimal(texts: pa.Array) -> pa.Array:
    values = texts.cast(pa.float64())
    if not pc.all(pc.is_finite(values), min_count=0).as_py():
        raise pa.ArrowInvalid("not a finite number")
    return values


def _decimal(texts: pa.Array) -> pa.Array:
    values = _any_decimal(texts)
    if _any(pc.match_substring_regex(texts, r"^[+-]?0[0-9]")):
        raise pa.ArrowInvalid("leading zeros: a code rather than a number")
    large = pc.greater_equal(pc.abs(values), EXACT)
    if _any(large) and _any(pc.match_substring_regex(texts, r"^[+-]?[0-9]{16,}$")):
        raise pa.ArrowInvalid("whole numbers beyond 2^53: identifiers rather than amounts")
    return values


def _any_whole(texts: pa.Array) -> pa.Array:
    if _any(pc.invert(pc.match_substring_regex(texts, r"^[+-]?[0-9]+$"))):
        raise pa.ArrowInvalid("not a whole number")
    return _exact(_signed(texts))


def _signed(texts: pa.Array) -> pa.Array:
    return pc.utf8_ltrim(texts, "+").cast(pa.int64())


def _one_of(yes: tuple[str, ...], no: tuple[str, ...]) -> Callable[[pa.Array], pa.Array]:
    def parse(texts: pa.Array) -> pa.Array:
        lower = pc.utf8_lower(texts)
        true = pc.is_in(lower, pa.array(yes))
        known = pc.or_(pc.or_(true, pc.is_in(lower, pa.array(no))), pc.is_null(texts))
        if not pc.all(known, min_count=0).as_py():
            raise pa.ArrowInvalid("neither true nor false")
        return pc.if_else(pc.is_null(texts), pa.scalar(None, pa.bool_()), true)

    return parse


def _cast(type: pa.DataType) -> Callable[[pa.Array], pa.Array]:
    return lambda texts: texts.cast(type)


_NAIVE = pa.timestamp("us")
_UTC = pa.timestamp("us", "UTC")

_INT, _FLOAT = pa.int64(), pa.float64()
_TRUE = _one_of(("true",), ("false",))

WHOLE = Reading("a whole number", _INT, _whole, _cast(_INT))
DECIMAL = Reading("a number", _FLOAT, _decimal, _cast(_FLOAT))
FLAG = Reading("true or false", pa.bool_(), _TRUE, _TRUE)
LOCAL = Reading(
    "a time without zone, such as 2024-01-31 09:30", _NAIVE, _cast(_NAIVE), _cast(_NAIVE)
)
ZONED = Reading("a time with zone, such as 2024-01-31 09:30Z", _UTC, _cast(_UTC), _cast(_UTC))

UNDECLARED = (WHOLE, DECIMAL, FLAG, LOCAL, ZONED)
TIMES = (LOCAL, ZONED)

# Where the charter declares the role, codes count as numbers and more words as flags.
_ANY_TRUE = _one_of(("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0"))
ANY_WHOLE = Reading("a number", _INT, _any_whole, _signed)
ANY_DECIMAL = Reading("a number", _FLOAT, _any_decimal, _cast(_FLOAT))
ANY_FLAG = Reading("true or false", pa.bool_(), _ANY_TRUE, _ANY_TRUE)
