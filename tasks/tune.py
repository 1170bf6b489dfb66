"""The one door to Optuna: the ladder of families, searched within the charter's minutes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from charter import Charter, Frozen, Refusal
from charter.tuning import FamilyName, GeneratorName
from serving import bundle as bundles
from serving import releases
from serving.home import home, place
from tasks.auditing.applied import Applied
from tasks.engineer import Recipe
from tasks.split import Training
from tasks.tuning.hardware import Hardware, hardware

if TYPE_CHECKING:
    from tasks.tuning.bench import Bench, Survey
    from tasks.tuning.clock import Clock
    from tasks.tuning.crew import Crew
    from tasks.tuning.folder import Folder
    from tasks.tuning.ground import Ground
    from tasks.tuning.ladder import Ladder
    from tasks.tuning.outcome import Outcome
    from tasks.tuning.sandbox import Sandbox

log = logging.getLogger(__name__)

Value = bool | int | float | str | None
APPRAISAL = 0.15
"""Share of the minutes that is left for `appraise`, …"""
APPRAISAL_SECONDS = 4.0
"""… unless that would be less than this: then there is none."""


class Start(Frozen):
    """Where a search begins: what the live release was fitted with."""

    family: str
    params: dict[str, Value]
    generated: str = ""
    """What made rows for it; tried first again."""


class Rung(Frozen):
    """One family's best within the search."""

    family: FamilyName
    params: dict[str, Value] = {}
    score: float | None = None
    """Mean of the charter's metric over the folds; None where no trial finished."""
    low: float | None = None
    high: float | None = None
    """95 % interval of the score from a bootstrap of the out-of-fold rows."""
    trials: int = 0
    seconds: float = 0.0
    row_ms: float | None = None
    """Median milliseconds of one row in ONNX Runtime."""
    model_mb: float | None = None
    taken: bool = False
    """Whether this is the chosen rung."""
    why: str = ""
    """Why it was taken, passed over or not tried, in words."""


class Study(Frozen):
    """The search, its winner and the ladder."""

    project: str
    fingerprint: str
    where: str
    """Folder of the study, relative to the root."""
    search: str
    metric: str
    family: FamilyName
    params: dict[str, Value]
    ladder: tuple[Rung, ...]
    """Simplest first."""
    model: str
    """The winner fitted on all training rows (skops file, relative to the root)."""
    model_rows: int | None = None
    """How many rows it was fitted on, where there was no time or room for all."""
    baselines: dict[str, str] = {}
    """Fitted pipelines of the families named in `evaluation.beat`, likewise."""
    searched_rows: int | None = None
    """Rows that the winner's folds were fitted on, where there was no time for all."""
    drawn_rows: int | None = None
    """Rows that the search worked on, where there were too many for all (`tasks.splitting.searched`)."""
    appraised: str = ""
    """Whether there is enough data, and what generated rows bring, in words; from `appraise`."""
    generated: GeneratorName | None = None
    """What made the rows that the model was fitted with besides the real ones; from `appraise`."""
    out_of_fold: str
    """Parquet file of the winner's out-of-fold predictions: row, truth, p_0, p_1 … or value."""
    trials: str
    """Parquet file: number, family, state, score, seconds, params (JSON)."""
    seconds: float
    peak_gb: float
    hardware: Hardware | None = None
    """What it ran on, and how much of it was used."""
    mitigation: Applied | None = None
    """How groups came to be treated alike, where the winner of the search did not do so."""


def champion(charter: Charter) -> Start | None:
    """What the live release was fitted with; None where nothing is live."""
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    if live is None:
        return None
    manifest = bundles.load(folder / str(live.release)).manifest
    return Start(family=manifest.family, params=manifest.params, generated=manifest.generated)


def tune(charter: Charter, training: Training, recipe: Recipe, start: Start | None = None) -> Study:
    """Climb the ladder: search each family, keep a rung only when its gain pays for its cost.

    Search and final fits, with `appraise` after them, keep `constraints.train_minutes` within 10 %,
    and this process with its child keeps `constraints.memory_gb`. The parameters of `start` are the first that its
    family tries, so that a search with few minutes does not fall behind the last one. A run that was killed goes on with the trials
    and the time that are left; a study that is finished is returned at once. Raises a Refusal
    when no model could be made within the constraints.
    """
    began = time.monotonic()
    from tasks.tuning.folder import Folder, fingerprint

    folder = Folder(charter.name, fingerprint(charter, training, recipe, start))
    with folder.locked() as waited:
        done = _finished(folder)
        if done is not None:
            return done
        try:
            return _search(charter, training, recipe, folder, began + waited, start)
        except Refusal:  # who asks again, after it was said why, has the minutes again
            folder.clock.unlink(missing_ok=True)
            raise


def seconds(charter: Charter) -> float:
    """What search and final fits may take: the charter's minutes, less what `appraise` needs."""
    total = 60 * charter.constraints.train_minutes
    asked = charter.tuning.learning_curve or charter.tuning.generate != "never"
    wanted = APPRAISAL * total if asked else 0.0
    return total - wanted if wanted >= APPRAISAL_SECONDS else total


