"""One person out of everything that was made of tables: golden rows, pages, caches, folders of runs."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charter import Refusal
from serving import releases, signing
from serving.bundle import MANIFEST, Manifest, sha256
from serving.golden import GOLDEN, Golden, golden
from serving.home import home, place
from serving.signature import Signature
from tasks.erasure.search import spelled

if TYPE_CHECKING:
    from tasks.erasure.person import Person

BY_RUN = ("splits", "studies", "bundles", "scorecards")
"""Each holds a folder for each run, which goes as a whole; the next training makes it anew."""
KEPT = ("releases", "mlflow", "journal", "privacy")
"""What serves, or is told rows by its own means."""
SHARED = ("mlflow", "prefect", "scratch", "journal", "locks")


def forget_golden(project: str, known: Person) -> int:
    """Take golden rows that are the person's, or nearly, out of bundles and releases; gives how many.

    A release keeps its number: its manifest and the pointer to what is live name the new file.
    """
    gone = 0
    for folder in _bundles(project):
        signed = (folder / signing.SIGNATURE).exists()
        if signed:
            signing.need(f"since {GOLDEN} of {folder.name} changes")
        gone += _without(folder, known)
        if signed:
            signing.sign(folder)
    releases.reseal(place(f"releases/{project}"))
    return gone


def _bundles(project: str) -> Iterator[Path]:
    """Every folder with golden rows of the project."""
    for store in (f"releases/{project}", f"bundles/{project}", "mlflow"):
        for path in sorted(place(store).rglob(GOLDEN)):
            manifest = path.with_name(MANIFEST)
            if manifest.exists() and _manifest(manifest).project == project:
                yield path.parent


def _manifest(path: Path) -> Manifest:
    return Manifest.model_validate_json(path.read_bytes())


def _without(folder: Path, known: Person) -> int:
    from tasks.packaging.parity import as_sent

    signature = Signature.model_validate_json((folder / "signature.json").read_bytes())
    names = [column.name for column in signature.inputs]
    theirs = [
        row
        for table in known.rows
        if set(names) <= set(table.column_names)
        for row in as_sent(signature, table)
    ]
    found = golden(folder)
    keep = [at for at, row in enumerate(found.rows) if not any(_near(row, one) for one in theirs)]
    _write(folder / GOLDEN, _only(found, keep).model_dump_json())
    manifest = _manifest(folder / MANIFEST)
    digest = sha256((folder / GOLDEN).read_bytes())
    if manifest.files.get(GOLDEN) not in (None, digest):
        files = manifest.files | {GOLDEN: digest}
        changed = manifest.model_copy(update={"files": files})
        _write(folder / MANIFEST, changed.model_dump_json(indent=1) + "\n")
    return len(found.rows) - len(keep)


def _near(row: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """The same in every input, or in all but one: hostile rows are made of real ones."""
    names = row.keys() | theirs.keys()
    other = sum(row.get(name) != theirs.get(name) for name in names)
    return other == 0 or (other == 1 and len(names) > 2)


def _only(found: Golden, keep: list[int]) -> Golden:
    def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[at] for at in keep) if values else values

    return Golden(
        rows=some(found.rows), cases=some(found.cases), probabilities=some(found.probabilities),
        labels=some(found.labels), values=some(found.values),
    )  # fmt: skip


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def remove(project: str, hits: Iterable[Path], studied: bool, traces: set[str]) -> int:
    """Remove files that hold a trace, of runs the whole folder; gives how many went.

    `studied`: the person was in a split, so that what was fitted on it goes too.
    """
    gone = {_unit(path) for path in hits} - {None}
    if studied:
        gone |= set(place(f"studies/{project}").glob("*"))
    for path in sorted(filter(None, gone)):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix == ".db":
            _forget_notes(path, traces)
        else:
            path.unlink(missing_ok=True)
    return len(gone)


def _unit(path: Path) -> Path | None:
    """What goes with the file: the folder of its run, itself, or nothing."""
    parts = path.relative_to(home()).parts
    if parts[0] in KEPT or (path.suffix == ".parquet" and parts[0] == "tables"):
        return None
    if parts[0] in BY_RUN and len(parts) > 2:
        return home() / Path(*parts[:3])
    return path


def _forget_notes(path: Path, traces: set[str]) -> None:
    """What an orchestrator wrote down of stages; a table that it does not have is no matter."""
    if not path.exists():
        raise Refusal(str(path), "found no such database", "wanted one", "Run it again.")
    with closing(sqlite3.connect(path, timeout=60)) as database:
        database.execute("PRAGMA secure_delete=ON")
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        for table in sorted({"artifact", "artifact_collection", "log"} & tables):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            for trace in sorted({form for text in traces for form in spelled(text)}):
                said = " OR ".join(f"instr(CAST({name} AS TEXT), ?1)" for name in names)
                database.execute(f"DELETE FROM {table} WHERE {said}", (trace,))
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def of_others(project: str, path: Path) -> bool:
    """Whether the file is of another project, which forgets by its own charter."""
    parts = path.relative_to(home()).parts
    return len(parts) > 1 and parts[0] not in SHARED and parts[1] != project
