"""Columns that look as if they were known only with the target."""

from __future__ import annotations

from markupsafe import Markup

from charter import Charter
from tasks.exploration.findings import Findings
from tasks.pages import Section, blocks
from tasks.pages.blocks import code


def section(charter: Charter, found: Findings) -> Section:
    """The suspects with the evidence, and what the charter excludes already."""
    later = [c for c in charter.data.known_later if c != found.truth.field.name]
    excluded = blocks.prose(
        blocks.join(["Declared in ", code("data.known_later"), " and never features: "])
        + Markup(", ").join(code(column) for column in later)
        + "."
        if later
        else blocks.join(["Nothing is declared in ", code("data.known_later"), "."])
    )
    if not found.suspects:
        lead = "No other column looks as if it were known only together with the target."
        return Section("Suspected leaks", lead, excluded)
    named = ", ".join(suspect.column for suspect in found.suspects)
    notice = blocks.notice(
        "bad",
        f"Known only with the target? {named}",
        blocks.points(" ".join(suspect.sentences) for suspect in found.suspects),
        blocks.prose(
            blocks.join(
                ["Name each one in ", code("data.known_later"), " if it is known only after the ",
                 "prediction is made, or in ", code("data.known_before"), " if you vouch for it."]
            )
        ),
    )  # fmt: skip
    lead = "Columns that would make the model look good now and fail when it is used."
    return Section("Suspected leaks", lead, blocks.stack(notice, excluded))
