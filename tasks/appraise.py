"""Is there enough data? What twice the rows would bring, from fits on fewer."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow.parquet as pq

from charter import Charter, Frozen
from serving.home import place
from tasks.engineer import Recipe
from tasks.evaluate import out_of_fold
from tasks.split import Training
from tasks.tune import Study

if TYPE_CHECKING:
    from tasks.appraisal.fewer import Fewer, Sizes
    from tasks.tuning.clock import Clock
    from tasks.tuning.sandbox import Sandbox

log = logging.getLogger(__name__)

WAY = 1
"""Counts up when the same study would be appraised in another way."""
LEAST_SECONDS = 2.0
"""Less than that is not begun: a process that fits has to start first."""
Answer = Literal["enough", "more", "unsure", "unknown"]


class Point(Frozen):
    """The metric for a table of so many rows, with its 95 % interval."""

    rows: int
    score: float
    low: float
    high: float


class Gain(Frozen):
    """By how much the metric gets better, with its 95 % interval; below 0: worse."""

    value: float
    low: float
    high: float


class Curve(Frozen):
    """What fewer rows gave, and what more would bring."""

    points: tuple[Point, ...] = ()
    """Measured over the folds, with the parameters of the winner; fewest rows first."""
    course: tuple[Point, ...] = ()
    """The fitted curve, up to twice the rows; empty without a forecast."""
    twice: Gain | None = None
    """What twice the rows would bring; None without a forecast."""
    missed: float | None = None
    """By how much the same forecast, made with half of the rows, missed what all of them gave."""
    worth: float | None = None
    """What the model gains over knowing nothing."""
    answer: Answer = "unknown"
    words: str
    """The answer as a sentence, or why there is none."""


class Appraisal(Frozen):
    """Whether the data are enough, and the study as it goes on."""

    project: str
    fingerprint: str
    metric: str
    rows: int
    """All training rows."""
    curve: Curve
    study: Study
    """What the following stages go on with; it says what was found."""
    seconds: float = 0.0


def appraise(charter: Charter, training: Training, recipe: Recipe, study: Study) -> Appraisal:
    """Fit the winner on smaller tables and follow the curve to twice the rows.

    The smaller tables are parts of each fold's fit side, judged on the same test side, so that the
    holdout stays out of reach. Takes at most what the study left of `constraints.train_minutes`,
    keeps `constraints.memory_gb`, and is done once for each study. Time or memory that do not
    suffice are said, and stop nothing. `tuning.learning_curve` switches it off.
    """
    began = time.monotonic()
    fingerprint = _fingerprint(charter, study)
    record = place(f"{study.where}/appraisal-{fingerprint[:16]}.json")
    if record.exists():
        return Appraisal.model_validate_json(record.read_bytes())
    curve = _curve(charter, training, recipe, study, began)
    made = Appraisal(
        project=charter.name,
        fingerprint=fingerprint,
        metric=training.metric,
        rows=training.rows,
        curve=curve,
        study=study.model_copy(update={"appraised": curve.words}),
        seconds=time.monotonic() - began,
    )
    _show(charter, made)
    draft = record.with_name(f".{record.name}")
    draft.write_text(made.model_dump_json(indent=1))
    draft.replace(record)
    log.info("%s: %s", charter.name, curve.words)
    return made


def _curve(
    charter: Charter, training: Training, recipe: Recipe, study: Study, began: float
) -> Curve:
    from tasks.appraisal import fewer, wording
    from tasks.tuning.clock import Clock
    from tasks.tuning.sandbox import Sandbox, Stopped

    if not charter.tuning.learning_curve:
        return Curve(words=wording.unknown("tuning.learning_curve is off"))
    left = 60 * charter.constraints.train_minutes - study.seconds
    clock = Clock(place(f"{study.where}/appraisal-clock.json"), left, began, stage="appraise")
    if clock.left < LEAST_SECONDS:
        return Curve(words=wording.unknown("constraints.train_minutes left no time to find out"))
    clock.note = "reading the training rows"
    memory = charter.constraints.memory_gb
    arguments = (charter, training, recipe)
    with Sandbox(fewer.load, arguments, memory_gb=memory, watch=clock.tick) as sandbox:
        try:
            return _fitted(charter, training, study, sandbox, clock)
        except Stopped as stopped:
            return Curve(words=wording.unknown(f"reading the training rows {stopped}"))


def _fitted(
    charter: Charter, training: Training, study: Study, sandbox: Sandbox[Fewer], clock: Clock
) -> Curve:
    from tasks.appraisal import fewer, judgement
    from tasks.appraisal.course import BETWEEN, DOUBLINGS, Course
    from tasks.models import family

    sizes = sandbox.call(fewer.sizes, seconds=clock.left)
    course = Course(sandbox, clock, family(study.family), study.params, sizes)
    course.know(_known(study, training, sizes))
    course.run((*DOUBLINGS, 1.0))
    course.run(BETWEEN)
    clock.say("the curve")
    return judgement.curve(charter, training, course)


def _known(study: Study, training: Training, sizes: Sizes) -> np.ndarray | None:
    """The winner's out-of-fold answers, where it was searched on all rows."""
    if study.searched_rows is not None:
        return None
    table = pq.read_table(place(study.out_of_fold))
    if not np.array_equal(table["row"].to_numpy(), np.concatenate(sizes.tests)):
        return None
    return out_of_fold(study, training.task)[1]


def _show(charter: Charter, made: Appraisal) -> None:
    """The study's page, with what was found."""
    from tasks.appraisal.page import section
    from tasks.tuning.page import write

    trials = pq.read_table(place(made.study.trials)).to_pylist()
    write(charter, made.study, trials, (section(made),))


def _fingerprint(charter: Charter, study: Study) -> str:
    said = [WAY, study.model_dump_json(), charter.tuning.learning_curve]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
