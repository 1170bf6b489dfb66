"""Where a model comes from: its rows' latest time, versions, the lock file, the commit."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from charter import Charter
from tasks.splitting.sides import moments

LIBRARIES = (
    "perennial", "scikit-learn", "xgboost-cpu", "xgboost", "numpy", "pandas", "pyarrow", "onnx",
    "onnxruntime", "optuna", "deltalake", "duckdb", "great-expectations",
)  # fmt: skip


def libraries() -> dict[str, str]:
    """Versions of Python and of the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def lock() -> str | None:
    """SHA-256 of `requirements.lock` of the working directory."""
    path = Path("requirements.lock")
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def commit() -> str | None:
    """The Git commit of the working directory, `-dirty` where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def until(charter: Charter, table: pa.Table) -> float | None:
    """The latest time among the rows, in seconds since 1970; None where they have none."""
    name = charter.data.time
    if name is None or name not in table.column_names:
        return None
    column = table.column(name)
    if not (pt.is_timestamp(column.type) or pt.is_date(column.type)):
        return None
    seconds = moments(column, name)
    return float(np.nanmax(seconds)) if np.isfinite(seconds).any() else None
