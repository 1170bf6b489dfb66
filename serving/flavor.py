"""A bundle as a model of MLflow: `mlflow.pyfunc.load_model` gives what takes raw columns.

This file and what it imports travel with the model (`tasks/registration.py`), so that it is loaded
where the project is not installed; nothing is pickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.packing import pack_rows
from serving.predictor import Predictor

if TYPE_CHECKING:
    import pandas as pd


class Model:
    """Raw rows in, one answer per row out, by the same packing and graph as the service."""

    def __init__(self, folder: Path) -> None:
        self._predictor = Predictor(folder)

    def predict(self, rows: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """`prediction`, and for classes `p_<class>`, with the index of `rows`.

        An input that is absent, None or NaN is missing; raises `BadRow` for a value that does not
        fit. `params` is MLflow's and has no meaning here.
        """
        import pandas as pd

        plain: Any = rows.astype(object).where(rows.notna(), None).to_dict("records")
        signature = self._predictor.signature
        found = self._predictor.predict(pack_rows(signature, plain))
        if found.probabilities is None:
            return pd.DataFrame({"prediction": found.values}, index=rows.index)
        shares = {
            f"p_{name}": found.probabilities[:, at] for at, name in enumerate(signature.classes)
        }
        return pd.DataFrame({"prediction": found.labels, **shares}, index=rows.index)


def _load_pyfunc(data_path: str) -> Model:
    """What MLflow calls with the folder of the bundle; every file is verified."""
    return Model(Path(data_path))
