"""A Delta table of somebody else's: one version of it, told by its id and number without a look at the rows."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.dataset as ds

from charter import Refusal
from charter.data import DeltaSource
from tasks.sources.base import BATCH_ROWS, OneMoment, Raw
from tasks.sources.growth import Changed, Held, Place
from tasks.sources.paths import located_folder
from tasks.sources.refused import Refused
from tasks.sources.remote import Stored, delta_options, is_remote


class DeltaRows(OneMoment):
    """The version that the charter names, or the newest one when it is first looked at."""

    clause: ClassVar[type] = DeltaSource

    def __init__(self, source: DeltaSource, where: str) -> None:
        self.source = source
        self.where = where
        self._known: set[str] | None = None
        """The files that come before those that are read."""
        self._held: Held | None = None

    @property
    def name(self) -> str:
        return Path(self.source.path).name

    def fingerprint(self) -> str:
        handle = self._handle
        told = f"delta {handle.metadata().id} {handle.version()}"
        return hashlib.sha256(told.encode()).hexdigest()

    def end(self, before: Place | None) -> Place:
        handle = self._handle
        version = int(handle.version())
        now = {"id": str(handle.metadata().id), "version": version}
        if before is None or now == before:
            return now
        if now["id"] != before["id"] or version < before["version"]:
            raise Changed(f"{self.name} is another table than the one that landed")
        if gone := self._at(before["version"]) - self._at(version):
            raise Changed(
                f"{self.name} was more than appended to since version {before['version']}: "
                f"{len(gone)} of its files are not in it any more"
            )
        return now

    def between(self, start: Place | None, end: Place, held: Held | None) -> Self:
        part = copy.copy(self)
        part._known = None if start is None else self._at(start["version"])
        part._held = held
        part._handle = self._opened(end["version"])
        return part

    def waiting(self, end: Place) -> int:
        return 0

    def raw(self, room: Path, refused: Refused) -> Raw:
        with self._explained():
            dataset = self._dataset()
            rows = dataset.count_rows()
        if self._held is not None:
            self._held.check_gone(dataset.schema.names)
        if rows == 0 and self._known is None:
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
        return self._opened(self.source.version)

    def _opened(self, version: int | None) -> Any:
        from deltalake import DeltaTable

        if not is_remote(self.source.path):
            folder = located_folder(self.source.path, f"{self.where}.path")
            with self._explained():
                return DeltaTable(folder, version=version)
        Stored(self.source.path, self.where).check_folder()
        with self._explained():
            return DeltaTable(self.source.path, version=version, storage_options=delta_options())

    def _at(self, version: int) -> set[str]:
        """The files of a version; `Changed` where its log is not there any more."""
        try:
            return set(self._opened(version).file_uris())
        except Refusal:
            raise Changed(f"version {version} of {self.name} cannot be read any more") from None

    def _dataset(self) -> ds.Dataset:
        """All rows of the version, or those of its new files."""
        whole = self._handle.to_pyarrow_dataset()
        if self._known is None:
            return whole
        old = {uri.rpartition("/")[2] for uri in self._known}
        new = [one for one in whole.get_fragments() if one.path.rpartition("/")[2] not in old]
        return ds.FileSystemDataset(new, whole.schema, whole.format, whole.filesystem)

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
