"""Cron expressions of five fields: minute hour day month weekday."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("a minute", 0, 59, ()),
    ("an hour", 0, 23, ()),
    ("a day", 1, 31, ()),
    ("a month", 1, 12, _MONTHS),
    ("a weekday", 0, 7, _DAYS),
)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def checked(text: str) -> str:
    """The expression as it is; raises ValueError with what is wrong in it."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            f'five fields (minute hour day month weekday), as in "0 4 1 * *"; found {len(fields)}'
        )
    values = meant(text)
    if fields[4] == "*" and min(values[2]) > max(_LONGEST[month - 1] for month in values[3]):
        raise ValueError(f"a day that exists; no such month has a day {min(values[2])}")
    return text


def meant(text: str) -> tuple[set[int], ...]:
    """The minutes, hours, days, months and weekdays (0 and 7 are Sunday) that it names."""
    return tuple(
        _values(part, name, low, high, words)
        for part, (name, low, high, words) in zip(text.split(), _FIELDS, strict=True)
    )


def _values(part: str, name: str, low: int, high: int, words: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for item in part.lower().split(","):
        match = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", item)
        if match is None:
            raise ValueError(f"{name} such as *, {low}, {low}-{high} or */2; found {item!r}")
        whole, first, last, step = match.groups()
        start = low if whole == "*" else _number(first, name, low, high, words)
        end = high if whole == "*" or (step and not last) else start
        end = _number(last, name, low, high, words) if last else end
        if end < start or (step and int(step) == 0):
            raise ValueError(f"{name} range that goes up, in steps of 1 or more; found {item!r}")
        found.update(range(start, end + 1, int(step or 1)))
    return found


def _number(text: str, name: str, low: int, high: int, words: Sequence[str]) -> int:
    if text in words:
        return words.index(text) + low
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ValueError(f"{name} from {low} to {high}; found {text!r}")
    return int(text)
