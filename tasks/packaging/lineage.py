"""Where a model comes from: versions, the lock file, the commit."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
