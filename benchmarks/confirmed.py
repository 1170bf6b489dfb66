"""How often rows that nobody has seen confirm thresholds that were settled on others.

    python -m benchmarks.confirmed [equalised_odds|demographic_parity] [halves=40] [KEY=VALUE ...]

The census again, but `adult.test` is not looked at: the 32,561 training rows have a signal each from a
fit without them; half of them, drawn at random, settle the thresholds, and the other half, as large as
`adult.test`, is the holdout. Prints for many such halves how often the holdout keeps the limit for
sex, how far the sexes lie apart on it, and the accuracy given up: for thresholds that go to the
limit, and for those that keep a margin, as `tasks/mitigation/shifts.py` does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.census import LIMITS
from tasks.mitigation.base import Told

WAYS = {"to the limit": (0.0, 1.0), "at least 0.3 of it": (1.0, 0.3), "at least 0.05": (1.0, 0.05)}
"""Standard errors that are kept within the limit, and what is left of it at least."""


def main(aim: str, halves: int, given: tuple[str, ...]) -> None:
    from serving.interval import wilson
    from tasks.mitigation import shifts

    told = _signals(aim, given)
    print(f"{aim}, limit {LIMITS[aim]}, {halves} halves of {len(told.truth)} rows")
    draws = [np.random.default_rng(seed).permutation(len(told.truth)) for seed in range(halves)]
    for name, (shifts.ERRORS, shifts.LEAST) in WAYS.items():
        found = np.array([_half(told, draw) for draw in draws])
        kept = int((found[:, 0] <= LIMITS[aim]).sum())
        low, high = wilson(kept, halves)
        print(
            f"  {name:18} confirmed {kept / halves:.0%} ({low:.0%} to {high:.0%}); apart "
            f"{np.median(found[:, 0]):.3f} (nine of ten below {np.quantile(found[:, 0], 0.9):.3f}); "
            f"accuracy given up {found[:, 1].mean():.4f}"
        )


def _half(told: Told, draw: np.ndarray) -> tuple[float, float]:
    """How far the sexes lie apart on the second half, and the accuracy given up there."""
    from tasks.auditing.rates import Judged
    from tasks.auditing.treatment import worst
    from tasks.mitigation import mitigation

    thresholds, cut = mitigation("thresholds"), len(draw) // 2
    settings = thresholds.settle(told.only(np.sort(draw[:cut])))
    held = told.only(np.sort(draw[cut:]))
    rule = thresholds.decision(held.aim)
    assert rule is not None
    ours = Judged(held.truth, thresholds.answers(held.signals, settings), rule)
    apart = worst(held.aim.metric, ours, [held.groups[0]], held.aim.support)
    plain = held.signals[:, 0] >= held.aim.threshold
    return apart, float((plain == held.truth).mean() - (ours.answers == held.truth).mean())


def _signals(aim: str, given: tuple[str, ...]) -> Told:
    """Those of the training rows, out of fold, by the stages of `perennial train`."""
    from charter.load import load
    from tasks.audit import audit
    from tasks.engineer import engineer
    from tasks.explore import explore
    from tasks.ingest import ingest
    from tasks.mitigation import mitigation
    from tasks.mitigation.trial import Trial
    from tasks.split import split
    from tasks.tune import tune
    from tasks.validate import validate

    said = (f"fairness.metric={aim}", f"fairness.limit={LIMITS[aim]}", *given)
    charter = load(Path("configs/adult.yaml"), said)
    table = validate(charter, ingest(charter)).table
    profile = explore(charter, table)
    sides = split(charter, table, profile)
    recipe = engineer(charter, sides.training, profile)
    found = audit(charter, sides.training, recipe)
    study = tune(charter, sides.training, recipe)
    with Trial(charter, sides.training, recipe, study, found.axes) as trial:
        signals = trial._signals(mitigation("thresholds"), trial._until)
        return Told(signals, trial.truth, trial.judged, trial.aim)


if __name__ == "__main__":
    words = sys.argv[1:]
    counts = [int(word.partition("=")[2]) for word in words if word.startswith("halves=")]
    said = tuple(word for word in words if "=" in word and not word.startswith("halves="))
    for aim in [word for word in words if word in LIMITS] or list(LIMITS):
        main(aim, counts[0] if counts else 40, said)
