"""Names of predictions: UUID version 7 where one is made, version 8 where the name is derived."""

from __future__ import annotations

import hashlib
import os
import re
import time

SHAPE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def new() -> str:
    """A UUID of version 7."""
    return several(1)[0]


def several(count: int) -> list[str]:
    """UUIDs of version 7 (RFC 9562, 5.7 and method 3 of 6.2): a clock of 60 bits, then chance.

    The clock counts 1/4096 of a millisecond, so that names of one process mostly sort by time and
    a row goes to the end of the index. Those of one call share it.
    """
    stamp, rest = divmod(time.time_ns(), 1_000_000)
    clock = f"{stamp:012x}{rest * 4096 // 1_000_000:03x}"
    begin = f"{clock[:8]}-{clock[8:12]}-7{clock[12:]}-"
    chance = os.urandom(8 * count).hex()
    parts = (chance[i : i + 16] for i in range(0, 16 * count, 16))
    return [f"{begin}{VARIANT[one[0]]}{one[1:4]}-{one[4:]}" for one in parts]


def derived(*parts: str) -> str:
    """A UUID of version 8 that the same parts always give."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    tail = f"{VARIANT[digest[15]]}{digest[16:19]}-{digest[20:32]}"
    return f"{digest[:8]}-{digest[8:12]}-8{digest[12:15]}-{tail}"


def is_one(text: object) -> bool:
    """Whether it is a UUID as this file spells them."""
    return isinstance(text, str) and SHAPE.fullmatch(text) is not None
