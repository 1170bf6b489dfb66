"""What nothing needs any more goes, what many small files hold goes into few, and the room is told."""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow.compute as pc

from charter import Charter, Frozen, Verdict
from charter.runtime import seconds
from serving.home import home, place
from tasks import lake
from tasks.compaction import compact
from tasks.progress import report
from tasks.quarantine import quarantined
from tasks.tidying.needed import Needed, needed
from tasks.tidying.retained import expire
from tasks.tidying.unneeded import of_table, old, remove, used

log = logging.getLogger(__name__)

GROWING = ("collected", "quarantine", "landed", "table")
"""Tables that get a file with each run, the last two where the source grows."""
OWN = ("tables", "splits", "studies", "bundles", "scorecards", "recipes", "releases", "pages",
       "replays")  # fmt: skip
SHARED = ("journal", "mlflow", "prefect", "scratch")


class Store(Frozen):
    """One folder of the root."""

    name: str
    shared: bool
    """Whether it is of all projects."""
    mb: float
    freed_mb: float
    removed: int
    """Folders and files that went."""


class Tidied(Frozen):
    """What went, what stays, and how much room there is."""

    project: str
    stores: tuple[Store, ...]
    fewer_files: int
    """By how many files the tables have fewer, since small ones were put together."""
    releases: tuple[int, ...]
    """Those that can be trained again exactly."""
    free_gb: float
    verdicts: tuple[Verdict, ...]

    @property
    def freed_mb(self) -> float:
        return sum(store.freed_mb for store in self.stores)

    @property
    def used_mb(self) -> float:
        """The room of the project, without what is shared."""
        return sum(store.mb for store in self.stores if not store.shared)


@dataclass
class _Gone:
    """What was removed, by store."""

    count: Counter[str] = field(default_factory=Counter)
    size: Counter[str] = field(default_factory=Counter)
    fewer: int = 0


def tidy(charter: Charter, now: datetime | None = None) -> Tidied:
    """Compact, forget and remove by the charter's `storage`; safe to repeat and to kill anywhere.

    Of tables stay the versions of the last `keep`, and those that the newest `releases`, the live
    one and the one before it were trained on. Releases and registry are not touched, the journal
    only by `privacy.retention`, which is the stronger: what is older goes, whatever needs it.
    Nobody else may write for the project meanwhile (`tasks/turn.py`); services serve on.
    """
    moment = (now or datetime.now(UTC)).timestamp()
    gone = _Gone()
    retention = charter.privacy.retention
    expired = expire(charter.name, moment - seconds(retention)) if retention else Counter[str]()
    wanted = needed(charter)
    _clear(charter, wanted, moment - seconds(charter.storage.keep), gone)
    most = charter.storage.most_gb
    if most is not None and _room(charter) > most * 2**30:
        _clear(charter, wanted, max(moment, time.time()) + 1, gone)
    tidied = Tidied(
        project=charter.name,
        stores=tuple(_stores(charter, gone)),
        fewer_files=gone.fewer,
        releases=wanted.releases,
        free_gb=round(shutil.disk_usage(home()).free / 2**30, 3),
        verdicts=(),
    )
    log.info("%d files and folders removed, %.1f MB", gone.count.total(), tidied.freed_mb)
    return tidied.model_copy(
        update={"verdicts": (*_verdicts(charter, wanted, tidied), *_retained(charter, expired))}
    )


def _clear(charter: Charter, wanted: Needed, since: float, gone: _Gone) -> None:
    """Everything that nothing needs and that was over before `since`."""
    tables = sorted(path.parent for path in place(f"tables/{charter.name}").glob("*/_delta_log"))
    for done, folder in enumerate(tables):
        report("tidy", done, len(tables) + 1, f"{folder.name} of {charter.name}")
        where = f"tables/{charter.name}/{folder.name}"
        if folder.name in GROWING:
            over = _over(where, wanted, since) if folder.name == "quarantine" else None
            gone.fewer += compact(where, over)
        newest = lake.latest(where, charter.name)
        if newest is not None:
            wanted.versions[where].add(newest.version)
        for path in of_table(folder, wanted, where, since):
            gone.size["tables"] += remove(path)
            gone.count["tables"] += 1
    for path in old(charter.name, wanted, since):
        store = path.relative_to(home()).parts[0]
        gone.size[store] += remove(path)
        gone.count[store] += 1


def _over(where: str, wanted: Needed, since: float) -> pc.Expression | None:
    """Which rows in quarantine came before `since` and belong to nothing that is there now."""
    over: pc.Expression | None = None
    for stage, fingerprint in sorted(quarantined(where, since) - wanted.marks):
        one = (pc.field("stage") == stage) & (pc.field("fingerprint") == fingerprint)
        over = one if over is None else over | one
    return over


def _stores(charter: Charter, gone: _Gone) -> Iterator[Store]:
    for name in (*OWN, *SHARED):
        folder = place(name) if name in SHARED else place(f"{name}/{charter.name}")
        size = used(folder) if folder.exists() else 0
        if size or gone.count[name]:
            yield Store(
                name=name, shared=name in SHARED, mb=round(size / 2**20, 3),
                freed_mb=round(gone.size[name] / 2**20, 3), removed=gone.count[name],
            )  # fmt: skip


def _room(charter: Charter) -> int:
    return sum(used(path) for name in OWN if (path := place(f"{name}/{charter.name}")).exists())


def _verdicts(charter: Charter, wanted: Needed, tidied: Tidied) -> Iterator[Verdict]:
    storage = charter.storage
    removed = sum(store.removed for store in tidied.stores)
    yield Verdict(
        gate="storage.keep",
        passed=True,
        message=f"{removed} files and folders went that nothing has needed for {storage.keep}, "
        f"{tidied.freed_mb:.1f} MB",
        numbers={"removed": removed, "freed_mb": tidied.freed_mb},
    )
    lost = sorted(
        f"version {version} of {where}"
        for where, versions in wanted.versions.items()
        for version in versions
        if not _is_whole(charter, where, version)
    )
    said = ", ".join(map(str, wanted.releases)) or "none yet"
    yield Verdict(
        gate="storage.releases",
        passed=not lost,
        message=f"cannot be read any more: {', '.join(lost)}" if lost
        else f"releases that can be trained again on the same rows: {said}",
        numbers={"releases": len(wanted.releases), "lost": len(lost)},
        level="warn",
    )  # fmt: skip
    if storage.most_gb is not None:
        found = tidied.used_mb / 1024
        yield Verdict(
            gate="storage.most_gb",
            passed=found <= storage.most_gb,
            message=f"the project takes {found:.3g} GB, at most {storage.most_gb:g} GB it may",
            numbers={"gb": found},
        )


def _retained(charter: Charter, expired: Counter[str]) -> Iterator[Verdict]:
    if charter.privacy.retention is not None:
        told = ", ".join(f"{count:,} {what}" for what, count in expired.items() if count)
        yield Verdict(
            gate="privacy.retention",
            passed=True,
            message=f"older than {charter.privacy.retention} and gone: {told or 'nothing'}",
            numbers=dict(expired),
        )


def _is_whole(charter: Charter, where: str, version: int) -> bool:
    table = lake.at(where, charter.name, version)
    return table is not None and lake.is_whole(table)
