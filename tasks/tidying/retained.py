"""What is older than `privacy.retention` goes, whoever needs it."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from serving import releases
from serving.home import home, place
from serving.journal import Journal
from tasks import lake
from tasks.collection.shape import KNOWN_AT
from tasks.compaction import compact
from tasks.deltafiles import history, paths
from tasks.quarantine import quarantined
from tasks.tidying.needed import Needed
from tasks.tidying.unneeded import remove, touched

RUNS = ("splits", "studies", "scorecards", "bundles")
NOTES = ("tables/{}/ingested", "tables/{}/validated", "tables/{}/protections", "pages/{}",
         "pages/{}/docs", "comparisons/{}")  # fmt: skip


def expire(project: str, before: float) -> Counter[str]:
    """Remove what came before this moment (seconds since 1970); gives how many of each went.

    Answers and truths of the journal, rows of the log and of quarantine, versions of tables but the
    newest, runs and reports. Releases stay: what is live is replaced by the next retrain. What the
    source still has is the source's matter.
    """
    gone = Counter[str]()
    with closing(Journal(project)) as journal:
        gone["answers of the journal"] = journal.expire(before)
    gone["rows of the log"] = _log(project, before)
    gone["rows in quarantine"] = _quarantine(project, before)
    gone["files of old versions"] = _versions(project, before)
    gone["runs and reports"] = _reports(project, before)
    return gone


def _log(project: str, before: float) -> int:
    where = f"tables/{project}/collected"
    moment = pa.scalar(datetime.fromtimestamp(before, UTC), pa.timestamp("us", "UTC"))
    return _without(where, project, pc.field(KNOWN_AT) < moment)


def _quarantine(project: str, before: float) -> int:
    where = f"tables/{project}/quarantine"
    if lake.latest(where, project) is None:
        return 0
    over: pc.Expression | None = None
    for stage, fingerprint in sorted(quarantined(where, before)):
        one = (pc.field("stage") == stage) & (pc.field("fingerprint") == fingerprint)
        over = one if over is None else over | one
    return 0 if over is None else _without(where, project, over)


def _without(where: str, project: str, over: pc.Expression) -> int:
    """Write the table without these rows and remove the files that had them."""
    from deltalake import DeltaTable

    table = lake.latest(where, project)
    count = lake.dataset(table).count_rows(filter=over) if table is not None else 0
    if count:
        before = paths(DeltaTable(place(where)))
        compact(where, over)
        for path in set(before) - set(paths(DeltaTable(place(where)))):
            path.unlink(missing_ok=True)
    return int(count)


def _versions(project: str, before: float) -> int:
    """Files that no version has which was current then or later, even where a release names one."""
    count = 0
    for folder in sorted(path.parent for path in place(f"tables/{project}").glob("*/_delta_log")):
        log = history(folder)
        if log is None:
            continue
        oldest = log.current(before)
        for name, life in log.files.items():
            if not life.within(oldest, ()) and (folder / name).exists():
                (folder / name).unlink()
                count += 1
    return count


def _reports(project: str, before: float) -> int:
    keep = _live(project)
    folders = [place(f"{name}/{project}") for name in RUNS]
    found = [path for folder in folders for path in _entries(folder)]
    found += [
        path for name in NOTES for path in _entries(place(name.format(project))) if path.is_file()
    ]
    old = [path for path in found if path.name not in keep and touched(path) < before]
    for path in old:
        remove(path)
    return len(old)


def _live(project: str) -> set[str]:
    """Names of the folders that what is live, or tried beside it, was made in."""
    from tasks.tidying.needed import of_release

    live = releases.live(home() / "releases" / project)
    both = (live.release, live.canary.release if live.canary else None) if live else ()
    found = Needed(releases=tuple(number for number in both if number is not None))
    for number in found.releases:
        of_release(found, place(f"releases/{project}/{number}"))
    return found.names


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
