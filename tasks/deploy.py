"""A blessed bundle becomes a release and goes live."""

from __future__ import annotations

from charter import Charter, Frozen, Refusal
from serving import releases
from serving.bundle import load
from serving.home import home, place, whereabouts
from tasks import registry
from tasks.evaluate import Scorecard
from tasks.package import Bundle
from tasks.rehearse import Blessing


class Release(Frozen):
    """A release and what it replaced."""

    project: str
    number: int
    where: str
    """Folder, relative to the root: `releases/<project>/<number>`."""
    previous: int | None
    registry_version: str
    """Version of the model in the registry; the alias `champion` names it."""


def deploy(charter: Charter, bundle: Bundle, blessing: Blessing, scorecard: Scorecard) -> Release:
    """Copy the bundle to the releases, register it, move the live pointer; safe to repeat.

    Killed anywhere it can be run again: the bundle keeps its number, the registry its version, and
    `live.json` is the truth that the registry's alias follows.
    """
    _refuse_unblessed(bundle, blessing)
    load(place(bundle.where))  # verifies every file
    folder = home() / "releases" / charter.name
    before = releases.live(folder)
    number = releases.add(folder, place(bundle.where))
    registry.enter(
        charter.name, bundle.fingerprint,
        _params(charter, scorecard), _metrics(bundle, blessing, scorecard), place(bundle.where),
    )  # fmt: skip
    live = releases.publish(folder, number, before.release if before else None)
    version = registry.reconcile(charter.name, bundle.fingerprint, live.release)
    return Release(
        project=charter.name, number=number, where=whereabouts(folder / str(number)),
        previous=live.previous, registry_version=version,
    )  # fmt: skip


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


def _metrics(bundle: Bundle, blessing: Blessing, scorecard: Scorecard) -> dict[str, float]:
    found = {"model_mb": bundle.model_mb, "parity": bundle.parity, "p99_ms": blessing.p99_ms}
    for measure in scorecard.measures:
        found[measure.name] = measure.value
        found[f"{measure.name}_low"], found[f"{measure.name}_high"] = measure.low, measure.high
    return found