def _finished(folder: Folder) -> Study | None:
    if not folder.record.exists():
        return None
    study = Study.model_validate_json(folder.record.read_bytes())
    files = (study.model, study.out_of_fold, study.trials, *study.baselines.values())
    return study if all(place(file).exists() for file in files) else None


def _search(
    charter: Charter,
    training: Training,
    recipe: Recipe,
    folder: Folder,
    began: float,
    start: Start | None,
) -> Study:
    from tasks.models.threads import THREADS
    from tasks.splitting.searched import searched
    from tasks.tuning.bench import load
    from tasks.tuning.clock import Clock
    from tasks.tuning.sandbox import Sandbox
    from tasks.tuning.whole import Whole

    clock = Clock(folder.clock, seconds(charter), began)
    clock.note = "reading the training rows"
    chosen = searched(charter, training)
    whole = Whole(training) if chosen is not training else None
    sandbox = Sandbox(
        load,
        (charter, chosen, recipe, THREADS, None, whole),
        memory_gb=charter.constraints.memory_gb,
        watch=clock.tick,
    )
    with sandbox:
        from tasks.models import LADDER
        from tasks.tuning.ground import Ground
        from tasks.tuning.ladder import Ladder
        from tasks.tuning.outcome import settle

        with _crew(charter, chosen, recipe, sandbox, clock) as crew:
            survey = _survey(sandbox, clock)
            ground = Ground(charter, chosen, survey, sandbox, crew, clock, folder)
            ladder = Ladder(ground, LADDER, start)
            ladder.climb()
        return _written(ground, ladder, settle(ladder))


@contextmanager
def _crew(
    charter: Charter, training: Training, recipe: Recipe, sandbox: Sandbox[Bench], clock: Clock
) -> Iterator[Crew]:
    """Who runs the trials: this machine, or the workers of the charter's cluster."""
    from tasks.tuning.crew import Alone
    from tasks.tuning.reach import reach

    if charter.constraints.cluster is None:
        yield Alone(sandbox)
        return
    reach(charter)
    from tasks.tuning.cluster import Cluster

    with Cluster(
        charter, training, recipe, sandbox, seconds=clock.left, watch=clock.tick
    ) as cluster:
        yield cluster


def _survey(sandbox: Sandbox[Bench], clock: Clock) -> Survey:
    from tasks.tuning.bench import survey
    from tasks.tuning.sandbox import TookTooLong, TookTooMuch

    try:
        return sandbox.call(survey, seconds=max(0.0, clock.left))
    except TookTooLong:
        raise Refusal(
            "charter.constraints.train_minutes",
            f"found {clock.total / 60:g} minutes spent before the training rows were read",
            "wanted time for a model",
            "Raise it.",
        ) from None
    except TookTooMuch as stopped:
        raise Refusal(
            "charter.constraints.memory_gb",
            f"found that reading the training rows {stopped}",
            "wanted room for a model",
            "Raise it, or train on fewer rows.",
        ) from None


def _hardware(ground: Ground, ladder: Ladder) -> Hardware:
    from tasks.models.device import FITTED_THERE

    seconds = {name: climb.seconds for name, climb in ladder.tried.items()}
    there = sum(spent for name, spent in seconds.items() if name in FITTED_THERE)
    return hardware(
        ground.clock.spent, ground.sandbox.processor_seconds, sum(seconds.values()),
        there if ground.survey.device == "cuda" else None, ground.crew.used(ground.clock.spent),
    )  # fmt: skip


def _written(ground: Ground, ladder: Ladder, outcome: Outcome) -> Study:
    """Keep everything, the record last."""
    from tasks.printing.shown import shown
    from tasks.tuning import records
    from tasks.tuning.page import write
    from tasks.tuning.rungs import rungs

    trials = records.trials(ladder)
    study = Study(
        project=ground.charter.name,
        fingerprint=ground.folder.fingerprint,
        where=ground.folder.where,
        search=ground.charter.tuning.search,
        metric=ground.training.metric,
        family=outcome.winner.family,
        params=outcome.winner.entry.params,
        ladder=rungs(ladder, outcome),
        model=outcome.final.where,
        model_rows=outcome.final.rows,
        searched_rows=ladder.tried[outcome.winner.family].rows,
        drawn_rows=ground.survey.rows if ground.grown > 1 else None,
        baselines=dict(ladder.baselines),
        out_of_fold=records.keep_out_of_fold(ground, outcome.winner),
        trials=records.keep_trials(ground, trials),
        seconds=ground.clock.spent,
        peak_gb=max(ground.sandbox.peak_gb, ground.crew.peak_gb),
        hardware=_hardware(ground, ladder),
    )
    write(ground.charter, study, trials, logic=shown(study.model, ground.training, ground.charter))
    study = study.model_copy(update={"seconds": ground.clock.spent})
    ground.folder.keep_record(study.model_dump_json(indent=2))
    ground.clock.write()
    log.info("%s: %s taken after %d trials", study.project, study.family, len(trials))
    return study
