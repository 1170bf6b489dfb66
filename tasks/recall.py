"""An old training set again: the table as a version has it."""

from __future__ import annotations

from charter import Charter, Frozen, Refusal
from serving import releases
from serving.bundle import Manifest
from serving.home import place
from tasks import lake
from tasks.lake import Table

SOURCE, MADE = "table", ("renewed", "protected", "found")
"""The table as validated, and what a training put together from it."""
WHERE = "--table-version"


class Recalled(Frozen):
    """The rows of another day."""

    table: Table
    sources: tuple[Table, ...] = ()
    """What a retrain had put the table together from."""


def recall(charter: Charter, version: str) -> Recalled:
    """Version `12` of `tables/<name>/table`, or `renewed:12` or `protected:12` of what was made of it.

    The model card names it. It has the rows, their order and the fingerprint of that day, so that
    the same charter gives the same split. A version that is not there any more is a Refusal.
    """
    kind, _, number = version.rpartition(":")
    if kind not in ("", SOURCE, *MADE) or not number.isdecimal():
        raise Refusal(
            WHERE, f"found {version}", "wanted a number, or renewed:NUMBER",
            "The model card and the manifest of a release say which version it was trained on.",
        )  # fmt: skip
    table = _table(charter, f"tables/{charter.name}/{kind or SOURCE}", int(number))
    return Recalled(table=table, sources=_sources(charter, table) if kind in MADE else ())


def spelled(table: Table) -> str:
    """How the command line names the version."""
    kind = table.where.rpartition("/")[2]
    return f"{table.version}" if kind == SOURCE else f"{kind}:{table.version}"


def _table(charter: Charter, where: str, version: int) -> Table:
    table = lake.at(where, charter.name, version)
    if table is not None and lake.is_whole(table):
        return table
    there = lake.whole_versions(where, charter.name)
    found = "no such version" if table is None else "that its files were removed (perennial tidy)"
    raise Refusal(
        WHERE, f"found {found} of {where} for {version}", "wanted one that can still be read",
        f"Name one of {', '.join(map(str, there[-20:]))}." if there else "Train without it first.",
    )  # fmt: skip


def _sources(charter: Charter, table: Table) -> tuple[Table, ...]:
    """The tables that went into it, as the release says that was trained on it: what its log held
    must not judge a model that learned it."""
    folder = place(f"releases/{charter.name}")
    for number in reversed(releases.numbers(folder)):
        text = (folder / str(number) / releases.MANIFEST).read_bytes()
        tables = Manifest.model_validate_json(text).tables
        if tables.get(table.where) == table.version:
            return tuple(
                Table(project=charter.name, where=where, version=version, rows=0, fingerprint="")
                for where, version in tables.items()
                if where != table.where
            )
    raise Refusal(
        WHERE, f"found no release that was trained on version {table.version} of {table.where}",
        "wanted one, since it says which run-time rows are in it",
        "Name a version that the model card of a release names.",
    )  # fmt: skip
