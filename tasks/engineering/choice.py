"""Which columns may be inputs: what the charter and the profile say before any value is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from charter import Charter, Refusal
from charter.evaluation import ByValue
from serving.signature import Kind
from tasks.explore import ColumnProfile, Profile
from tasks.protection.found import decided
from tasks.split import Training

KINDS: dict[str, Kind] = {"number": "number", "category": "text", "flag": "flag", "time": "time"}
"""The roles that can be inputs, and the kind of input that each one makes."""


FOUND = "personal data were found in it (privacy.found)"


@dataclass(frozen=True)
class Candidate:
    """A column that may become an input."""

    name: str
    kind: Kind
    declared: bool
    """Whether the charter gives its role, so that no guess throws it out."""


@dataclass(frozen=True)
class Choice:
    """Columns that may become inputs, and the reason for every other one."""

    candidates: tuple[Candidate, ...]
    dropped: dict[str, str]


def choose(charter: Charter, training: Training, profile: Profile, columns: list[str]) -> Choice:
    """Sort the training columns; a candidate that looks like a leak is refused."""
    dropped: dict[str, str] = {}
    candidates: list[Candidate] = []
    known = {column.name: column for column in profile.columns}
    for name in columns:
        column = known[name]
        why = next(_objections(charter, training, column), None)
        if why is not None:
            dropped[name] = why
            continue
        declared = charter.data.columns.get(name)
        told = declared is not None and declared.role is not None
        candidates.append(Candidate(name, KINDS[column.role], told))
    _no_leak(charter, profile, {candidate.name for candidate in candidates})
    return Choice(tuple(candidates), dropped)


def _objections(charter: Charter, training: Training, column: ColumnProfile) -> Iterator[str]:
    name, data = column.name, charter.data
    if name in data.known_later:
        yield "known only after the prediction is made (data.known_later)"
    barred = charter.privacy.barred | dict.fromkeys(decided(charter.name), FOUND)
    if name in barred:
        yield barred[name]
    if name in charter.features.drop:
        yield "not to be used (features.drop)"
    sought = charter.goal.target.sought
    if sought and sought.columns and name not in sought.columns:
        yield f"the {sought.things} are not found by it ({sought.where})"
    if name in charter.fairness.sensitive and not charter.fairness.at_prediction:
        yield "sensitive, so no input (fairness.sensitive); kept for the audit"
    if name == training.group:
        yield "makes the groups of the split; those that come later are new ones"
    if isinstance(charter.split, ByValue) and name == charter.split.column:
        yield "says which rows are held out (evaluation.split)"
    if data.key == (name,):
        yield "names the row (data.key)"
    if column.role not in KINDS:
        yield ROLES.get(column.role, _unknown)(column)


def _unknown(column: ColumnProfile) -> str:
    return f"the role {column.role} makes no input"


ROLES: dict[str, Callable[[ColumnProfile], str]] = {
    "ignore": lambda column: "to be ignored (data.columns)",
    "text": lambda column: "free text is not used yet",
    "identifier": lambda column: (
        f"names single things ({column.distinct:,} different values); give it the role category in "
        "data.columns if its values come back"
    ),
}


def _no_leak(charter: Charter, profile: Profile, open_to: set[str]) -> None:
    caught = [
        suspect
        for suspect in profile.suspects
        if suspect.column in open_to and suspect.column not in charter.data.known_before
    ]
    if caught:
        names = ", ".join(suspect.column for suspect in caught)
        raise Refusal(
            "charter.data.known_later",
            f"found {len(caught)} column{'s' if len(caught) > 1 else ''} that may be known only "
            "with the target: "
            + " ".join(f"[{suspect.column}] {suspect.evidence}" for suspect in caught),
            "wanted inputs that are known when the prediction is made",
            f"Two ways out: list in data.known_later what is known only afterwards ({names}), or "
            "vouch in data.known_before for what is known in time.",
        )
