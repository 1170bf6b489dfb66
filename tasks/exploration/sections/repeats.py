"""Rows that stand there twice, and rows that no model could tell apart."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.exploration.twins import Twins
from tasks.pages import Section, blocks
from tasks.pages.blocks import code
from tasks.pages.figures import number, share
from tasks.splitting.assignment import SHARED

HEADING = "Repeated rows and twins"


def section(charter: Charter, found: Findings) -> Section:
    """Copies, twins among the training rows, and twins across the split."""
    twins = found.twins
    lead = (
        f"{number(twins.repeats)} rows ({share(twins.repeats / twins.rows)}) repeat an earlier one "
        "in every value."
        if twins.repeats
        else "No row repeats another in every value."
    )
    if not twins.inputs:
        return Section(HEADING, lead)
    return Section(HEADING, lead, blocks.stack(_repeats(twins), _across(twins), _within(found)))


def _repeats(twins: Twins) -> Markup:
    if not twins.repeats:
        return blocks.NOTHING
    said = blocks.join(
        ["A row that was exported twice counts twice in everything the model learns. Name what ",
         "makes a row unique in ", code("data.key"), ": later copies then go to quarantine."]
    )  # fmt: skip
    return blocks.prose(said)


def _across(twins: Twins) -> Markup:
    """The holdout, of which this count alone is known."""
    share_of = share(twins.shared_share)
    if not twins.shared:
        return blocks.prose(
            f"None of the {number(twins.held)} rows held out has a twin among the training rows: "
            "what the model gets right there, it cannot have remembered."
        )
    heading = f"{number(twins.shared)} of {number(twins.held)} rows held out ({share_of}) have a twin among the training rows"
    said = [
        "A model can remember the answer of a twin instead of working it out, so that the "
        "scorecard may flatter it.",
        blocks.join(
            ["If twins come from one and the same thing (a customer, a plot, a file that was loaded ",
             "twice), keep them on one side: ", code("evaluation.split: {by: group, column: …}"), "."]
        ),
        "If the inputs are merely few and coarse, such twins will meet the model in use, too, and "
        "nothing has to be done.",
    ]  # fmt: skip
    level: Literal["warn", "note"] = "warn" if twins.shared_share >= SHARED else "note"
    return blocks.notice(level, heading, blocks.points(said))


def _within(found: Findings) -> Markup:
    twins = found.twins
    named = ", ".join(twins.inputs[:12]) + (" …" if len(twins.inputs) > 12 else "")
    same = blocks.prose(
        f"Twins are the same in all that the model may see but the time ({named}); capitals and "
        "spaces at the ends of texts, and differences of less than a thousandth of the standard "
        "deviation, do not count."
    )
    if not twins.alike:
        return blocks.stack(blocks.prose("No two training rows are twins."), same)
    told = (
        f"{number(twins.alike)} rows outside of the holdout ({share(twins.alike / twins.rows)}) "
        f"have a twin there; in all there are {number(twins.kinds)} different rows."
    )
    if twins.differing:
        told += (
            f" In {number(twins.differing)} rows ({share(twins.differing / twins.rows)}) a twin "
            f"has another {found.truth.field.name}: no model that sees only these columns can be "
            "right about all of them."
        )
    return blocks.stack(blocks.prose(told), same)
