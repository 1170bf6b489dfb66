"""Names of predictions: UUID version 7 where one is made, version 8 where the name is derived."""

from __future__ import annotations

import hashlib
import os
import re
import time

SHAPE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new() -> str:
    """A UUID of version 7 (RFC 9562, 5.7): milliseconds first, 74 random bits behind."""
    chance = os.urandom(10).hex()
    variant = "89ab"[int(chance[3], 16) & 3]
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[8:]}"


def derived(*parts: str) -> str:
    """A UUID of version 8 that the same parts always give."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
    variant = "89ab"[int(digest[15], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-8{digest[12:15]}-{variant}{digest[16:19]}-{digest[20:32]}"


def is_one(text: object) -> bool:
    """Whether it is a UUID as this file spells them."""
    return isinstance(text, str) and SHAPE.fullmatch(text) is not None
