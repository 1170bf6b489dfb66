"""What rows pass before they are stored: no row without consent, no name of a person.

A row that is kept out is stored nowhere, not even in quarantine: without consent there is no ground
for keeping it (GDPR, article 6), and reasons and counts are all that is needed (article 5, 1 c).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter
from serving.pseudonyms import pseudonyms, replaced
from tasks.protection import consents
from tasks.protection.hashes import hashed, known_by
from tasks.protection.suppressed import ERASED, mark_of, suppressed
from tasks.sources.refused import Spool
from tasks.sources.types import spelled


class Door:
    """The door of one project; counts whom it kept out, by reason."""

    def __init__(self, charter: Charter) -> None:
        self._charter = charter
        self._privacy = charter.privacy
        self._hashes = pseudonyms(charter.name) if self._privacy.identifiers else None
        consent = self._privacy.consent
        self._list: consents.Listed | None = None
        if consent is not None and self._hashes is not None:
            self._list = consents.listed(charter, consent, self._hashes)
        self._gone = suppressed(charter.name, self._hashes) if self._hashes else frozenset[str]()
        self.barred = Counter[str]()

    @property
    def fingerprint(self) -> str:
        """Of everything that decides what passes, and how."""
        said = [
            self._privacy.identifiers,
            self._privacy.consent and self._privacy.consent.model_dump(mode="json"),
            self._privacy.purpose if self._privacy.consent else "",
            self._hashes and self._hashes.seal,
            self._list and consents.digest(self._list),
            sorted(self._gone),
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    @property
    def asks(self) -> list[str]:
        """The columns that it looks at."""
        consent = self._privacy.consent
        said = (consent.column, consent.withdrawn) if consent and consent.table is None else ()
        return list(dict.fromkeys([*self._privacy.identifiers, *filter(None, said)]))

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """What comes out."""
        return known_by(schema, self._privacy.identifiers)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that may be kept, as they may be kept."""
        veiled = self.veiled(self._without_erased(batch))
        kept = self.admitted(veiled)
        return veiled if kept is None else veiled.filter(kept)

    def _without_erased(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A source still has them, by name."""
        person = self._privacy.person
        if not self._gone or person is None or self._hashes is None:
            return batch
        coded = spelled(batch.column(person)).dictionary_encode()
        names = coded.dictionary.to_pylist()
        gone = [mark_of(self._hashes, person, name) in self._gone for name in names]
        out = pc.fill_null(pc.take(pa.array(gone, pa.bool_()), coded.indices), False)
        self.barred[ERASED] += pc.sum(out).as_py() or 0
        return batch.filter(pc.invert(out))

    def veiled(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Every row, names as hashes."""
        if self._hashes is None:
            return batch
        columns = [
            hashed(self._hashes, name, column) if name in self._privacy.identifiers else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema(batch.schema))

    def admitted(self, batch: pa.Table | pa.RecordBatch) -> pa.Array | None:
        """Which rows may be used (None: all); the others are counted."""
        kept: pa.Array | None = None
        for reason, rows in consents.reasons(self._charter, self._list, batch):
            rows = pc.fill_null(rows, True)
            kept = pa.array([True] * batch.num_rows) if kept is None else kept
            self.barred[reason] += pc.sum(pc.and_(kept, rows)).as_py() or 0
            kept = pc.and_not(kept, rows)
        return kept


def veil(charter: Charter) -> Callable[[str], str]:
    """Makes of a row as JSON one with hashes for names of persons."""
    names = charter.privacy.identifiers
    if not names:
        return lambda row: row
    hashes = pseudonyms(charter.name)
    return lambda row: orjson.dumps(replaced(orjson.loads(row), names, hashes)).decode()


def door(charter: Charter) -> Door | None:
    """None where the charter asks for nothing of the kind."""
    return Door(charter) if charter.privacy.guards else None


def counted(door: Door | None) -> dict[str, int]:
    """Rows that were kept out, by reason, most first."""
    found = door.barred.most_common() if door else []
    return {reason: rows for reason, rows in found if rows}


def total(*parts: dict[str, int]) -> dict[str, int]:
    """Rows by reason, of several doors."""
    return dict(sum(map(Counter, parts), Counter[str]()).most_common())


def told(counts: dict[str, int]) -> str:
    """Rows by reason, in words."""
    return ", ".join(f"{reason} ({rows:,})" for reason, rows in counts.items())


class Withholding(Spool):
    """Keeps of rows that cannot be read where they stood and why, and nothing of what they say:
    a name in them could not be told."""

    def add(
        self, row: int, reasons: Sequence[str], record: str, place: Callable[[int], str]
    ) -> None:
        super().add(row, reasons, "", place)
