"""Would generated rows help? Every generator on trial, and the final fit with the one that does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from charter import Charter
from serving.home import place
from tasks.appraisal import wording
from tasks.appraisal.course import Course
from tasks.appraisal.made import finish_made
from tasks.appraisal.trials import Trial, gained, run
from tasks.generators import CATALOGUE
from tasks.metrics import Interval
from tasks.split import Training
from tasks.tuning.limits import broken
from tasks.tuning.sandbox import Stopped

if TYPE_CHECKING:
    from tasks.appraise import Generation, Try
    from tasks.tune import Study


@dataclass(frozen=True)
class Judged:
    """A trial with what it gained."""

    trial: Trial
    gain: Interval | None = None

    @property
    def better(self) -> bool:
        return self.gain is not None and self.gain.low > 0


def generation(
    charter: Charter, training: Training, study: Study, course: Course, first: str = ""
) -> tuple[Generation, Study]:
    """What each generator brought, `first` tried before the others, and the study: with generated
    rows in its final fit where one of them is better beyond chance."""
    from tasks.appraise import Generation

    base = course.base
    if base is None or charter.tuning.generate == "never":
        why = (
            "tuning.generate is never" if base is not None else "the folds could not be made again"
        )
        return Generation(words=wording.not_made(why)), study
    if study.drawn_rows is not None:
        why = f"the search drew {study.drawn_rows:,} of the real rows, and there are more of them"
        return Generation(words=wording.not_made(why)), study
    turns = sorted(CATALOGUE, key=lambda one: one.name != first)
    trials = [run(charter, training, course, one, study.searched_rows) for one in turns]
    judged = _judged(charter, training, course, trials, base)
    best = max((one for one in judged if one.better), key=_value, default=None)
    kept, why = (study, "") if best is None else _finished(charter, study, course, best)
    taken = best.trial.generator if best is not None and not why else None
    if best is not None and why:
        judged = [_without(one, why) if one is best else one for one in judged]
    tries = tuple(_try(one, taken is one.trial.generator) for one in judged)
    return Generation(tries=tries, kept=taken.name if taken else None,
                      words=wording.made(training, judged, taken)), kept  # fmt: skip


def _judged(
    charter: Charter, training: Training, course: Course, trials: list[Trial],
    base: list[np.ndarray],
) -> list[Judged]:  # fmt: skip
    ways = sum(trial.answers is not None for trial in trials)
    return [
        Judged(trial)
        if trial.answers is None
        else Judged(trial, gained(charter, training, course, trial.answers, base, ways))
        for trial in trials
    ]


def _value(one: Judged) -> float:
    assert one.gain is not None
    return one.gain.value


def _without(one: Judged, why: str) -> Judged:
    return Judged(replace(one.trial, why=why), one.gain)


def _finished(charter: Charter, study: Study, course: Course, best: Judged) -> tuple[Study, str]:
    """The study with the model that was fitted with generated rows, or why there is none."""
    one, fits = best.trial.generator, course.sizes.fits
    grown = course.sizes.rows / float(np.mean(fits))
    if 1 + 1.3 * grown * best.trial.seconds / len(fits) > course.left:
        return study, "not kept: there was no time for the final fit"
    where = f"{study.where}/models/{study.family}-{one.name}.skops"
    course.clock.say(f"final fit with {one.about}")
    try:
        weight = course.sandbox.call(
            finish_made, course.family, course.params, study.model_rows, where, one,
            seconds=max(0.0, course.left),
        )  # fmt: skip
    except Stopped as stopped:
        return study, f"not kept: the final fit {stopped}"
    if why := broken(charter.constraints, weight):
        return study, f"not kept: {why}"
    return _with(study, best, where), ""


def _with(study: Study, best: Judged, where: str) -> Study:
    """Everything that speaks of the model speaks of the new one."""
    one, answers = best.trial.generator, best.trial.answers
    assert answers is not None
    ladder = tuple(
        rung.model_copy(
            update={"why": f"{rung.why}; fitted with {one.about}"} if rung.taken else {}
        )
        for rung in study.ladder
    )
    kept = _keep(study, f"out_of_fold-{one.name}.parquet", np.concatenate(answers))
    update = {"model": where, "out_of_fold": kept, "generated": one.name, "ladder": ladder}
    return study.model_copy(update=update)


def _keep(study: Study, name: str, answers: np.ndarray) -> str:
    """The out-of-fold answers, in the columns that tuning gave them."""
    known = pq.read_table(place(study.out_of_fold))
    columns = [answers] if answers.ndim == 1 else list(answers.T)
    names = [column for column in known.column_names if column not in ("row", "truth")]
    for column, values in zip(names, columns, strict=True):
        at = known.column_names.index(column)
        known = known.set_column(at, column, pa.array(values))
    draft, where = place(f"{study.where}/.{name}"), f"{study.where}/{name}"
    pq.write_table(known, draft)
    draft.replace(place(where))
    return where


def _try(one: Judged, kept: bool) -> Try:
    from tasks.appraise import Gain, Try

    trial, gain = one.trial, one.gain
    told = gain is not None and np.isfinite(gain.low)
    return Try(
        name=trial.generator.name,
        gain=Gain(value=gain.value, low=gain.low, high=gain.high) if gain and told else None,
        kept=kept,
        seconds=trial.seconds,
        why=trial.why or ("kept" if kept else "" if told else wording.UNTOLD) or _passed(one),
    )


def _passed(one: Judged) -> str:
    if one.better:
        return "better, but another one more so"
    worse = one.gain is not None and one.gain.high < 0
    return "worse beyond chance" if worse else "no better beyond chance"
