"""What runs on a worker of a cluster: a sandbox with the rows, for one trial at a time.

Calls and answers pass through as bytes, and only the sandbox's child unpacks them: so the worker
itself imports next to nothing, and answers its scheduler while the child is busy.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from charter import Refusal
from tasks.tuning.sandbox import Sandbox, Stopped

PACKAGES = (
    "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "xgboost-cpu", "xgboost", "onnx",
    "onnxruntime", "skops", "pydantic", "distributed",
)  # fmt: skip
"""What answers, weights and the way to a worker hang on."""


def versions() -> dict[str, str]:
    """Python, the packages, and the code of this house."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found | {"perennial": f"{version('perennial')}, code {_code()}"}


def _code() -> str:
    """The first digits of a hash over all that may run on a worker."""
    root, told = Path(__file__).parents[2], hashlib.sha256()
    for room in ("charter", "serving", "tasks"):
        for path in sorted((root / room).rglob("*.py")):
            told.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return told.hexdigest()[:12]


@dataclass(frozen=True)
class Told:
    """An answer, or why there is none, and what the sandbox has taken so far."""

    content: bytes
    stopped: Stopped | Refusal | None
    processor_seconds: float
    peak_gb: float


class NotWanted(Exception):
    """Who asked has gone, or has given up."""


class Post:
    """A sandbox that lives as long as somebody holds it; one that is moved begins anew."""

    def __init__(
        self, load: bytes, rows: bytes, memory_gb: float, threads: int, seconds: float
    ) -> None:
        """`load` is a function and its arguments, the last of which is `rows`; it has so many
        seconds. Raises what `Sandbox.ready` raises."""
        self._given = (load, rows, memory_gb, threads, seconds)
        self._wanted: Callable[[], bool] = lambda: True
        watch = weakref.WeakMethod(self._watch)  # or the sandbox would hold what holds it
        self._sandbox = Sandbox(
            loaded,
            (load, rows),
            memory_gb=memory_gb,
            threads=threads,
            watch=lambda: look() if (look := watch()) else None,
        )
        weakref.finalize(self, self._sandbox.close)
        self._sandbox.ready(seconds)

    def __reduce__(self) -> tuple[Any, ...]:
        return Post, self._given

    def answer(self, call: bytes, seconds: float, wanted: Callable[[], bool]) -> Told:
        """The answer to a call, or none but a sandbox that is ready, where it is empty; `wanted`
        says every now and then whether anybody waits for it still."""
        self._wanted = wanted
        content, stopped = b"", None
        try:
            if call:
                content = self._sandbox.call(answered, call, seconds=seconds)
            else:
                self._sandbox.ready(seconds)
        except (Stopped, Refusal) as raised:
            stopped = raised
        return Told(content, stopped, self._sandbox.processor_seconds, self._sandbox.peak_gb)

    def _watch(self) -> None:
        if not self._wanted():
            raise NotWanted


def loaded(load: bytes, rows: bytes) -> Any:
    """In the child: what the packed function makes of its packed arguments and the rows."""
    function, arguments = pickle.loads(load)
    return function(*arguments, rows)


def answered(state: Any, call: bytes) -> bytes:
    """In the child: the packed answer to a packed call."""
    function, arguments = pickle.loads(call)
    return pickle.dumps(function(state, *arguments))
