"""What an identifier is called: one spelling, whoever writes it, so that the same person is the same.

A number may come as `7`, `7.0` or a decimal of a database, a day as a date or as a time at midnight,
a text with blanks around it. Codes stay codes: `007` is another person than 7.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

from serving.values import Unfit, text

EXACT = 2**53
"""From here on a float stands for more than one whole number."""
DIGITS = 17
"""As many tell every float."""
LONGEST = 40
"""Digits that a number with an exponent is written out to."""
_NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)
_EXPONENT = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE][+-][0-9]{1,3}", re.ASCII)
"""As floats are written; `1e5`, without a sign, may be a code."""
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)


def identity(value: object) -> str:
    """The spelling; empty where the value is missing. Raises `Unfit` for what is no single value.

    Whole numbers without a point, fractions without zeros at the end, times in UTC and without what
    is zero at their end, texts as they stand, composed (NFC) and without blanks around them.
    """
    if value is None:
        return ""
    found = format(value, "f") if isinstance(value, Decimal) else text(value).strip()
    if found.isascii():
        if found.isdigit():
            return found
        return _number(found) or _moment(found) or found
    return unicodedata.normalize("NFC", found)


def exact(value: object) -> None:
    """Raises `Unfit` for a number of a request that does not say which person it is."""
    if isinstance(value, float) and abs(value) >= EXACT:
        raise Unfit("an identifier with every digit", "Send it as a text, in quotes.")


def _number(found: str) -> str:
    """Empty where it is none."""
    if _EXPONENT.fullmatch(found) and len(out := format(Decimal(found), "f")) <= LONGEST:
        found = out
    parts = _NUMBER.fullmatch(found)
    if parts is None:
        return ""
    sign, before, behind = parts.groups()
    behind = (behind or "").rstrip("0")
    if not behind:
        return before if before == "0" else sign + before
    if len((before + behind).lstrip("0")) > DIGITS:
        return f"{sign}{before}.{behind}"
    return _fraction(float(f"{sign}{before}.{behind}"))


def _fraction(value: float) -> str:
    """The shortest digits that tell the float."""
    return format(Decimal(repr(value)), "f").rstrip("0").rstrip(".")


def _moment(found: str) -> str:
    """Empty where it is none; a time without a zone is UTC, as everywhere."""
    if not _TIME.fullmatch(found):
        return ""
    try:
        moment = datetime.fromisoformat(found)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the 30th of February, a zone before year 1
        return ""
    said = moment.replace(tzinfo=None).isoformat()
    return said.removesuffix("T00:00:00") if "." not in said else said.rstrip("0")
