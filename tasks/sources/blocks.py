"""Whether the bytes that were read are still there, told without reading all of them again.

A file's bytes are hashed in blocks. To look again, the first block, the last and a few by chance
are read: what was cut off, rotated or rewritten shows at once, a byte changed in place within
some runs (at once where there are few blocks). So a look costs the same however long the file is.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

BLOCK = 4 * 2**20
LOOKS = 8
DIGITS = 16


def hashed(path: Path, stop: int, known: Sequence[str] = (), start: int = 0) -> tuple[str, ...]:
    """The hash of each block of the first `stop` bytes; `known` are those of the first `start`."""
    first = start // BLOCK
    with path.open("rb") as file:
        return (
            *known[:first],
            *(_hash(file, number, stop) for number in range(first, _count(stop))),
        )


def unchanged(path: Path, stop: int, known: Sequence[str], whole: bool = False) -> bool:
    """Whether the first `stop` bytes have these hashes, as far as a look tells (`whole`: all)."""
    count = _count(stop)
    if path.stat().st_size < stop or len(known) != count:
        return False
    looks = set(range(count))
    if not whole and count > LOOKS:
        looks = {0, count - 1, *random.sample(range(1, count - 1), LOOKS - 2)}
    with path.open("rb") as file:
        return all(_hash(file, number, stop) == known[number] for number in sorted(looks))


def _count(stop: int) -> int:
    return -(-stop // BLOCK)


def _hash(file, number: int, stop: int) -> str:  # type: ignore[no-untyped-def]
    file.seek(number * BLOCK)
    content = file.read(min(BLOCK, stop - number * BLOCK))
    return hashlib.sha256(content).hexdigest()[:DIGITS]
