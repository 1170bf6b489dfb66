"""Follows `live.json`: loads what is live, keeps the old release when the new one is broken."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from charter import Frozen, Refusal
from serving import releases
from serving.loaded import Loaded, load

log = logging.getLogger(__name__)

PAUSE = 0.5  # seconds between two looks
AGAIN = 5.0  # seconds until what failed is tried again


class Refused(Frozen):
    """A release that was not taken, and why."""

    release: int | None
    why: str


class Watch:
    """Holds the release that answers; `current` and `refused` are replaced, never changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.current: Loaded | None = None
        self.refused: Refused | None = None
        self._seen: tuple[int, ...] | None = None
        self._retry_at = 0.0

    async def run(self) -> None:
        """Look for ever, beside the event loop so that no request waits for a load."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(PAUSE)

    def look(self) -> None:
        """Take what is live now if it is new and whole; never raises."""
        stamp = self._stamp()
        due = self.refused is not None and time.monotonic() >= self._retry_at
        if stamp == self._seen and not due:
            return
        self._seen = stamp
        try:
            self._take()
        except Exception as error:  # whatever is wrong with the new one, the old one serves on
            self._refuse(error)

    def _take(self) -> None:
        live = releases.live(self.folder)
        if live is None:
            raise Refusal(
                str(self.folder),
                f"found no {releases.LIVE}",
                "wanted a live release",
                "Deploy one: `perennial train`.",
            )
        if self.current is None or self.current.live != live:
            start = time.perf_counter()
            self.current = load(self.folder, live)
            log.info("release %d taken, %.2f s", live.release, time.perf_counter() - start)
        self.refused = None

    def _refuse(self, error: Exception) -> None:
        why = str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
        refused = Refused(release=_number(self.folder), why=why)
        if refused != self.refused:
            kept = f"release {self.current.live.release} serves on" if self.current else "nothing"
            log.warning("release %s refused (%s): %s", refused.release, kept, why)
        self.refused = refused
        self._retry_at = time.monotonic() + AGAIN

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = (self.folder / releases.LIVE).stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_ino, found.st_size)


def _number(folder: Path) -> int | None:
    try:
        live = releases.live(folder)
    except (Refusal, OSError):
        return None
    return live.release if live else None
