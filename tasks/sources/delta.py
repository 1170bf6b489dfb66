"""A Delta table of somebody else's: one version of it, told by its id and number without a look at the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from charter import Refusal
from charter.data import DeltaSource
from tasks.sources.base import BATCH_ROWS, OneMoment, Raw
from tasks.sources.paths import located_folder
from tasks.sources.refused import Refused
from tasks.sources.remote import Stored, delta_options, is_remote


class DeltaRows(OneMoment):
    """The version that the charter names, or the newest one when it is first looked at."""

    clause: ClassVar[type] = DeltaSource

    def __init__(self, source: DeltaSource, where: str) -> None:
        self.source = source
        self.where = where

    @property
    def name(self) -> str:
        return Path(self.source.path).name

    def fingerprint(self) -> str:
        handle = self._handle
        told = f"delta {handle.metadata().id} {handle.version()}"
        return hashlib.sha256(told.encode()).hexdigest()

    def raw(self, room: Path, refused: Refused) -> Raw:
        with self._explained():
            dataset = self._handle.to_pyarrow_dataset()
            rows = dataset.count_rows()
        if rows == 0:
            raise Refusal(
                self.where,
                f"found no rows in version {self._handle.version()} of {self.name}",
                "wanted some",
                "Name another version.",
            )

        def batches() -> Iterator[pa.RecordBatch]:
            with self._explained():
                scanned = dataset.to_batches(
                    batch_size=BATCH_ROWS, batch_readahead=2, fragment_readahead=1
                )
                yield from (batch for batch in scanned if batch.num_rows)

        return Raw(dataset.schema.remove_metadata(), batches)

    @cached_property
    def _handle(self) -> Any:
        from deltalake import DeltaTable

        if not is_remote(self.source.path):
            folder = located_folder(self.source.path, f"{self.where}.path")
            with self._explained():
                return DeltaTable(folder, version=self.source.version)
        Stored(self.source.path, self.where).check_folder()
        with self._explained():
            return DeltaTable(
                self.source.path, version=self.source.version, storage_options=delta_options()
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from deltalake.exceptions import DeltaError

        try:
            yield
        except (DeltaError, OSError, pa.ArrowInvalid) as error:
            away = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
            if away and is_remote(self.source.path):
                raise  # a fault, not a table that is wrong
            version = "" if self.source.version is None else f" in version {self.source.version}"
            raise Refusal(
                self.where,
                f"found {self.name} unreadable as a Delta table{version} "
                f"({str(error).splitlines()[0]})",
                "wanted a version whose files are all there",
                "Name another version, or leave it out for the newest; vacuum removes old files.",
            ) from error
