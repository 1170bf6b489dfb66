"""What runs in the sandbox: a fold fitted with generated rows too, and judged on real ones."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from tasks.appraisal.fewer import Fewer
from tasks.generators.base import Generator
from tasks.models.base import Family, Value
from tasks.tuning.bench import Answer, learn, prepare, sample
from tasks.tuning.enlarge import enlarged, made_rows
from tasks.tuning.scale import Weight, finish


def try_made(
    fewer: Fewer,
    family: Family,
    params: Mapping[str, Value],
    fold: int,
    rows: int | None,
    generator: Generator,
) -> Answer:
    """Fit on the fold's fit side, as tuning did, and on what is made of it; predict its test side.

    The generator gets the rows of the fit side and nothing else.
    """
    bench = fewer.bench
    began = time.perf_counter()
    fitting, test = bench.parts[fold]
    fitting = sample(fitting, rows, bench.seed + fold)
    real = prepare(bench, family, fitting, test)
    made = made_rows(bench, real.steps, fitting, generator)
    X, y, w = enlarged((real.X_fit, real.y_fit, real.w_fit), made)
    both = replace(real, X_fit=X, y_fit=y, w_fit=w)
    return learn(bench, family, params, both, time.perf_counter() - began)


def finish_made(
    fewer: Fewer,
    family: Family,
    params: Mapping[str, Value],
    rows: int | None,
    where: str,
    generator: Generator,
) -> Weight:
    """The final fit on all training rows and on what is made of them."""
    return finish(fewer.bench, family, params, rows, where, generator)
