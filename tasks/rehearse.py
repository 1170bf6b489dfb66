"""Proof before release: a real server process answers right and fast."""

from __future__ import annotations

from charter import Charter, Frozen, Verdict
from tasks.package import Bundle


class Blessing(Frozen):
    """What the rehearsal measured."""

    project: str
    bundle: str
    """Folder of the bundle, relative to the root."""
    fingerprint: str
    requests: int
    p50_ms: float
    p99_ms: float
    golden_rows: int
    golden_difference: float
    verdicts: tuple[Verdict, ...]


def rehearse(charter: Charter, bundle: Bundle) -> Blessing:
    """Start the service with the bundle on a free port, compare golden answers, time requests."""
    raise NotImplementedError
