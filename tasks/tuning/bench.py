"""What runs in the sandbox: the training rows and fits on folds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from charter import Charter, Refusal
from charter.goal import Task
from tasks.engineer import Recipe
from tasks.models.base import Family, Style, Value
from tasks.models.device import resolve
from tasks.models.logged import skewed
from tasks.models.threads import THREADS, spread
from tasks.recipe.extent import Extent, extent
from tasks.split import Rows, Training, folds, load_training
from tasks.tuning.weights import fit, weights
from tasks.tuning.whole import Whole

CACHE_SHARE = 0.2
"""Share of the charter's memory that prepared folds may take."""


@dataclass(frozen=True)
class Survey:
    """What the caller has to know about the rows."""

    rows: int
    """That the search works on."""
    columns: int
    fits: tuple[int, ...]
    """Rows on the fit side of each fold."""
    tests: tuple[np.ndarray, ...]
    """Row positions on the test side of each fold."""
    truth: np.ndarray
    """Of these rows."""
    whole: int
    """All rows: more than these where the search works on drawn ones."""
    streams: bool
    """Whether a final fit may have more than the drawn ones: not where rows weigh differently, since
    they are weighed against each other."""
    seconds: float
    """That packing these rows took."""
    device: Literal["cpu", "cuda"]
    """Where families that can are fitted on a device."""
    skewed: bool = False
    """Whether the logarithm of the target is worth a try."""
    extents: Mapping[Style, Extent] = field(default_factory=dict)
    """How wide and heavy each style of preparation is."""


@dataclass(frozen=True)
class Answer:
    """Predictions for the test side of one fold, and the seconds that they took."""

    prediction: np.ndarray
    """Probabilities, shape (rows, classes), or values, shape (rows,)."""
    prepare_seconds: float
    """0 where the fold was prepared before."""
    fit_seconds: float
    predict_seconds: float

    @property
    def seconds(self) -> float:
        return self.fit_seconds + self.predict_seconds


@dataclass(frozen=True)
class Prepared:
    """One fold after preparation."""

    steps: Any
    X_fit: np.ndarray
    X_test: np.ndarray
    y_fit: np.ndarray
    w_fit: np.ndarray | None
    tested: np.ndarray

    @property
    def size(self) -> int:
        return self.X_fit.nbytes + self.X_test.nbytes


@dataclass
class Bench:
    """The rows as a frame, the folds, and the last pipeline that was fitted."""

    recipe: Recipe
    task: Task
    classes: int
    seed: int
    device: str
    room: float
    """Bytes for prepared folds."""
    frame: pd.DataFrame
    truth: np.ndarray
    parts: list[tuple[np.ndarray, np.ndarray]]
    weights: np.ndarray | None = None
    """How much each row counts in a fit; None: all the same."""
    threads: int = THREADS
    """Most that a fit takes."""
    whole: Whole | None = None
    """What a final fit may have besides, where the rows are drawn ones."""
    seconds: float = 0.0
    """That packing the rows took."""
    cache: dict[object, Prepared] = field(default_factory=dict)
    last: Last | None = None


@dataclass(frozen=True)
class Last:
    """The pipeline that was fitted last and rows to compare it on."""

    pipeline: Any
    compared: np.ndarray
    complete: bool
    """Whether it saw every class."""


def load(
    charter: Charter,
    training: Training,
    recipe: Recipe,
    threads: int = THREADS,
    content: bytes | None = None,
    whole: Whole | None = None,
) -> Bench:
    """Read the training rows (from the content of their file, where that is not here) and make the
    folds; a fit takes at most so many threads."""
    rows = load_training(training, content)
    bench = prepared(charter, training, recipe, rows, folds(charter, training, rows), whole)
    bench.threads = threads
    return bench


