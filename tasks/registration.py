"""A bundle in the form in which MLflow keeps models: raw columns for `pyfunc`, the graph for `onnx`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import charter
import serving
from serving.signature import Signature

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

TRAVELS = (
    "__init__", "bundle", "flavor", "packing", "predictor", "signature", "signing", "values",
)  # fmt: skip
"""The modules of `serving` that go with the model."""
LIBRARIES = ("numpy", "onnxruntime", "pandas", "pydantic")
DATA = "data/bundle"
"""Where MLflow puts the files of the bundle, beside its own."""


@contextmanager
def loadable(papers: Path) -> Iterator[Path]:
    """The bundle `papers` as a folder that `mlflow.pyfunc` and `mlflow.onnx` load; no pickle."""
    import mlflow.pyfunc
    import onnx
    from mlflow.models import Model

    with tempfile.TemporaryDirectory(prefix="perennial-registry-") as temporary:
        base = Path(temporary)
        shutil.copytree(papers, base / "bundle")
        model = Model()
        model.add_flavor(
            "onnx", onnx_version=onnx.__version__, data=f"{DATA}/model.onnx",
            providers=["CPUExecutionProvider"], onnx_session_options=None, code=None,
        )  # fmt: skip
        signature = Signature.model_validate_json((papers / "signature.json").read_bytes())
        mlflow.pyfunc.save_model(
            str(base / "model"), loader_module="serving.flavor", data_path=str(base / "bundle"),
            code_paths=_code(base / "code"), mlflow_model=model, signature=_columns(signature),
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in LIBRARIES],
        )  # fmt: skip
        yield base / "model"


def _code(folder: Path) -> list[str]:
    """Copies of what the loader imports."""
    for package, names in ((charter, ("*",)), (serving, TRAVELS)):
        here = Path(str(package.__file__)).parent
        (folder / here.name).mkdir(parents=True)
        for name in names:
            for path in here.glob(f"{name}.py"):
                shutil.copy(path, folder / here.name)
    return [str(path) for path in sorted(folder.iterdir())]


def _columns(signature: Signature) -> ModelSignature:
    """The raw columns as MLflow shows them. Any type, since MLflow takes no whole number for a
    `double` and no gap for a `boolean`: what fits is checked as everywhere, by `serving.packing`."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema, TensorSpec

    Columns = list[ColSpec | TensorSpec]
    anything: Any = AnyType  # which has no types of its own
    inputs: Columns = [
        ColSpec(anything(), one.name, required=one.required) for one in signature.inputs
    ]
    outputs: Columns = [ColSpec("string" if signature.classes else "double", "prediction")]
    outputs += [ColSpec("double", f"p_{label}") for label in signature.classes]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))
