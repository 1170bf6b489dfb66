"""The record of what was found, and its note: the same rows and clauses are looked through once."""

from __future__ import annotations

import hashlib
import json
from typing import TypeVar

from charter import Charter, Frozen, Verdict
from serving.home import place
from tasks import lake
from tasks.lake import Table
from tasks.pages import keep


class Finding(Frozen):
    """The rows with what was found in them, and how sure that is."""

    project: str
    fingerprint: str
    table: Table
    """`tables/<project>/found`: the rows that came in, the target filled."""
    columns: tuple[str, ...]
    """By what rows are alike."""
    found_in: int
    judged_on: int
    """Rows that it was found in, and other ones that judged it."""
    verdicts: tuple[Verdict, ...]
    page: str

    @property
    def says(self) -> dict[str, str]:
        """Words for each answer."""
        raise NotImplementedError

    def told(self, charter: Charter) -> Charter:
        """The charter that says the answers in words, where it has none of its own, and by which
        columns they are found."""
        goal, experience = charter.goal, charter.experience
        target = goal.target.with_columns(self.columns)
        say = self.says | experience.say
        return charter.model_copy(
            update={
                "goal": goal.model_copy(update={"target": target}),
                "experience": experience.model_copy(update={"say": say}),
            }
        )


F = TypeVar("F", bound=Finding)


def where(charter: Charter) -> str:
    """The table of the rows with what was found in them."""
    return f"tables/{charter.name}/found"


def fingerprint(charter: Charter, table: Table, way: int) -> str:
    """Of the rows and of every clause that is read here; not of the release that is live, which only
    names what is found anew. An old training set, whose target is filled, has its own."""
    if table.where == where(charter):
        return table.fingerprint
    said = [
        way, charter.name, table.where, table.version, table.fingerprint,
        charter.goal.target.model_dump(mode="json"), charter.data.model_dump(mode="json"),
        charter.features.drop, charter.privacy.model_dump(mode="json"),
        charter.fairness.sensitive, charter.fairness.at_prediction, charter.evaluation.seed,
        charter.split.model_dump(mode="json"),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def known(kind: type[F], charter: Charter, fingerprint: str) -> F | None:
    """What was found before, where its table and page are still there."""
    note = place(_note(charter, fingerprint))
    if not note.exists():
        return None
    record = kind.model_validate_json(note.read_bytes())
    return record if lake.is_whole(record.table) and place(record.page).exists() else None


def note(charter: Charter, record: Finding) -> None:
    """Keep it for the next time."""
    keep(_note(charter, record.fingerprint), record.model_dump_json(indent=1))


def _note(charter: Charter, fingerprint: str) -> str:
    return f"tables/{charter.name}/findings/{fingerprint[:16]}.json"
