"""From the winner to what is delivered: one ONNX graph, proven equal, with its papers."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from charter import Charter, Frozen, Refusal, Verdict
from serving.bundle import load
from serving.golden import GOLDEN, Golden
from serving.home import place
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.lake import Table
from tasks.packaging import lineage
from tasks.packaging.asked import even, hostile_answers, ordinary_answers
from tasks.packaging.device import mixed
from tasks.packaging.papers import MODEL, RECORD, Papers
from tasks.packaging.parity import served, served_singly, verdict
from tasks.progress import report
from tasks.split import Split, open_holdout
from tasks.tune import Study

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "3"
"""Part of every fingerprint; a new number makes every bundle anew."""
GOLDEN_HOLDOUT, GOLDEN_HOSTILE = 48, 16
BASES = 3
"""Ordinary rows that are made hostile, one column at a time."""


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
    sources: tuple[Table, ...] = (),
) -> Bundle:
    """Write the bundle; a parity gate or size gate that fails stands in its verdicts.

    `sources` are the tables that `table` was made of (a retrain: the validated and the collected
    one); the manifest names their versions too. The same inputs give the bundle that is there,
    without another look at the holdout.
    """
    papers = Papers(
        charter, table, profile, split, recipe, study, scorecard, sources, model=study.model
    )
    fingerprint = _fingerprint(papers)
    return known(charter.name, fingerprint) or pack(_dated(papers), fingerprint)


def known(project: str, fingerprint: str) -> Bundle | None:
    """The bundle of an earlier run, if every file of it is as it was written."""
    folder = place(_where(project, fingerprint))
    try:
        if load(folder).manifest.fingerprint != fingerprint:
            return None
        return Bundle.model_validate_json((folder / RECORD).read_bytes())
    except (Refusal, OSError, ValueError):
        return None


def pack(papers: Papers, fingerprint: str, verdicts: tuple[Verdict, ...] = ()) -> Bundle:
    """Make the bundle in a draft and move it into its place; `verdicts` go before its own."""
    where = _where(papers.charter.name, fingerprint)
    draft = place(where).with_name(f".{fingerprint[:16]}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        bundle = _made(draft, papers, fingerprint, verdicts)
        shutil.rmtree(place(where), ignore_errors=True)
        draft.rename(place(where))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    report("package", 4, 4, "done")
    return bundle


def _made(draft: Path, papers: Papers, fingerprint: str, verdicts: tuple[Verdict, ...]) -> Bundle:
    from tasks.graph import convert
    from tasks.models.shelf import take

    report("package", 0, 4, "the graph")
    pipeline = take(place(papers.model))
    model = convert(pipeline, papers.recipe.signature).SerializeToString(deterministic=True)
    (draft / MODEL).write_bytes(model)
    papers.contract(draft)
    papers.sign(draft, fingerprint)  # serving's own predictor takes signed bundles only
    report("package", 1, 4, "parity")
    holdout = open_holdout(papers.split.holdout, "package", "parity, golden rows and reference")
    proof = prove(draft, pipeline, holdout.table, papers.charter.deployment.parity_rows)
    (draft / GOLDEN).write_text(proof.golden.model_dump_json())
    if "device" in papers.charter.experience.surfaces:
        papers.equip(draft, proof.mixed)
    bundle = Bundle(
        project=papers.charter.name,
        fingerprint=fingerprint,
        where=_where(papers.charter.name, fingerprint),
        model_mb=len(model) / 1e6,
        parity=proof.difference,
        parity_rows=proof.rows,
        verdicts=(*verdicts, *proof.verdicts, _size(papers.charter, len(model))),
    )
    report("package", 2, 4, "the reference")
    papers.remember(draft, pipeline, holdout)
    report("package", 3, 4, "the papers")
    papers.write(draft, bundle)
    papers.sign(draft, fingerprint)
    return bundle


@dataclass(frozen=True)
class Proof:
    """What the comparison of pipeline and graph gave."""

    difference: float
    rows: int
    verdicts: tuple[Verdict, ...]
    golden: Golden
    mixed: Golden
    """Rows that are nobody's, for devices."""


def prove(folder: Path, pipeline: Any, holdout: pa.Table, most: int) -> Proof:
    """Compare the pipeline with the signed bundle, asked as a client asks it.

    On at most `most` rows of the holdout, on hostile rows, and on the golden rows one at a time.
    """
    from serving.predictor import Predictor

    predictor = Predictor(folder)
    rows = holdout.take(even(holdout.num_rows, most))
    ordinary = ordinary_answers(pipeline, predictor.signature, rows)
    bases = [ordinary.rows[i] for i in even(len(ordinary.rows), BASES)]
    awkward = hostile_answers(pipeline, predictor.signature, bases)
    golden = ordinary.few(GOLDEN_HOLDOUT).then(awkward.few(GOLDEN_HOSTILE))
    found = {
        "deployment.parity_rows": ordinary.compared(served(predictor, ordinary.rows)),
        "parity.hostile": awkward.compared(served(predictor, awkward.rows)),
        "parity.golden": golden.compared(served_singly(predictor, golden.rows)),
    }
    return Proof(
        difference=max(parity.difference for parity in found.values()),
        rows=sum(parity.rows for parity in found.values()),
        verdicts=tuple(verdict(gate, parity) for gate, parity in found.items()),
        golden=golden.record(predictor.decide),
        mixed=mixed(pipeline, predictor.signature, golden.rows).record(predictor.decide),
    )


def _size(charter: Charter, size: int) -> Verdict:
    found, limit = size / 1e6, charter.constraints.model_mb
    return Verdict(
        gate="constraints.model_mb",
        passed=found <= limit,
        message=f"the model has {found:.3g} MB, limit {limit:g} MB",
        numbers={"model_mb": found, "limit": limit},
    )


def _dated(papers: Papers) -> Papers:
    names = [name for name in (papers.charter.data.time,) if name]
    times = pq.read_table(place(papers.split.training.where), columns=names)
    return replace(papers, until=lineage.until(papers.charter, times))


def _where(project: str, fingerprint: str) -> str:
    return f"bundles/{project}/{fingerprint[:16]}"


def _fingerprint(papers: Papers) -> str:
    said = [
        FORMAT, papers.charter.fingerprint, papers.table.fingerprint, str(papers.table.version),
        papers.split.holdout.seal, papers.recipe.fingerprint, papers.study.fingerprint,
        papers.scorecard.fingerprint, papers.scorecard.decision.model_dump_json(),
        lineage.lock() or "", *(f"{made_of.where} {made_of.version}" for made_of in papers.sources),
    ]  # fmt: skip
    return hashlib.sha256("\0".join(said).encode()).hexdigest()
