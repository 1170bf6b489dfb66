"""The holdout is issued once: which rows, in which files, under which seal."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from charter import Charter, Frozen, Refusal
from charter.evaluation import ByGroup, ByTime
from serving.home import place
from tasks.explore import Profile
from tasks.lake import Quarantine, Table, dataset, quarantine, read
from tasks.splitting import custody
from tasks.splitting.labels import labelled
from tasks.splitting.sidefiles import left_out, settle, write_sides
from tasks.splitting.sides import Facts, Sides, codes_of, hashed, sides

TRAINING_ROWS = 50
HOLDOUT_ROWS = 10
WHERE = "charter.evaluation.split"

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
    labels, target, placed = _placed(charter, table, profile)
    reasons = {f"{charter.goal.target.column}: no label": ~labels}
    if placed.unplaced:
        reasons[placed.unplaced] = ~placed.placed
    held, training = placed.held & labels, ~placed.held & placed.placed & labels
    _enough(held, training, placed.rule)
    if profile.task != "regression":
        _every_class(target, held, training)
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


def _placed(
    charter: Charter, table: Table, profile: Profile
) -> tuple[np.ndarray, pa.ChunkedArray, Sides]:
    """Which rows have a label, the labels, and the side of each row."""
    rule, target = charter.split, charter.goal.target.column
    column = _by(charter, table)
    names = [target] if column in (None, target) else [target, column]
    schema = pa.schema([dataset(table).schema.field(name) for name in names])
    facts = pa.Table.from_batches(read(table, names), schema=schema)
    labels = labelled(facts.column(target))
    coded = None if profile.task == "regression" else codes_of(facts.column(target))[1]
    placed = sides(
        rule,
        Facts(
            known=labels,
            column=facts.column(column) if column else None,
            identity=lambda: hashed(_identities(charter, table), charter.evaluation.seed),
            labels=coded,
            seed=charter.evaluation.seed,
            time=charter.data.time,
        ),
    )
    return labels, facts.column(target), placed


def _by(charter: Charter, table: Table) -> str | None:
    """The column that the rule goes by."""
    rule = charter.split
    if not isinstance(rule, ByTime | ByGroup):
        return None
    name = rule.column if isinstance(rule, ByGroup) else charter.data.time
    if name is None or name not in dataset(table).schema.names:
        raise Refusal(
            WHERE,
            f"found by: {rule.by}, and no column {name or 'for the time'} in the data",
            "wanted a column to go by",
            "Name it in evaluation.split.column (group) or data.time (time), or split at random.",
        )
    return name


def _identities(charter: Charter, table: Table) -> Iterator[str]:
    """The key of each row, or all its values where the charter names no key."""
    names = list(charter.data.key) or dataset(table).schema.names
    for batch in read(table, names):
        texts = [pc.fill_null(column.cast(pa.string()), "\0") for column in batch.columns]
        yield from pc.binary_join_element_wise(*texts, "\x1f").to_pylist()


def _enough(held: np.ndarray, training: np.ndarray, rule: str) -> None:
    for rows, least, side in (
        (int(training.sum()), TRAINING_ROWS, "training"),
        (int(held.sum()), HOLDOUT_ROWS, "holdout"),
    ):
        if rows < least:
            other = "larger" if side == "holdout" else "smaller"
            raise Refusal(
                WHERE,
                f"found {rows:,} labelled rows for the {side} ({rule})",
                f"wanted at least {least}",
                f"Set a {other} evaluation.split.holdout, or bring more rows.",
            )


def _every_class(target: pa.ChunkedArray, held: np.ndarray, training: np.ndarray) -> None:
    names, codes = codes_of(target)
    trained, tested = np.unique(codes[training]), np.unique(codes[held])
    unseen = [names[code] for code in tested if code not in trained]
    if unseen:
        said = ", ".join(map(str, unseen))
        raise Refusal(
            WHERE,
            f"found the class {said} in the holdout and in no training row",
            "wanted every class among the training rows",
            "Set a smaller evaluation.split.holdout, split by: random, or bring more rows of it.",
        )
    for found, side in ((trained, "training rows"), (tested, "holdout")):
        if len(found) < 2:
            raise Refusal(
                WHERE,
                f"found one class only among the {side}: {', '.join(str(names[c]) for c in found)}",
                "wanted at least two",
                "Change evaluation.split.holdout, split by: random, or look at goal.target.",
            )