def prepared(
    charter: Charter,
    training: Training,
    recipe: Recipe,
    rows: Rows,
    parts: list[tuple[np.ndarray, np.ndarray]],
    whole: Whole | None = None,
) -> Bench:
    """The rows as models take them, and all that the first fit would have to wait for."""
    from tasks.recipe.inputs import frame

    _warm()
    resolve(charter.constraints.device)
    if training.task != "regression":
        _every_class(training, rows.truth)
    began = time.perf_counter()
    inputs = frame(recipe.signature, rows.table)
    seconds = time.perf_counter() - began
    return Bench(
        recipe=recipe, task=training.task, classes=len(training.classes),
        seed=charter.evaluation.seed, device=charter.constraints.device,
        room=CACHE_SHARE * charter.constraints.memory_gb * 2**30,
        frame=inputs, seconds=seconds, truth=rows.truth, parts=parts,
        weights=weights(charter, rows), whole=whole,
    )  # fmt: skip


def _warm() -> None:
    """Import now what the first fits would import in their own time."""
    for module in ("onnxruntime", "skops.io", "tasks.graph", "tasks.recipe.pipeline", "xgboost"):
        import_module(module)


def _every_class(training: Training, truth: np.ndarray) -> None:
    seen = set(np.unique(truth).tolist())
    absent = [label for at, label in enumerate(training.classes) if at not in seen]
    if absent:
        raise Refusal(
            "charter.evaluation.split",
            f"found no training row of class {', '.join(absent)}",
            "wanted every class on the training side",
            "Take another split, or leave rows of this class out.",
        )


def survey(bench: Bench) -> Survey:
    """Sizes, test positions and truth."""
    return Survey(
        rows=len(bench.truth),
        columns=bench.frame.shape[1],
        fits=tuple(len(fit) for fit, _ in bench.parts),
        tests=tuple(test for _, test in bench.parts),
        truth=bench.truth,
        whole=bench.whole.rows if bench.whole else len(bench.truth),
        streams=bench.weights is None,
        seconds=bench.seconds,
        device=resolve(bench.device),
        skewed=bench.task == "regression" and skewed(bench.truth),
        extents={style: extent(bench.recipe, style) for style in get_args(Style)},
    )


def try_folds(
    bench: Bench,
    family: Family,
    params: Mapping[str, Value],
    folds: Sequence[int],
    rows: int | None = None,
) -> list[Answer]:
    """`try_fold` for a few folds, side by side on the cores with one thread each, where their rows have
    room in memory and no device fits them."""
    first = _timed(bench, family, folds[0], rows)
    room = len(folds) * first[0].size <= bench.room
    if len(folds) < 2 or not room or resolve(bench.device) == "cuda":
        answers = [learn(bench, family, params, *first)]
        del first  # one at a time
        return answers + [try_fold(bench, family, params, fold, rows) for fold in folds[1:]]
    ready = [first, *(_timed(bench, family, fold, rows) for fold in folds[1:])]
    from threadpoolctl import threadpool_limits

    alone = partial(threadpool_limits, 1)
    run = partial(_learnt, bench, family, params, threads=1)
    with alone(), ThreadPoolExecutor(len(folds), initializer=alone) as pool:
        made = list(pool.map(run, *zip(*ready, strict=True)))
    bench.last = made[-1][1]
    return [answer for answer, _ in made]


def _timed(bench: Bench, family: Family, fold: int, rows: int | None) -> tuple[Prepared, float]:
    began = time.perf_counter()
    prepared = _prepared(bench, family, fold, rows, None)
    return prepared, time.perf_counter() - began


def try_fold(
    bench: Bench,
    family: Family,
    params: Mapping[str, Value],
    fold: int,
    rows: int | None = None,
    tested: int | None = None,
) -> Answer:
    """Fit on one fold's fit side (a seeded sample of `rows` of it) and predict its test side
    (its first `tested` rows)."""
    began = time.perf_counter()
    prepared = _prepared(bench, family, fold, rows, tested)
    return learn(bench, family, params, prepared, time.perf_counter() - began)


