"""One Parquet file, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from charter import Refusal
from charter.data import ParquetSource
from tasks.sources.base import BATCH_ROWS, Raw
from tasks.sources.paths import OneFile
from tasks.sources.refused import Refused


class ParquetFile(OneFile[ParquetSource]):
    """Typed already; texts stay texts."""

    clause: ClassVar[type] = ParquetSource

    def fingerprint(self) -> str:
        return self.hashed("parquet")

    def raw(self, room: Path, refused: Refused) -> Raw:
        with self._opened() as file:
            schema, rows = file.schema_arrow.remove_metadata(), file.metadata.num_rows
        self.refuse_empty(rows)
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice:
            raise Refusal(
                self.where,
                f"found the name {', '.join(twice)} more than once",
                "wanted each column to have its own name",
                "Rename the repeated columns where the file is made.",
            )
        return Raw(schema, self._batches)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with self._opened() as file:
            yield from file.iter_batches(batch_size=BATCH_ROWS)

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                yield file
        except (pa.ArrowInvalid, OSError) as error:
            raise Refusal(
                self.where,
                f"found {self.name} unreadable as Parquet ({error})",
                "wanted one whole Parquet file",
                "Write it again, or say which kind of file it is: kind: csv.",
            ) from error
