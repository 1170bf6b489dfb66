"""A function of the user's that gives a data frame or an Arrow table."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pyarrow as pa

from charter import Refusal
from charter.data import PythonSource
from tasks.nearest import suggestion
from tasks.sources.base import BATCH_ROWS, OneMoment, Raw
from tasks.sources.frames import as_table
from tasks.sources.refused import Refused


class PythonCall(OneMoment):
    """Calls the function once; the fingerprint is that of the data it gives."""

    clause: ClassVar[type] = PythonSource

    def __init__(self, source: PythonSource, where: str) -> None:
        self.source = source
        self.where = where

    @property
    def name(self) -> str:
        return self.source.call

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        with (
            pa.PythonFile(_Sink(digest.update), mode="w") as sink,
            pa.ipc.new_stream(sink, self.table.schema) as writer,
        ):
            writer.write_table(self.table, BATCH_ROWS)
        return digest.hexdigest()

    def raw(self, room: Path, refused: Refused) -> Raw:
        table = self.table
        if table.num_rows == 0:
            raise Refusal(
                self.where,
                f"found no rows from {self.name}",
                "wanted some",
                "Look at its arguments.",
            )
        return Raw(table.schema, lambda: iter(table.to_batches(BATCH_ROWS)))

    @cached_property
    def table(self) -> pa.Table:
        """What the call gave; errors of the user's own code are passed on as they are."""
        found = self._found()
        if callable(found):
            self._check_arguments(found)
            found = found(**self.source.arguments)
        return as_table(found, self.where, self.name)

    def _found(self) -> object:
        module_name, _, path = self.source.call.partition(":")
        found: object = _imported(module_name, f"{self.where}.call")
        for part in path.split("."):
            if not hasattr(found, part):
                names = [name for name in dir(found) if not name.startswith("_")]
                raise Refusal(
                    f"{self.where}.call",
                    f"found no {part} in {module_name}",
                    "wanted a function that gives a data frame",
                    suggestion(part, names),
                )
            found = getattr(found, part)
        return found

    def _check_arguments(self, function: Callable[..., object]) -> None:
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # built-in functions need not say what they take
            return
        try:
            signature.bind(**self.source.arguments)
        except TypeError as error:
            raise Refusal(
                f"{self.where}.arguments",
                f"found arguments that do not fit ({error})",
                f"wanted {self.name}{signature}",
                "Correct data.source.arguments.",
            ) from error


class _Sink:
    """A file that only hashes what is written."""

    closed = False

    def __init__(self, update: Callable[[bytes], None]) -> None:
        self.write = update

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _imported(name: str, where: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:  # a module beside the charter
        sys.path.append(str(Path.cwd()))
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        raise Refusal(
            where,
            f"found no module {missing}",
            f"wanted it for {name}",
            f"Install its package (pip install {missing.partition('.')[0]}), or correct the name.",
        ) from error