def learn(
    bench: Bench,
    family: Family,
    params: Mapping[str, Value],
    prepared: Prepared,
    prepare_seconds: float = 0.0,
) -> Answer:
    """Fit on the fit side of what was prepared and predict its test side."""
    answer, bench.last = _learnt(bench, family, params, prepared, prepare_seconds)
    return answer


def _learnt(
    bench: Bench,
    family: Family,
    params: Mapping[str, Value],
    prepared: Prepared,
    prepare_seconds: float = 0.0,
    threads: int | None = None,
) -> tuple[Answer, Last]:
    began = time.perf_counter()
    fit_side = prepared.X_fit, prepared.y_fit, prepared.w_fit
    model = fitted(bench, family, params, *fit_side, threads)
    learnt = time.perf_counter()
    prediction = _predicted(bench, model, prepared.X_test, prepared.y_fit)
    ended = time.perf_counter()
    complete = len(np.unique(prepared.y_fit)) == bench.classes or bench.task == "regression"
    last = Last(joined(prepared.steps, model), prepared.tested, complete)
    return Answer(prediction, prepare_seconds, learnt - began, ended - learnt), last


def _prepared(
    bench: Bench, family: Family, fold: int, rows: int | None, tested: int | None
) -> Prepared:
    key = (family.style, fold, rows, tested)
    if key not in bench.cache:
        fitting, test = bench.parts[fold]
        made = prepare(bench, family, sample(fitting, rows, bench.seed + fold), test[:tested])
        held = sum(other.size for other in bench.cache.values())
        if held + made.size > bench.room:
            bench.cache.clear()
        if made.size > bench.room:
            return made
        bench.cache[key] = made
    return bench.cache[key]


def prepare(bench: Bench, family: Family, fitting: np.ndarray, test: np.ndarray) -> Prepared:
    """Rows at these positions, by steps that know only those of the fit side."""
    steps = unfitted(bench, family, family.start).named_steps["prepare"]
    X_fit = np.asarray(steps.fit_transform(bench.frame.iloc[fitting]))
    X_test = np.asarray(steps.transform(bench.frame.iloc[test]))
    return Prepared(steps, X_fit, X_test, bench.truth[fitting], weight_of(bench, fitting), test)


def weight_of(bench: Bench, rows: np.ndarray) -> np.ndarray | None:
    return None if bench.weights is None else bench.weights[rows]


def sample(positions: np.ndarray, rows: int | None, seed: int) -> np.ndarray:
    if rows is None or rows >= len(positions):
        return positions
    chosen = np.random.default_rng(seed).choice(len(positions), size=rows, replace=False)
    return np.asarray(positions[np.sort(chosen)])


def unfitted(bench: Bench, family: Family, params: Mapping[str, Value]) -> Any:
    from tasks.recipe.pipeline import pipeline

    return pipeline(bench.recipe, family, bench.task, params, bench.seed, bench.device)


def fitted(
    bench: Bench,
    family: Family,
    params: Mapping[str, Value],
    X: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None,
    threads: int | None = None,
) -> Any:
    """The fitted model; class labels are numbered anew where a class is absent."""
    model: Any = family.build(bench.task, params, bench.seed, bench.device)
    spread(model, len(X), threads or bench.threads)
    truth = y if bench.task == "regression" else np.unique(y, return_inverse=True)[1]
    fit(model, X, truth, weight, bench.seed)
    if getattr(model, "device", None) == "cuda":
        model.set_params(device="cpu")  # what is kept answers anywhere
    return model


def _predicted(bench: Bench, model: Any, X: np.ndarray, y_fit: np.ndarray) -> np.ndarray:
    if bench.task == "regression":
        return np.asarray(model.predict(X), dtype=np.float64).ravel()
    every = np.zeros((len(X), bench.classes))
    every[:, np.unique(y_fit)] = model.predict_proba(X)
    return every


def joined(steps: Any, model: Any) -> Any:
    from sklearn.pipeline import Pipeline

    return Pipeline([("prepare", steps), ("model", model)])
