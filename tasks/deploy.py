"""A blessed bundle becomes a release and goes live."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from charter import Charter, Frozen, Refusal
from serving import canary, releases, signing
from serving.bundle import load
from serving.home import home, place, whereabouts
from tasks import history, registry
from tasks.evaluate import Scorecard
from tasks.history import Entry
from tasks.package import Bundle
from tasks.protection.suppressed import marked
from tasks.rehearsal.runtime import lay
from tasks.rehearse import Blessing


class Release(Frozen):
    """A release and what it replaced."""

    project: str
    number: int
    where: str
    """Folder, relative to the root: `releases/<project>/<number>`."""
    previous: int | None
    registry_version: str
    """Version of the model in the registry; the alias `champion` names it, or `canary`."""
    share: float | None = None
    """The part of the requests that it takes as a canary; None: it is live."""


def deploy(
    charter: Charter,
    bundle: Bundle,
    blessing: Blessing,
    scorecard: Scorecard,
    entry: Entry | None = None,
) -> Release:
    """Copy the bundle to the releases, sign it, register it, move the live pointer; safe to repeat.

    Killed anywhere it can be run again: the bundle keeps its number, the registry its version, and
    `live.json` is the truth that the registry's alias and the history follow. `entry` is what the
    history says of it; where it names the champion that was beaten, no other may be live by now.
    With `deployment.canary` it first takes a share of the traffic beside what is live, which
    `decide` ends.
    """
    _refuse_unblessed(bundle, blessing)
    if "device" in charter.experience.surfaces:
        signing.need("since experience.surfaces names device")
    load(place(bundle.where))  # verifies every file
    folder = home() / "releases" / charter.name
    before = releases.live(folder)
    number = releases.add(folder, place(bundle.where))
    signing.sign(folder / str(number))
    if "device" in charter.experience.surfaces:
        lay(folder)
    entry = entry or _trained(charter, scorecard)
    _refuse_overtaken(charter, entry, before, number)
    enter(charter, bundle, scorecard, {"p99_ms": blessing.p99_ms})
    live = _out(charter, folder, number, before, entry)
    version = _registered(charter.name, live)
    registry.judge(charter.name, bundle.fingerprint, entry.tags, entry.numbers)
    history.mirror(live, charter.name)  # last: it says that nothing is left to do
    tried = live.canary if live.canary and live.canary.release == number else None
    return Release(
        project=charter.name, number=number, where=whereabouts(folder / str(number)),
        previous=live.release if tried else live.previous, registry_version=version,
        share=tried.share if tried else None,
    )  # fmt: skip


def _out(
    charter: Charter, folder: Path, number: int, before: releases.Live | None, entry: Entry
) -> releases.Live:
    """Live at once, or tried first. What learned from a person who was erased is not kept for that."""
    trial = charter.deployment.trial
    if before is None or before.release == number or trial is None:
        return releases.publish(folder, number, before.release if before else None, entry.note)
    if before.release in marked(charter.name):
        return releases.publish(folder, number, before.release, entry.note)
    return canary.start(folder, number, before.release, trial.share, entry.note, entry.now)


def settle(project: str) -> Entry | None:
    """Bring registry and history up to what is live or tried, where a kill left them behind.

    Gives what had not been told last; None where nothing was missing.
    """
    live = releases.live(home() / "releases" / project)
    if live is None or history.mirrors(live, project):
        return None
    with suppress(LookupError):  # a release that was put there by hand is in no registry
        _registered(project, live)
    return history.mirror(live, project)


def _registered(project: str, live: releases.Live) -> str:
    """The registry says what `live.json` says; gives the version of the newest of what that names."""
    version = registry.reconcile(project, _fingerprint(project, live.release), live.release)
    tried, gone = live.canary, live.withdrawn
    if gone is not None:
        with suppress(LookupError):
            why = {"outcome": "withdrawn", "reason": str(gone.note.get("why", ""))}
            registry.judge(project, _fingerprint(project, gone.canary.release), why, {})
    if tried is None:
        registry.tried(project, None, None)
        return version
    return str(registry.tried(project, _fingerprint(project, tried.release), tried.release))


def _fingerprint(project: str, release: int) -> str:
    return load(home() / "releases" / project / str(release)).manifest.fingerprint


def enter(
    charter: Charter, bundle: Bundle, scorecard: Scorecard, more: Mapping[str, float] | None = None
) -> None:
    """Put the bundle into the registry, live or not."""
    metrics = {**_metrics(bundle, scorecard), **(more or {})}
    registry.enter(
        charter.name, bundle.fingerprint, _params(charter, scorecard), metrics, place(bundle.where)
    )


def _trained(charter: Charter, scorecard: Scorecard) -> Entry:
    found = next(one for one in scorecard.measures if one.name == scorecard.metric)
    why = f"{found.name} {found.value:.4g} ({found.low:.4g} to {found.high:.4g}) on the holdout"
    return Entry(project=charter.name, event="trained", why=f"{scorecard.family}, {why}")


def _refuse_overtaken(
    charter: Charter, entry: Entry, before: releases.Live | None, number: int
) -> None:
    if entry.event != "promoted" or before is None or before.release in (entry.previous, number):
        return
    raise Refusal(
        f"releases/{charter.name}",
        f"found release {before.release} live, and the challenger compared with {entry.previous}",
        "wanted the champion that it was compared with",
        "Somebody deployed or rolled back meanwhile; `perennial retrain` compares it again.",
    )


def _refuse_unblessed(bundle: Bundle, blessing: Blessing) -> None:
    failed = [verdict.gate for verdict in (*bundle.verdicts, *blessing.verdicts) if verdict.stops]
    if blessing.fingerprint != bundle.fingerprint:
        failed = ["the blessing is of another bundle", *failed]
    if failed:
        raise Refusal(
            f"bundle {bundle.where}",
            f"found it not blessed: {', '.join(failed)}",
            "wanted parity, size and rehearsal passed by this very bundle",
            "Rehearse this bundle first; `perennial train` does it.",
        )


def _params(charter: Charter, scorecard: Scorecard) -> dict[str, str]:
    rung = next(rung for rung in scorecard.ladder if rung.taken)
    given = {name: str(value) for name, value in rung.params.items()}
    return {"family": scorecard.family, "charter": charter.fingerprint, **given}


def _metrics(bundle: Bundle, scorecard: Scorecard) -> dict[str, float]:
    found = {"model_mb": bundle.model_mb, "parity": bundle.parity}
    for measure in scorecard.measures:
        found[measure.name] = measure.value
        found[f"{measure.name}_low"], found[f"{measure.name}_high"] = measure.low, measure.high
    return found
