"""One person out of every store, proven by a search that finds nothing."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime

from pydantic import SecretStr

from charter import Charter, Frozen, Refusal, Verdict
from serving.home import home, place, whereabouts
from serving.identity import identity
from serving.journal import Journal
from serving.pseudonyms import is_pseudonym, pseudonyms
from tasks.erasure import papers, rows
from tasks.erasure.person import person
from tasks.erasure.search import left
from tasks.progress import report
from tasks.protection.suppressed import mark, mark_of, suppress

log = logging.getLogger(__name__)


class Forgotten(Frozen):
    """What was done; nothing in it leads to the person."""

    project: str
    at: str
    """When, ISO 8601, UTC."""
    tables: dict[str, int] = {}
    """Files that held the person, by table; they are gone, and with them the versions that had them."""
    predictions: int
    """Answers that were deleted from the journal, with their truths."""
    golden: int
    """Golden rows that were taken out of bundles and releases."""
    removed: int
    """Other files and folders that were removed; the next training makes them anew."""
    releases: tuple[int, ...]
    """Those that learned from the person, or may have; the next retrain replaces the live one."""
    searched_mb: float
    """What the proof looked through."""
    left: tuple[str, ...] = ()
    """Files that still hold a trace."""
    verdicts: tuple[Verdict, ...] = ()


def forget(charter: Charter, subject: SecretStr) -> Forgotten:
    """Erase the person whom `privacy.subject` calls so (GDPR, article 17); safe to repeat.

    First the person is put on the list of those whom no ingestion takes again (as a keyed hash that
    stands nowhere else), and the releases are marked. Then tables and their history, quarantine,
    journal, golden rows, runs, pages and caches lose them, and every file and database of the root
    is searched. Services go on. What the person sends afterwards is new.
    """
    column = charter.privacy.person
    if column is None:
        raise Refusal(
            "privacy.identifiers", "found none", "wanted the column that names a person",
            "Name it in privacy.identifiers; rows that came before it was named have to be learned anew.",
        )  # fmt: skip
    name = subject.get_secret_value()
    if not identity(name):
        raise Refusal("--subject", "found nothing", f"wanted the value of {column}", "Say who.")
    if is_pseudonym(name):
        raise Refusal(
            "--subject", "found a hash as it stands in the tables", f"wanted the value of {column}",
            "Give what the person is called in the source.",
        )  # fmt: skip
    hashes = pseudonyms(charter.name)
    known = person(charter, hashes, name)
    report("forget", 1, 6, "who is in which file")
    files = rows.holding(charter, known)
    learned = rows.trained_on(charter, files)
    suppress(charter.name, mark_of(hashes, column, known.name))
    mark(charter.name, learned)
    report("forget", 2, 6, "tables and quarantine")
    gone = rows.erase(known, files)
    report("forget", 3, 6, "journal")
    with closing(Journal(charter.name)) as journal:
        deleted = journal.erase(sorted({known.name, *known.forms}), known.is_in)
        known.alone -= {
            text for text in known.alone if journal.left([text])
        }  # somebody else's, too
        report("forget", 4, 6, "golden rows, runs, pages and caches")
        golden = papers.forget_golden(charter.name, known)
        hits, _ = left(home(), known.traces)
        mine = [path for path in hits if not papers.of_others(charter.name, path)]
        studied = any(path.is_relative_to(place(f"splits/{charter.name}")) for path in mine)
        removed = papers.remove(charter.name, mine, studied, known.traces)
        report("forget", 5, 6, "the proof")
        still, size = left(home(), known.traces)
        still = [path for path in still if not papers.of_others(charter.name, path)]
        in_journal = journal.left(sorted(known.names))
    found = [whereabouts(path) for path in still] + (["the journal"] if in_journal else [])
    forgotten = Forgotten(
        project=charter.name, at=datetime.now(UTC).isoformat(timespec="seconds"), tables=gone,
        predictions=deleted, golden=golden, removed=removed, releases=tuple(sorted(learned)),
        searched_mb=round(size / 2**20, 1), left=tuple(found),
    )  # fmt: skip
    forgotten = forgotten.model_copy(update={"verdicts": (_verdict(forgotten),)})
    _record(forgotten)
    return forgotten


def forgotten(project: str) -> tuple[Forgotten, ...]:
    """Every erasure of the project, oldest first."""
    path = place(f"privacy/{project}/erasures.jsonl")
    lines = path.read_bytes().splitlines() if path.exists() else []
    return tuple(map(Forgotten.model_validate_json, lines))


def _verdict(found: Forgotten) -> Verdict:
    said = ", ".join(found.left[:5]) + (" and others" if len(found.left) > 5 else "")
    return Verdict(
        gate="privacy.forget",
        passed=not found.left,
        message=f"{found.searched_mb:,.1f} MB were searched, every file and database of the root: "
        + (f"traces are left in {said}" if found.left else "nothing is left"),
        numbers={"left": len(found.left), "searched_mb": found.searched_mb},
    )


def _record(found: Forgotten) -> None:
    path = place(f"privacy/{found.project}/erasures.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(found.model_dump_json() + "\n")
    log.info(
        "one person forgotten, %d files of tables, %d answers",
        sum(found.tables.values()),
        found.predictions,
    )
