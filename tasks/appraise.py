"""Is there enough data? What twice the rows would bring, from fits on fewer, and whether generated rows help."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow.parquet as pq

from charter import Charter, Frozen
from charter.tuning import GeneratorName
from serving.home import place
from tasks.engineer import Recipe
from tasks.evaluate import out_of_fold
from tasks.split import Training
from tasks.splitting.searched import searched
from tasks.tune import Start, Study

if TYPE_CHECKING:
    from tasks.appraisal.course import Course
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


class Try(Frozen):
    """One way of making rows, fitted with and judged over the folds."""

    name: GeneratorName
    gain: Gain | None = None
    """Over the winner without generated rows, right for all that were tried; None where nobody can say."""
    kept: bool = False
    why: str
    """Why it was kept, passed over or not tried, in words."""
    seconds: float = 0.0


class Generation(Frozen):
    """Whether generated rows help."""

    tries: tuple[Try, ...] = ()
    kept: GeneratorName | None = None
    words: str


class Appraisal(Frozen):
    """Whether the data are enough, and the study as it goes on."""

    project: str
    fingerprint: str
    metric: str
    rows: int
    """All training rows."""
    curve: Curve
    generation: Generation
    study: Study
    """What the following stages go on with: it says what was found, and where generated rows help, its
    model was fitted with them."""
    seconds: float = 0.0


def appraise(
    charter: Charter,
    training: Training,
    recipe: Recipe,
    study: Study,
    start: Start | None = None,
) -> Appraisal:
    """Fit the winner on smaller tables, follow the curve to twice the rows, and try generated rows.

    Smaller tables and generated rows are parts of each fold's fit side or made of it, judged on the same
    test side, so that the holdout stays out of reach and every row that judges is real. Takes at
    most what the study left of `constraints.train_minutes`, keeps `constraints.memory_gb`, and is
    done once for each study. Time or memory that do not suffice are said, and stop nothing.
    `tuning.learning_curve` and `tuning.generate` switch the two questions off. What made rows for
    the live release (`start`) is tried first, so that a retrain with few minutes does not lose it.
    """
    began = time.monotonic()
    first = start.generated if start else ""
    fingerprint = _fingerprint(charter, study, first)
    record = place(f"{study.where}/appraisal-{fingerprint[:16]}.json")
    if record.exists():
        return Appraisal.model_validate_json(record.read_bytes())
    curve, generation, study = _found(charter, training, recipe, study, began, first)
    words = f"{curve.words} {generation.words}"
    if study.drawn_rows is not None and curve.points:
        words += f" Measured on {study.drawn_rows:,} rows, drawn from {training.rows:,}."
    made = Appraisal(
        project=charter.name,
        fingerprint=fingerprint,
        metric=training.metric,
        rows=training.rows,
        curve=curve,
        generation=generation,
        study=study.model_copy(update={"appraised": words}),
        seconds=time.monotonic() - began,
    )
    _show(charter, training, made)
    draft = record.with_name(f".{record.name}")
    draft.write_text(made.model_dump_json(indent=1))
    draft.replace(record)
    log.info("%s: %s", charter.name, words)
    return made


Found = tuple[Curve, Generation, Study]


def _found(
    charter: Charter, training: Training, recipe: Recipe, study: Study, began: float, first: str
) -> Found:
    from tasks.appraisal import fewer
    from tasks.tuning.clock import Clock
    from tasks.tuning.sandbox import Sandbox, Stopped

    if not charter.tuning.learning_curve and charter.tuning.generate == "never":
        return _nothing(study, "nobody asked (tuning.learning_curve, tuning.generate)")
    left = 60 * charter.constraints.train_minutes - study.seconds
    clock = Clock(place(f"{study.where}/appraisal-clock.json"), left, began, stage="appraise")
    if clock.left < LEAST_SECONDS:
        return _nothing(study, "constraints.train_minutes left no time to find out")
    clock.note = "reading the training rows"
    memory = charter.constraints.memory_gb
    arguments = (charter, searched(charter, training), recipe)
    with Sandbox(fewer.load, arguments, memory_gb=memory, watch=clock.tick) as sandbox:
        try:
            sizes = sandbox.call(fewer.sizes, seconds=clock.left)
        except Stopped as stopped:
            return _nothing(study, f"reading the training rows {stopped}")
        course = _course(training, study, sandbox, clock, sizes)
        return _asked(charter, training, study, course, first)


def _nothing(study: Study, why: str) -> Found:
    from tasks.appraisal import wording

    return Curve(words=wording.unknown(why)), Generation(words=wording.not_made(why)), study


def _course(
    training: Training, study: Study, sandbox: Sandbox[Fewer], clock: Clock, sizes: Sizes
) -> Course:
    """What is known of the winner already: the answers that it gave tuning."""
    from tasks.appraisal.course import Course
    from tasks.models import family

    course = Course(sandbox, clock, family(study.family), study.params, sizes)
    rows = pq.read_table(place(study.out_of_fold), columns=["row"])["row"].to_numpy()
    if np.array_equal(rows, np.concatenate(sizes.tests)):
        course.know(out_of_fold(study, training.task)[1], whole=study.searched_rows is None)
    return course


def _asked(charter: Charter, training: Training, study: Study, course: Course, first: str) -> Found:
    """Both questions, the cheaper part of the first one before and the rest after the second."""
    from tasks.appraisal import judgement, wording
    from tasks.appraisal.course import BETWEEN, DOUBLINGS
    from tasks.appraisal.generation import generation

    if charter.tuning.learning_curve:
        course.run((*DOUBLINGS, 1.0))
    made, kept = generation(charter, training, study, course, first)
    if not charter.tuning.learning_curve:
        return Curve(words=wording.unknown("tuning.learning_curve is off")), made, kept
    course.run(BETWEEN)
    course.clock.say("the curve")
    return judgement.curve(charter, training, course), made, kept


def _show(charter: Charter, training: Training, made: Appraisal) -> None:
    """The study's page, with what was found."""
    from tasks.appraisal.page import sections
    from tasks.printing.shown import shown
    from tasks.tuning.page import write

    trials = pq.read_table(place(made.study.trials)).to_pylist()
    logic = shown(made.study.model, training, charter)
    write(charter, made.study, trials, sections(made), logic)


def _fingerprint(charter: Charter, study: Study, first: str) -> str:
    said = [WAY, study.model_dump_json(), charter.tuning.learning_curve, charter.tuning.generate,
            charter.fairness.sensitive, first]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
