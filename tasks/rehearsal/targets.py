"""Law 7 for what runs on devices: both runners answer as the pipeline did, or nothing goes live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from charter import Verdict
from serving import releases
from serving.bundle import Artifact
from serving.golden import Golden
from serving.predictor import Answers
from serving.proof import TOLERANCE, difference, other_labels
from serving.signature import Signature
from tasks.rehearsal import browser, confined

__all__ = ["on_devices", "parity", "read"]

UNSHOWN = (
    "not shown: no browser is here (chromium, or what PERENNIAL_BROWSER names). Each browser tests "
    "a release by itself before it takes it"
)


def on_devices(
    release: Path, live: releases.Live, port: int, artifact: Artifact, wanted: Golden
) -> tuple[Verdict, ...]:
    """The verdicts of both runners; that of the browser only warns where there is none."""
    program = browser.program()
    python = _verdict("parity.device", confined.answers(release, live, wanted), artifact, wanted)
    if program is None:
        found = Verdict(gate="parity.browser", passed=False, message=UNSHOWN, level="warn")
    else:
        given = browser.answers(program, port, wanted)
        found = _verdict("parity.browser", given, artifact, wanted)
    return python, found


def read(replies: list[dict[str, Any]], signature: Signature) -> Answers:
    """Answers as JSON has them, as the predictor gives them; null, which is no number, is NaN."""
    if signature.task == "regression":
        return Answers(values=np.array([reply["prediction"] for reply in replies], dtype=float))
    shares = [[reply["probabilities"][name] for name in signature.classes] for reply in replies]
    labels = [str(reply["prediction"]) for reply in replies]
    return Answers(probabilities=np.array(shares, dtype=float), labels=labels)


def parity(
    gate: str, found: tuple[Answers, ...], artifact: Artifact, wanted: Golden
) -> tuple[Verdict, float]:
    """Whether answers are the golden ones, in words, and by how much they are off at most."""
    apart = max(difference(wanted, one) for one in found)
    others = sum(other_labels(wanted, one.labels or (), artifact.decision) for one in found)
    said = f"{len(wanted.rows)} golden rows, largest difference {apart:.2g}, limit {TOLERANCE:g}"
    if others:
        said += f"; {others} answers name another class"
    verdict = Verdict(
        gate=gate,
        passed=apart <= TOLERANCE and not others,
        message=said,
        numbers={"difference": apart, "rows": float(len(wanted.rows)), "others": float(others)},
    )
    return verdict, apart


def _verdict(gate: str, found: dict[str, Any], artifact: Artifact, wanted: Golden) -> Verdict:
    if "error" in found:
        return Verdict(gate=gate, passed=False, message=f"no answer: {found['error']}")
    given = tuple(read(found[name], artifact.signature) for name in ("together", "alone"))
    verdict, _ = parity(gate, given, artifact, wanted)
    if "megabytes" not in found:
        return verdict
    numbers = {**verdict.numbers, "megabytes": found["megabytes"]}
    said = f"{verdict.message}; one core, {found['megabytes']:.0f} of {confined.MEGABYTES} MB"
    return verdict.model_copy(update={"message": said, "numbers": numbers})
