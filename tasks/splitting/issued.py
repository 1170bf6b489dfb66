"""The holdout is issued once: which rows, in which files, under which seal."""

from __future__ import annotations

import logging

from charter import Charter, Frozen
from serving.home import place
from tasks.explore import Profile
from tasks.lake import Table
from tasks.quarantine import Quarantine, quarantine
from tasks.splitting import custody
from tasks.splitting.assignment import assignment
from tasks.splitting.sidefiles import left_out, settle, write_sides

_log = logging.getLogger(__name__)


class Issued(Frozen):
    """What the folder of a split remembers; written last, so it stands for the whole."""

    training_rows: int
    training_seal: str
    holdout_rows: int
    holdout_seal: str
    rule: str
    unlabelled: Quarantine


def known(where: str) -> Issued | None:
    """What was issued before; a file that is gone is issued again, one that changed is refused."""
    note = place(where) / "split.json"
    if not note.exists():
        return None
    issued = Issued.model_validate_json(note.read_bytes())
    sealed = {"training.parquet": issued.training_seal, "holdout.parquet": issued.holdout_seal}
    if not all((place(where) / name).exists() for name in sealed):
        return None
    for name, seal in sealed.items():
        custody.check(place(where) / name, seal, f"{where}/{name}")
    return issued


def issue(charter: Charter, table: Table, profile: Profile, fingerprint: str, where: str) -> Issued:
    """Decide, check, write both sides, and remember it."""
    decided = assignment(charter, table, profile.task)
    placed, held, training = decided.placed, decided.held, decided.training
    reasons = {f"{charter.goal.target.column}: no label": ~decided.labels}
    if placed.unplaced:
        reasons[placed.unplaced] = ~placed.placed
    folder = place(where)
    write_sides(table, held, training, folder)
    issued = Issued(
        training_rows=int(training.sum()),
        training_seal=custody.seal(folder / "training.parquet"),
        holdout_rows=int(held.sum()),
        holdout_seal=custody.seal(folder / "holdout.parquet"),
        rule=placed.rule,
        unlabelled=quarantine(charter.name, "split", fingerprint, left_out(table, reasons)),
    )
    draft = folder / ".split.json"
    draft.write_text(issued.model_dump_json())
    settle(draft, folder / "split.json")
    _log.info("%s; %d rows to train, %d held out", issued.rule, training.sum(), held.sum())
    return issued
