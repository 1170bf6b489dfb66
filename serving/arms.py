"""Which release answers a request while a new one is tried, and how the two fare.

A request goes to the canary by a hash of its key alone, so that every process of the service decides
alike, the same question gets the same release, and rows of both arms are alike but for chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from serving.interval import wilson
from serving.loaded import Loaded

LEAST = 3
"""Bad answers below which nothing is said."""
TAIL = 0.01
"""The share of slow answers that a limit for the 99th percentile allows."""


@dataclass(frozen=True)
class Arms:
    """What answers now."""

    champion: Loaded
    canary: Loaded | None = None
    share: float = 0.0

    def takes(self, key: bytes) -> bool:
        """Whether the canary answers the request with this key."""
        if self.canary is None:
            return False
        salt = self.canary.live.manifest[:64].encode()  # another canary, other requests
        found = blake2b(key, digest_size=8, key=salt).digest()
        return int.from_bytes(found, "big") < self.share * 2**64

    def of(self, key: bytes) -> Loaded:
        """The release that answers the request with this key."""
        return self.canary if self.canary is not None and self.takes(key) else self.champion


@dataclass
class Fared:
    """How the answers of one arm went."""

    answers: int = 0
    failed: int = 0
    slow: int = 0
    """Answers that took longer than `constraints.latency_p99_ms`."""


@dataclass(frozen=True)
class Limits:
    """What the charter allows."""

    milliseconds: float
    failing: float
    """A share."""

    @classmethod
    def of(cls, loaded: Loaded) -> Limits:
        """Of the charter that the release was made with."""
        constraints, runtime = (loaded.charter.get(name, {}) for name in ("constraints", "runtime"))
        return cls(constraints.get("latency_p99_ms", 50.0), runtime.get("error_rate", 0.01))


def broken(canary: Fared, champion: Fared, limits: Limits) -> str:
    """Why the canary has to go at once, in words; empty where it may stay.

    It has to be worse than the limit and than the champion at the same time, each beyond doubt: a
    machine that is busy slows both down.
    """
    if _surely_more(
        canary.failed, canary.answers, champion.failed, champion.answers, limits.failing
    ):
        return (
            f"{canary.failed} of its {canary.answers} answers failed or came too late, limit "
            f"{100 * limits.failing:g} %; of the others {champion.failed} of {champion.answers}"
        )
    if _surely_more(canary.slow, canary.answers, champion.slow, champion.answers, TAIL):
        return (
            f"{canary.slow} of its {canary.answers} answers took longer than "
            f"{limits.milliseconds:g} ms (constraints.latency_p99_ms); of the others "
            f"{champion.slow} of {champion.answers}"
        )
    return ""


def _surely_more(ours: int, our_rows: int, theirs: int, their_rows: int, limit: float) -> bool:
    if ours < LEAST:
        return False
    low, _ = wilson(ours, our_rows)
    usual = wilson(theirs, their_rows)[1] if their_rows else 0.0
    return low > max(limit, usual)
