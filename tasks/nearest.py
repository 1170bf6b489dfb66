"""Which name was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The known name closest to this one, case put aside; None where nothing is close."""
    known = {known.casefold(): known for known in names}
    found = get_close_matches(name.casefold(), list(known), n=1, cutoff=0.5)
    return known[found[0]] if found else None


def suggestion(name: str, names: Iterable[str]) -> str:
    """A remedy in words: the nearest name, or the first few there are."""
    listed = list(names)
    close = nearest(name, listed)
    if close is not None:
        return f"Did you mean {close}?"
    more = ", …" if len(listed) > 12 else ""
    return f"There are: {', '.join(listed[:12])}{more}." if listed else "There are none."
