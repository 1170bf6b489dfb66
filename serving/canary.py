"""A canary: a release that takes a share of the traffic beside the live one.

It stands in `live.json`, so that every service of the project follows the same word, and each step
is one write of that file: started, promoted or withdrawn, nothing in between.
"""

from __future__ import annotations

from pathlib import Path

from serving import releases
from serving.releases import Canary, Conflict, Live, Note, Withdrawn


def start(
    folder: Path, number: int, expected: int, share: float, note: Note, since: str | None = None
) -> Live:
    """Let release `number` take a share of the traffic beside `expected`; else `Conflict`.

    One that is tried already goes on as it is; another one is withdrawn for it.
    """
    at = releases.moment()
    new = Canary(
        release=number, manifest=releases.digest(folder / str(number)), share=share, at=at,
        since=since or at, note=note,
    )  # fmt: skip

    def started(now: Live) -> Live:
        _same_champion(now, expected)
        old = now.canary
        if old and (old.release, old.manifest) == (number, new.manifest):
            return now
        gone = now.withdrawn
        if old:
            why: Note = {"event": "withdrawn", "why": f"release {number} is tried instead"}
            gone = Withdrawn(canary=old, at=at, note=why)
        return now.model_copy(update={"canary": new, "withdrawn": gone})

    return _amended(folder, started)


def resize(folder: Path, number: int, share: float) -> Live:
    """Another share for the canary that is tried; nothing happens where it no longer is."""

    def resized(now: Live) -> Live:
        if now.canary is None or now.canary.release != number:
            return now
        return now.model_copy(update={"canary": now.canary.model_copy(update={"share": share})})

    return _amended(folder, resized)


def promote(folder: Path, number: int, expected: int, note: Note) -> Live:
    """The canary goes live if it still is tried beside `expected`; else `Conflict`."""
    at = releases.moment()

    def promoted(now: Live) -> Live:
        if now.release == number:
            return now
        _same_champion(now, expected)
        if now.canary is None or now.canary.release != number:
            raise Conflict(f"{folder}: release {number} is no longer tried; it was withdrawn")
        return Live(
            release=number, previous=now.release, at=at, manifest=now.canary.manifest, note=note
        )

    return _amended(folder, promoted)


def withdraw(folder: Path, number: int, note: Note) -> Live:
    """The canary gets no traffic any more; nothing happens where it is not tried."""
    at = releases.moment()

    def withdrawn(now: Live) -> Live:
        if now.canary is None or now.canary.release != number:
            return now
        gone = Withdrawn(canary=now.canary, at=at, note=note)
        return now.model_copy(update={"canary": None, "withdrawn": gone})

    return _amended(folder, withdrawn)


def _same_champion(now: Live, expected: int) -> None:
    if now.release != expected:
        raise Conflict(
            f"found release {now.release} live, wanted {expected}: somebody else deployed in "
            "between. Run it again; it starts from what is live then."
        )


def _amended(folder: Path, step: releases.Amend) -> Live:
    found = releases.amend(folder, step)
    if found is None:
        raise Conflict(f"{folder}: nothing is live, so that nothing can be tried beside it")
    return found
