"""Follows `live.json`: loads what is live and what is tried beside it, keeps the old release when the
new one is broken."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from charter import Frozen, Refusal
from serving import releases
from serving.arms import Arms
from serving.device.paper import PAPER
from serving.loaded import Loaded, load
from serving.releases import Live
from serving.signing import PUBLIC, trusted

log = logging.getLogger(__name__)

PAUSE = 0.5  # seconds between two looks
AGAIN = 5.0  # seconds until what failed is tried again


class Refused(Frozen):
    """A release that was not taken, and why."""

    release: int | None
    why: str


class Watch:
    """Holds what answers; `arms` and `refused` are replaced, never changed."""

    def __init__(
        self, folder: Path, keeps: bool = True, belong: Callable[[str], None] | None = None
    ) -> None:
        """`belong` is told the project of each release, before that answers."""
        self.folder = folder
        self._keeps = keeps
        self._belong = belong
        self.arms: Arms | None = None
        self.refused: Refused | None = None
        self._seen: tuple[int, ...] | None = None
        self._retry_at = 0.0

    @property
    def current(self) -> Loaded | None:
        """The live release, as far as it was taken."""
        return self.arms.champion if self.arms else None

    @property
    def trying(self) -> bool:
        """Whether another release has a share of the traffic."""
        return self.arms is not None and self.arms.canary is not None

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
        number = None
        try:
            live = self._live()
            number = live.release
            champion = self._champion(live)
            number = live.canary.release if live.canary else number
            self._try(champion, live)
            self.refused = None
        except Exception as error:  # whatever is wrong with the new one, the old one serves on
            self._refuse(number, error)

    def _live(self) -> Live:
        live = releases.live(self.folder)
        if live is None:
            raise Refusal(
                str(self.folder),
                f"found no {releases.LIVE}",
                "wanted a live release",
                "Deploy one: `perennial train`.",
            )
        return live

    def _champion(self, live: Live) -> Loaded:
        """The live release; a canary of before answers nothing from now on."""
        known = self.current
        champion = known if known and known.live == live.pointer else self._load(live.pointer)
        canary = live.canary
        if self.arms is None or known is not champion or canary is None:
            self.arms = Arms(champion)
        return champion

    def _try(self, champion: Loaded, live: Live) -> None:
        """What is tried beside it; the champion answers alone where that is broken."""
        canary, known = live.canary, self.arms.canary if self.arms else None
        if canary is None:
            return
        pointer = Live(
            release=canary.release, previous=live.release, at=canary.at, manifest=canary.manifest
        )
        if known is None or known.live != pointer:
            self.arms = Arms(champion)
            known = self._load(pointer)
        self.arms = Arms(champion, known, canary.share)

    def _load(self, live: Live) -> Loaded:
        start = time.perf_counter()
        loaded = load(self.folder, live, self._keeps)
        if self._belong is not None:
            self._belong(loaded.predictor.signature.project)
        log.info("release %d taken, %.2f s", live.release, time.perf_counter() - start)
        if PAPER in loaded.predictor.manifest.files and not trusted():
            log.warning("%s is not set: devices, which trust no other key, do not get it", PUBLIC)
        return loaded

    def _refuse(self, number: int | None, error: Exception) -> None:
        why = str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
        refused = Refused(release=number, why=why)
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
