"""The previous release goes live again."""

from __future__ import annotations

import time

from charter import Charter, Frozen, Refusal
from serving import canary, releases
from serving.bundle import load
from serving.home import home
from tasks import history, registry
from tasks.deploy import settle
from tasks.history import Entry
from tasks.protection.suppressed import marked


class RolledBack(Frozen):
    """What is live again, and instead of what."""

    project: str
    release: int
    previous: int | None
    """The release that was taken away."""
    asked: str
    seconds: float
    """From the call until the live pointer was moved."""
    registry_version: str | None
    """None for a release that is not in the registry."""
    page: str


def rollback(charter: Charter, to: int | None = None, reason: str = "asked") -> RolledBack:
    """Bring back the release that was live before, or release `to`; safe to repeat.

    While a canary is tried, that is what goes, and what is live stays; with `to` it goes as well.

    Waits for no training: the live pointer is moved first, the registry and the history follow.
    The release is verified and proven on its golden rows before. A rollback that was killed is
    finished and not done twice. What was rolled back is not promoted again by a retrain.
    """
    began = time.monotonic()
    folder = home() / "releases" / charter.name
    unfinished = settle(charter.name)
    live = releases.live(folder)
    if live is None:
        raise _nothing(charter, "found no live release")
    done = unfinished is not None and unfinished.event in ("rolled back", "withdrawn")
    if (to is None and done) or (to == live.release and live.canary is None):
        return _record(charter, live, time.monotonic() - began)
    if live.canary is not None and to in (None, live.release):
        return _withdrawn(charter, live.canary, reason, began)
    target = _before(charter, live) if to is None else _named(charter, to)
    _may(charter, target)
    _prove(charter, target)
    entry = Entry(
        project=charter.name, event="rolled back", asked=reason,
        why=f"release {target} instead of {live.release}",
    )  # fmt: skip
    moved = releases.publish(folder, target, live.release, entry.note)
    seconds = time.monotonic() - began
    settle(charter.name)
    return _record(charter, moved, seconds)


def _withdrawn(charter: Charter, tried: releases.Canary, reason: str, began: float) -> RolledBack:
    entry = Entry(
        project=charter.name, event="withdrawn", asked=reason, why="rolled back before it was live"
    )
    folder = home() / "releases" / charter.name
    moved = canary.withdraw(folder, tried.release, entry.note)
    seconds = time.monotonic() - began
    settle(charter.name)
    found = _record(charter, moved, seconds)
    return found.model_copy(update={"previous": tried.release})


def _before(charter: Charter, live: releases.Live) -> int:
    """What was live before this release was trained, however often it was moved since."""
    previous = history.came_from(charter.name, live.release, live.previous)
    if previous is None:
        raise _nothing(charter, f"found release {live.release} live and none before it")
    return previous


def _named(charter: Charter, to: int) -> int:
    known = releases.numbers(home() / "releases" / charter.name)
    if to not in known:
        said = ", ".join(map(str, known))
        raise Refusal(
            f"releases/{charter.name}", f"found no release {to}", f"wanted one of {said}",
            "Name a release that is there.",
        )  # fmt: skip
    return to


def _may(charter: Charter, number: int) -> None:
    """What learned from a person who was erased does not come back."""
    if number in marked(charter.name):
        raise Refusal(
            f"releases/{charter.name}",
            f"found that release {number} learned from a person who was erased since",
            "wanted one that did not",
            "Name another one with --to, or let a retrain replace what is live.",
        )


def _prove(charter: Charter, number: int) -> None:
    """The files are whole, signed where a key says so, and answer the golden rows as they did."""
    from serving.golden import golden
    from serving.predictor import Predictor
    from serving.proof import prove
    from serving.signing import verify

    folder = home() / "releases" / charter.name / str(number)
    verify(folder)
    prove(Predictor(folder), golden(folder), str(folder))


def _nothing(charter: Charter, found: str) -> Refusal:
    return Refusal(
        f"releases/{charter.name}", found, "wanted an earlier release to go back to",
        "Name one with --to, or train another model with `perennial train`.",
    )  # fmt: skip


def _record(charter: Charter, live: releases.Live, seconds: float) -> RolledBack:
    entry = history.mirror(live, charter.name)
    folder = home() / "releases" / charter.name
    fingerprint = load(folder / str(live.release)).manifest.fingerprint
    return RolledBack(
        project=charter.name, release=live.release, previous=live.previous, asked=entry.asked,
        seconds=round(seconds, 3), registry_version=registry.version(charter.name, fingerprint),
        page=f"pages/{charter.name}/history.html",
    )  # fmt: skip
