"""A person takes the edit of the suite that `validate` proposed."""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path

from charter import Charter, Frozen, Refusal
from tasks.validation.proposal import Proposal, digest, forget, pending

AGAIN = "Run `perennial train` or `perennial retrain`, which compares the data with the suite."


class Accepted(Frozen):
    """The suite is another now."""

    suite: str
    edits: tuple[str, ...]


def proposed(charter: Charter) -> Proposal:
    """What waits to be accepted; refused where nothing does, or the suite has changed since."""
    where = f"perennial accept, project {charter.name}"
    proposal = pending(charter)
    if proposal is None:
        raise Refusal(where, "nothing is proposed", "wanted data that changed their columns", AGAIN)
    path = Path(proposal.suite)
    if not path.exists() or digest(path) != proposal.before:
        raise Refusal(
            where,
            f"{proposal.suite} has changed since the edit was proposed",
            "wanted the file that it is an edit of",
            AGAIN,
        )
    return proposal


def difference(proposal: Proposal) -> list[str]:
    """The lines of the edit as a unified diff."""
    before = Path(proposal.suite).read_text(encoding="utf-8").splitlines()
    after = proposal.after.splitlines()
    return list(unified_diff(before, after, proposal.suite, proposal.suite, lineterm=""))


def accept(charter: Charter, proposal: Proposal) -> Accepted:
    """Write the suite, whole or not at all."""
    proposal = _same(proposed(charter), proposal, charter)
    path = Path(proposal.suite)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(proposal.after, encoding="utf-8")
    temporary.replace(path)
    forget(charter)
    return Accepted(suite=proposal.suite, edits=proposal.edits)


def _same(now: Proposal, shown: Proposal, charter: Charter) -> Proposal:
    if now != shown:
        raise Refusal(
            f"perennial accept, project {charter.name}",
            "another edit was proposed meanwhile",
            "wanted the one that was shown",
            "Call the command again.",
        )
    return now
