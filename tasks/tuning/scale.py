"""What runs in the sandbox: what a fitted pipeline weighs as a graph, and the final fits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serving.home import place
from serving.packing import Packed
from tasks.generators.base import Generator
from tasks.models.base import Family, Value
from tasks.tuning.bench import Bench, Last, fitted, joined, sample, unfitted, weight_of
from tasks.tuning.enlarge import enlarged, made_rows
from tasks.tuning.whole import fit_whole

MB = 1e6
COMPARED = 500
"""Most rows on which the graph is compared with the pipeline."""


@dataclass(frozen=True)
class Weight:
    """What a fitted pipeline costs once it is a graph."""

    mb: float
    row_ms: float
    """Median of one row, one thread."""
    difference: float
    """Largest difference to the pipeline: of probabilities, or relative to the value."""


def weigh(bench: Bench) -> Weight:
    """Size, speed and agreement of the pipeline that was fitted last."""
    from serving.predictor import session
    from tasks.graph import convert

    last = bench.last
    assert last is not None
    graph = convert(last.pipeline, bench.recipe.signature).SerializeToString()
    running = session(graph, "the model being weighed")
    wanted = {entry.name for entry in running.get_inputs()}
    chosen = bench.frame.iloc[last.compared[:COMPARED]]
    packed = _packed(bench, chosen)
    found = np.asarray(running.run(None, _feed(packed, wanted))[0], dtype=np.float64)
    difference = _difference(bench, last.pipeline, chosen, found) if last.complete else 0.0
    one = _feed(packed[:1], wanted)
    return Weight(len(graph) / MB, _median_ms(lambda: running.run(None, one)), difference)


def shelved(bench: Bench) -> bytes | None:
    """The content of a file with the pipeline that was fitted last, if it saw every class."""
    from tasks.models.shelf import packed

    assert bench.last is not None
    return packed(bench.last.pipeline) if bench.last.complete else None


def finish(
    bench: Bench,
    family: Family,
    params: Mapping[str, Value],
    rows: int | None,
    where: str,
    generator: Generator | None = None,
) -> Weight:
    """Fit on all training rows (a seeded sample of `rows` of them), weigh and keep; with what
    `generator` makes of the rows of the bench, where there is one."""
    from tasks.models.shelf import keep

    every = sample(np.arange(len(bench.truth)), rows, bench.seed)
    pipeline = unfitted(bench, family, params)
    steps = pipeline.named_steps["prepare"]
    whole = bench.whole if bench.weights is None and generator is None else None
    if whole is not None and min(whole.rows, rows or whole.rows) > len(every):
        steps.fit(bench.frame)
        near = place(where).parent
        model = fit_whole(bench, whole, steps, family, params, rows or whole.rows, near)
    else:
        X = np.asarray(steps.fit_transform(bench.frame.iloc[every]))
        known = X, bench.truth[every], weight_of(bench, every)
        if generator is not None:
            known = enlarged(known, made_rows(bench, steps, every, generator))
        model = fitted(bench, family, params, *known)
    bench.last = Last(joined(steps, model), every, complete=True)
    weight = weigh(bench)
    keep(bench.last.pipeline, place(where))
    return weight


def _packed(bench: Bench, frame: pd.DataFrame) -> Packed:
    signature = bench.recipe.signature
    numbers = frame[list(signature.numbers)].to_numpy(dtype=np.float64)
    texts = frame[list(signature.texts)].to_numpy(dtype=object)
    return Packed(np.ascontiguousarray(numbers), np.ascontiguousarray(texts))


def _feed(packed: Packed, wanted: set[str]) -> dict[str, np.ndarray]:
    feed = {"numbers": packed.numbers, "texts": packed.texts}
    return {name: tensor for name, tensor in feed.items() if name in wanted}


def _difference(bench: Bench, pipeline: Any, frame: pd.DataFrame, found: np.ndarray) -> float:
    if bench.task == "regression":
        value = np.asarray(pipeline.predict(frame), dtype=np.float64).ravel()
        return float(np.max(np.abs(found.ravel() - value) / np.maximum(1.0, np.abs(value))))
    return float(np.max(np.abs(found - pipeline.predict_proba(frame))))


def _median_ms(run: Callable[[], object], seconds: float = 0.5) -> float:
    taken: list[float] = []
    until = time.perf_counter() + seconds
    for _ in range(220):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
        if time.perf_counter() > until:
            break
    return float(np.median(taken[len(taken) // 10 :])) * 1e3
