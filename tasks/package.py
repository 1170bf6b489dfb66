"""From the winner to what is delivered: one ONNX graph, proven equal, with its papers."""

from __future__ import annotations

from charter import Charter, Frozen, Verdict
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.lake import Table
from tasks.split import Split
from tasks.tune import Study


class Bundle(Frozen):
    """A folder with model.onnx, signature.json, manifest.json, golden.json, card.md and pages."""

    project: str
    fingerprint: str
    where: str
    """Folder, relative to the root."""
    model_mb: float
    parity: float
    """Largest difference between pipeline and graph over all compared rows."""
    parity_rows: int
    verdicts: tuple[Verdict, ...]


def package(
    charter: Charter,
    table: Table,
    profile: Profile,
    split: Split,
    recipe: Recipe,
    study: Study,
    scorecard: Scorecard,
) -> Bundle:
    """Write the bundle; a parity gate or size gate that fails stands in its verdicts."""
    raise NotImplementedError
