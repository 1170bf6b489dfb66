"""One pass of the rows from the source to what lands: cast, joined, the target derived."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Frozen, Refusal
from tasks import lake
from tasks.ingestion.derive import Derived
from tasks.ingestion.incoming import gathered, is_early, roles
from tasks.ingestion.joins import Joined, prepare
from tasks.ingestion.named import check_names
from tasks.lake import Table
from tasks.protection.door import Door, Withholding, counted, told
from tasks.protection.found import Cleaning, decide, refuse, scanner, undeclared
from tasks.protection.scan import Find, Looks
from tasks.quarantine import Quarantine, quarantine
from tasks.sources import Source, rows
from tasks.sources.growth import Held
from tasks.sources.refused import Spool


class JoinReport(Frozen):
    """What one join of the charter brought."""

    source: str
    on: tuple[str, ...]
    added: tuple[str, ...]
    unmatched: int
    unmatched_share: float
    refused: int = 0
    """Lines of the joined source that are no rows; they are in quarantine as `ingest join <n>`."""


@dataclass(frozen=True)
class Onto:
    """The table that rows are added to, and what is known of those that it has."""

    held: Held
    before: int
    """Rows of the source that came before."""
    looks: Looks
    """What the search for personal data has counted in them."""
    found: tuple[Find, ...]
    """What it has found, which decides how the new rows are cleaned."""


class Landing:
    """The rows of the sources (the charter's, then the joined ones), and what was counted on the way.

    `guard` is the door that they pass (privacy); it counts for this pass alone.
    """

    def __init__(
        self,
        charter: Charter,
        sources: Sequence[Source],
        room: Path,
        connection: duckdb.DuckDBPyConnection,
        guard: Door | None = None,
        onto: Onto | None = None,
    ) -> None:
        self.charter, self.sources, self.connection = charter, sources, connection
        self.door = guard
        cleans = charter.privacy.found.action != "refuse"
        self.refused = (Withholding if guard or cleans else Spool)(room / "refused")
        held, before = (None, 0) if onto is None else (onto.held, onto.before)
        known = roles(charter)
        self.rows = rows(sources[0], known, room, self.refused, held, before)
        self.joins = prepare(connection, charter, self.rows.schema, known, room, sources[1:])
        fields = [*self.rows.schema, *(field for join in self.joins for field in join.added)]
        self.schema = pa.schema(fields)
        self.derived: Derived | None = None
        if charter.goal.target.made is not None:
            self.derived = Derived(connection, charter, self.schema)
            self.schema = self.schema.append(self.derived.field)
        check_names(charter, self.schema)
        passed = self.schema if guard is None else guard.schema(self.schema)
        self.scanner = scanner(charter, passed, onto.looks if onto else {})
        self.cleaning = Cleaning(charter, onto.found if onto else ())
        self.lands = self.cleaning.schema(passed)
        """The columns of what lands."""
        self.read = self.later = self.landed = 0
        self.empty = set(self.rows.schema.names)
        """Columns that no row had a value of."""
        self._may_be_empty = onto is not None
        self._passed = False

    def land(self, fingerprint: str, grown: Callable[[], str | None] | None = None) -> Table:
        """All rows as the newest version, without personal data that nobody declared."""
        name = self.charter.name
        table = lake.write(f"tables/{name}/landed", name, self.reader(), fingerprint, grown)
        self.finish()
        return self._cleaned(table, grown)

    def _cleaned(self, table: Table, grown: Callable[[], str | None] | None) -> Table:
        """The table without what was found; what held it is removed."""
        found = self.scanner.finds()
        self.cleaning = Cleaning(self.charter, found)
        try:
            refuse(self.charter, found)
            if not self.cleaning.actions:
                return table
            schema = self.cleaning.schema(self.lands)
            check_names(self.charter, schema)
            batches = map(self.cleaning.apply, lake.read(table))
            reader = pa.RecordBatchReader.from_batches(schema, batches)
            said = json.dumps(self.cleaning.actions, sort_keys=True)
            digest = hashlib.sha256(f"{table.fingerprint}{said}".encode()).hexdigest()
            return lake.write(table.where, self.charter.name, reader, digest, grown)
        finally:
            if undeclared(self.charter, found):
                lake.erase(table)
            decide(self.charter.name, self.cleaning.actions)

    def reader(self) -> pa.RecordBatchReader:
        """The rows that land, in the order of the source; goes by once."""
        return pa.RecordBatchReader.from_batches(self.lands, self._batches())

    def finish(self) -> None:
        """Count what nobody has read: the rows landed by a run that was killed before it could say so."""
        if not self._passed:
            for _ in self._batches():
                pass

    @property
    def source_rows(self) -> int:
        return self.read + self.refused.count

    def reasons(self) -> dict[str, int]:
        """Why rows of the source were refused, and how many for each reason."""
        found = Counter[str]()
        for batch in self.refused.batches():
            for count in pc.value_counts(batch.column("reasons").flatten()).to_pylist():
                found[count["values"]] += count["counts"]
        return dict(found)

    def reports(self, before: Sequence[JoinReport] = (), passed: int = 0) -> list[JoinReport]:
        """What the joins brought, and had brought to the `passed` rows that landed before these."""
        earlier: Sequence[JoinReport | None] = before or [None] * len(self.joins)
        return [_report(*pair, passed) for pair in zip(self.joins, earlier, strict=True)]

    def keep(self, fingerprint: str, joined: bool = True) -> Quarantine:
        """Put what was refused into quarantine, once for each fingerprint; the rows of the source are given.

        `joined`: the lines of the joined sources too that are no rows.
        """
        for number, join in enumerate(self.joins if joined else ()):
            self._keep(f"ingest join {number}", fingerprint, join.refused)
        return self._keep("ingest", fingerprint, self.refused)

    def _keep(self, stage: str, fingerprint: str, refused: Spool) -> Quarantine:
        return quarantine(self.charter.name, stage, fingerprint, refused.batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        self._passed = True
        if self.door is not None:
            self.door.barred.clear()
        for batch in gathered(self.rows.schema, self.rows.batches):
            self.read += batch.num_rows
            self.empty -= {
                name for name in self.empty if batch.column(name).null_count < batch.num_rows
            }
            if self.charter.data.until is not None:
                early = batch.filter(is_early(self.charter, batch))
                self.later += batch.num_rows - early.num_rows
                batch = early
            if batch.num_rows == 0:
                continue
            for join in self.joins:
                batch = join.apply(self.connection, batch)
            batch = batch if self.derived is None else self.derived.apply(batch)
            batch = batch if self.door is None else self.door.apply(batch)
            self.landed += batch.num_rows
            if batch.num_rows:
                self.scanner.look(batch)
                yield self.cleaning.apply(batch)
        for source in self.sources:
            source.check_unchanged()
        self._check_landed()

    def _check_landed(self) -> None:
        if self.landed or self._may_be_empty:
            return
        if self.later:
            raise Refusal(
                "data.until",
                f"found all {self.later} rows at or after {self.charter.data.until}",
                "wanted rows before it to learn from",
                "Move data.until to a later day.",
            )
        if self.door is not None and (barred := counted(self.door)):
            raise Refusal(
                "privacy.consent",
                f"found no row that may be used: {told(barred)}",
                f"wanted rows of people who agreed to: {self.charter.privacy.purpose}",
                "Look at privacy.consent, and at what it reads.",
            )
        first = next(self.refused.batches()).slice(0, 1).to_pylist()[0]
        raise Refusal(
            self.sources[0].where,
            f"found no row that can be used; the first: {'; '.join(first['reasons'])} "
            f"({first['record'][:200]})",
            "wanted rows of the header's shape and the declared roles",
            "Correct the file, its delimiter, or data.columns.",
        )


def _report(joined: Joined, earlier: JoinReport | None, passed: int) -> JoinReport:
    unmatched = joined.unmatched + (earlier.unmatched if earlier else 0)
    return JoinReport(
        source=joined.name,
        on=joined.join.on,
        added=tuple(joined.added.names),
        unmatched=unmatched,
        unmatched_share=unmatched / max(joined.seen + passed, 1),
        refused=earlier.refused if earlier else joined.refused.count,
    )
