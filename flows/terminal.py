"""What a person at a terminal sees: the stages as they go, and a summary at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from charter import Refusal
from tasks.progress import Step, watched

console = Console(highlight=False)

FEW = 6
"""Words up to which a text is taken for an address or a command."""


class Stages:
    """The list of stages, done and running; renders itself for a live display."""

    def __init__(self) -> None:
        self._done: list[tuple[str, float, str]] = []
        self._now: Step | None = None
        self._since = time.monotonic()
        self._spinner = Spinner("dots")

    def see(self, step: Step) -> None:
        """Take note of a report; a finished stage goes to the list."""
        if self._now is None or self._now.stage != step.stage:
            self._since = time.monotonic()
        if step.finished:
            self._finish(step)
        else:
            self._now = step

    def _finish(self, step: Step) -> None:
        seconds = time.monotonic() - self._since
        self._done.append((step.stage, seconds, step.note))
        self._now = None
        if not console.is_terminal:
            console.print(_line(step.stage, seconds, step.note), soft_wrap=True)

    def __rich__(self) -> Group:
        lines = [_line(*done) for done in self._done]
        return Group(*lines, *([self._running(self._now)] if self._now else []))

    def _running(self, step: Step) -> Table:
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=step.total, completed=step.done, width=24)
        seconds = f"{time.monotonic() - self._since:.0f} s"
        shown = bar if step.total > 1 else Text("")
        row.add_row(self._spinner, Text(f"{step.stage:<9}", "bold"), seconds, shown, step.note)
        return row


def _line(stage: str, seconds: float, note: str) -> Text:
    return Text.assemble(
        ("✓ ", "green"), (f"{stage:<9}", "bold"), (f"{seconds:6.1f} s  ", "dim"), note
    )


@contextmanager
def stages() -> Iterator[None]:
    """Show the stages of a flow while it runs."""
    seen = Stages()
    with watched(seen.see):
        if not console.is_terminal:
            yield
            return
        with Live(seen, console=console, refresh_per_second=8):
            yield


def say_refusal(refusal: Refusal) -> None:
    """Where, what was found, what was wanted, what to do."""
    lines = {
        "where": refusal.where,
        "found": refusal.found.removeprefix("found "),
        "wanted": refusal.wanted.removeprefix("wanted "),
        "to do": refusal.remedy,
    }
    say_end("refused", lines, "yellow")


def say_end(title: str, lines: Mapping[str, str], style: str = "green") -> None:
    """A heading and named lines below it; an address or a command stays whole, to be followed."""
    console.print()
    console.print(Rule(Text(title, f"bold {style}"), align="left", style=style))
    names = max(map(len, lines))
    for name, text in lines.items():
        label = Text(f"{name:<{names}}  ", "dim")
        if len(text.split()) <= FEW:
            console.print(label + Text(text), soft_wrap=True)
        else:
            line = Table.grid()
            line.add_column(min_width=names + 2)
            line.add_row(label, Text(text))
            console.print(line)
