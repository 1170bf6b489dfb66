"""A person is shown the proposed edit of a suite, and asked."""

from __future__ import annotations

import sys

import click
from rich.rule import Rule
from rich.text import Text

from charter import Refusal
from flows.terminal import console
from tasks.accept import difference
from tasks.validation.proposal import Proposal

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def ask(proposal: Proposal, yes: bool) -> bool:
    """Show what was found, the edit in words and as a diff; whether it is to be written."""
    said = [*(f"found: {words}" for words in proposal.found), *proposal.edits]
    console.print(Rule(proposal.suite, align="left"))
    for line in said:
        console.print(Text(line))
    for line in difference(proposal):
        console.print(Text(line, COLOURS.get(line[:1], "")), soft_wrap=True)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Refusal(
            "perennial accept", "nobody can be asked", "wanted a terminal, or --yes", "Add --yes."
        )
    return click.confirm("Write it?")
