"""The one door to Great Expectations: one batch of rows, judged.

Three ways of asking make it slow (1.24), so none is taken. With names of index columns it takes a
hundred times as long as with positions; each expectation copies the whole frame, so it gets the
columns that are its matter and no other; and a batch definition hashes the frame twice, so the
engine gets the frame itself.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from charter import Refusal
from tasks.validation.expectation import Expectation
from tasks.validation.sieve import plain
from tasks.validation.tally import VALUES, Finding

if TYPE_CHECKING:
    import pandas as pd

RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "return_unexpected_index_query": False,
    "include_unexpected_rows": False,
}
Columns = tuple[str, ...] | None
REMEDY = "Correct the expectation, or delete it."


def great_expectations() -> ModuleType:
    """The library, imported when it is needed (seconds) and silent towards the outside."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():  # it imports modules that Python has deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations
    return great_expectations


class Judge:
    """Holds the expectations in the library's own form and applies them to batches."""

    def __init__(self, expectations: Sequence[Expectation]) -> None:
        gx = great_expectations()
        self.expectations = expectations
        self._groups: dict[Columns, list[Any]] = defaultdict(list)
        for position, one in enumerate(expectations):
            self._groups[matter(one)].append(_checked(position, one))
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}

    def judge(self, rows: pa.RecordBatch | pa.Table) -> list[Finding]:
        """One finding per expectation, in their order; positions count from the first row."""
        findings = dict(plain(self.expectations, rows))
        for columns, given in self._groups.items():
            asked = [one for one in given if one.meta["position"] not in findings]
            if not asked:
                continue
            for result in self._results(_seen(rows, columns), asked):
                position = result.expectation_config.meta["position"]
                findings[position] = _finding(self.expectations[position], result, rows)
        return [findings[position] for position in range(len(self.expectations))]

    def _results(self, frame: pd.DataFrame, asked: list[Any]) -> Any:
        from great_expectations.execution_engine.pandas_execution_engine import (
            PandasExecutionEngine,
        )
        from great_expectations.validator.validator import Validator

        engine = PandasExecutionEngine(batch_data_dict={"rows": frame})
        validator = Validator(execution_engine=engine, data_context=self._context)
        return validator.graph_validate(
            configurations=asked, runtime_configuration={"result_format": RESULT_FORMAT}
        )


def matter(expectation: Expectation) -> Columns:
    """The columns that it has to see; None for all of them, nothing for their names alone."""
    if expectation.type.startswith("expect_table_column"):
        return ()
    if expectation.kwargs.get("row_condition") or not expectation.columns:
        return None
    return tuple(sorted(expectation.columns))


def _seen(rows: pa.RecordBatch | pa.Table, columns: Columns) -> pd.DataFrame:
    if columns == ():
        rows = rows.slice(0, 0)
    elif columns is not None:
        rows = rows.select(list(columns))
    frame: pd.DataFrame = rows.to_pandas()
    return frame


def _checked(position: int, expectation: Expectation) -> Any:
    """The library's object; it would drop what it does not know with a line in the log."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import (
        list_registered_expectation_implementations,
    )

    known = list_registered_expectation_implementations()
    if expectation.type not in known:
        near = get_close_matches(expectation.type, known, 1)
        raise Refusal(
            expectation.where,
            f"there is no expectation {expectation.type}",
            f"wanted one of Great Expectations{f', such as {near[0]}' if near else ''}",
            REMEDY,
        )
    try:
        configuration = ExpectationConfiguration(
            type=expectation.type, kwargs=dict(expectation.kwargs), meta={"position": position}
        )
        return configuration.to_domain_obj().configuration
    except ValueError as error:  # pydantic's
        found = " ".join(str(error).split())
        raise Refusal(
            expectation.where, found, f"wanted the parameters of {expectation.type}", REMEDY
        ) from None


def _finding(expectation: Expectation, result: Any, rows: pa.RecordBatch | pa.Table) -> Finding:
    if trouble := _exception(result.exception_info):
        raise Refusal(
            expectation.where,
            f"{expectation.type} cannot be judged: {trouble}",
            "wanted an expectation that fits the column",
            REMEDY,
        )
    found = result.result
    positions = found.get("unexpected_index_list")
    if positions is None and "unexpected_count" not in found:
        if expectation.kind == "row":
            raise Refusal(
                expectation.where,
                f"{expectation.type} says nothing about single rows",
                "wanted an expectation on values for kind row",
                "Set its meta.kind to table or warning.",
            )
        observed = {name: found[name] for name in ("observed_value", "details") if name in found}
        return Finding(success=bool(result.success), observed=observed)
    broken = np.asarray(positions if positions is not None else [], dtype=np.int64)
    return Finding(
        success=bool(result.success),
        elements=int(found.get("element_count") or 0),
        missing=int(found.get("missing_count") or 0),
        positions=np.unique(broken),
        values=_values(expectation, rows, broken),
    )


def _values(
    expectation: Expectation, rows: pa.RecordBatch | pa.Table, broken: np.ndarray
) -> Counter[str]:
    if "column" not in expectation.kwargs or not len(broken):
        return Counter()
    values = rows.column(expectation.kwargs["column"]).take(pa.array(broken)).to_pandas().dropna()
    return Counter({str(value): int(n) for value, n in values.value_counts().head(VALUES).items()})


def _exception(info: Mapping[str, Any] | None) -> str:
    """The message of an exception, which the library nests by metric, or not."""
    if not info:
        return ""
    if "raised_exception" in info:
        return str(info["exception_message"]) if info["raised_exception"] else ""
    nested = (_exception(inner) for inner in info.values() if isinstance(inner, Mapping))
    return next((message for message in nested if message), "")
