"""What the clauses of `privacy` say of the rows, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from charter import Charter, Verdict
from tasks.protection.anonymity import Anonymity
from tasks.protection.door import told
from tasks.protection.found import in_words, undeclared

if TYPE_CHECKING:
    from tasks.protect import Protected


def verdicts(charter: Charter, record: Protected) -> Iterator[Verdict]:
    """One for each clause of privacy that says something of these rows."""
    privacy = charter.privacy
    if privacy.identifiers:
        names = ", ".join(privacy.identifiers)
        yield Verdict(
            gate="privacy.identifiers", passed=True,
            message=f"{names}: stored as keyed hashes only, and no inputs.",
        )  # fmt: skip
    if privacy.consent is not None:
        out = sum(record.barred.values())
        why = f": {told(record.barred)}" if record.barred else ""
        yield Verdict(
            gate="privacy.consent", passed=True,
            message=f"{record.table.rows:,} rows with consent; {out:,} kept out and stored nowhere{why}.",
            numbers={"rows": record.table.rows, "without": out},
        )  # fmt: skip
    yield from _of_finds(charter, record)
    if (best := record.after or record.before) is not None:
        yield Verdict(
            gate="privacy.k", passed=privacy.k is None or best.k >= privacy.k,
            message=_of_groups(best), numbers={"k": best.k, "small": best.small},
        )  # fmt: skip


def _of_finds(charter: Charter, record: Protected) -> Iterator[Verdict]:
    acted = undeclared(charter, record.found)
    if acted:
        yield Verdict(
            gate="privacy.found", passed=True,
            message=f"undeclared personal data: {in_words(acted)}; {_DONE[record.action]}.",
            numbers={one.column: one.share for one in acted},
        )  # fmt: skip
    asked = [one for one in record.found if not one.sure]
    if asked:
        yield Verdict(
            gate="privacy.declared", passed=False, level="warn",
            message=f"{', '.join(one.column for one in asked)}: personal by the name. Declare them "
            "under privacy, or vouch for them in privacy.cleared.",
        )  # fmt: skip


_DONE = {
    "drop": "the columns were dropped",
    "mask": "masked in each text",
    "hash": "each value is a hash",
    "refuse": "",
}


def _of_groups(found: Anonymity) -> str:
    close = "; ".join(f"{one.column}: l = {one.l}, t = {one.t:.3f}" for one in found.closeness)
    return (
        f"the smallest of {found.groups:,} groups has {found.k:,} rows; {found.small:,} of "
        f"{found.rows:,} rows are in groups of fewer than {found.asked}"
        + (f"; {close}" if close else "")
        + "."
    )
