"""One person out of the tables and their history."""

from __future__ import annotations

from charter import Charter
from serving import releases
from serving.bundle import MANIFEST, Manifest
from serving.home import place
from tasks.compaction import compact
from tasks.deltafiles import paths
from tasks.erasure.person import Person, files_of


def tables(charter: Charter) -> list[str]:
    """Every table of the project."""
    folders = place(f"tables/{charter.name}").glob("*/_delta_log")
    return sorted(f"tables/{charter.name}/{path.parent.name}" for path in folders)


def holding(charter: Charter, known: Person) -> dict[str, set[str]]:
    """Table to the files that hold the person."""
    found = {where: files_of(where, known) for where in tables(charter)}
    return {where: files for where, files in found.items() if files}


def trained_on(charter: Charter, files: dict[str, set[str]]) -> set[int]:
    """Releases whose tables held the person, or are gone, so that nobody can say that they did not."""
    folder = place(f"releases/{charter.name}")
    return {
        number
        for number in releases.numbers(folder)
        if _held(
            Manifest.model_validate_json((folder / str(number) / MANIFEST).read_bytes()), files
        )
    }


def _held(manifest: Manifest, files: dict[str, set[str]]) -> bool:
    from deltalake import DeltaTable

    for where, version in manifest.tables.items():
        if not (place(where) / "_delta_log" / f"{version:020}.json").exists():
            return True
        for path in paths(DeltaTable(place(where), version=version)):
            if path.name in files.get(where, ()) or not path.exists():
                return True
    return False


def erase(known: Person, files: dict[str, set[str]]) -> dict[str, int]:
    """Write each table without the person and remove every file that holds them; files by table.

    The newest version stays whole. Older ones that had the person cannot be read any more.
    """
    from deltalake import DeltaTable

    gone = {}
    for where, names in files.items():
        newest = {path.name for path in paths(DeltaTable(place(where)))}
        if newest & names:
            compact(where, known.named if where.endswith("/quarantine") else known.theirs)
        for name in names:
            (place(where) / name).unlink(missing_ok=True)
        gone[where] = len(names)
    return gone
