"""When a stage's record may be taken again instead of made anew: how a killed run resumes."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from pydantic import BaseModel

from serving.home import home, place

ROOMS = ("charter", "serving", "tasks")


class SameCodeSameInputs(CachePolicy):
    """The key of a stage: the root, its inputs, and the source of every module that it rests on.

    Prefect's own TASK_SOURCE hashes one function, so that an edit of what it calls would give a
    stale record.
    """

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str | None:
        digest = hashlib.sha256(code_fingerprint(task_ctx.task.fn.__module__).encode())
        digest.update(str(home().resolve()).encode())
        for name, value in sorted(inputs.items()):
            said = value.model_dump_json() if isinstance(value, BaseModel) else str(value)
            digest.update(f"\0{name}\0{said}".encode())
        return f"{task_ctx.task.fn.__name__}-{digest.hexdigest()}"


@cache
def code_fingerprint(module: str) -> str:
    """SHA-256 over the sources of the module and of all modules of our rooms that it imports."""
    digest = hashlib.sha256()
    for source in sorted(_sources(module)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _sources(module: str) -> set[Path]:
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or (source := _source(name)) is None:
            continue
        seen[name] = source
        waiting.extend(_imports(source))
    return set(seen.values())


def _source(module: str) -> Path | None:
    loaded = sys.modules.get(module)
    spec = loaded.__spec__ if loaded is not None else _spec(module)
    return Path(spec.origin) if spec is not None and spec.origin else None


def _spec(module: str) -> Any:
    try:
        return find_spec(module)
    except ModuleNotFoundError:  # `from room.module import name`: the name is no module
        return None


def _imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ROOMS)


def is_whole(record: object) -> bool:
    """Whether everything that the record names in the root is still there; no rows need no place."""
    if isinstance(record, BaseModel):
        if getattr(record, "rows", None) == 0:
            return True
        return all(
            place(value).exists() if name == "where" else is_whole(value) for name, value in record
        )
    if isinstance(record, tuple):
        return all(is_whole(item) for item in record)
    return True
