"""A look at a canary, as a person reads it in the terminal."""

from __future__ import annotations

from rich.table import Table

from flows.summary import number
from flows.terminal import console, say_end
from serving.home import place
from tasks.decide import Decided


def say_decided(decided: Decided) -> None:
    """What became of the canary, both arms, and where to look."""
    console.print()
    if decided.arms:
        console.print(_arms(decided))
    live = "nothing" if decided.live is None else f"release {decided.live}"
    lines = {"why": decided.reason, "live": live, "page": place(decided.page).as_uri()}
    style = {"promoted": "green", "withdrawn": "yellow"}.get(decided.outcome, "blue")
    title = "no canary" if decided.canary is None else f"canary {decided.canary} {decided.outcome}"
    say_end(f"{decided.project}: {title}", lines, style)


def _arms(decided: Decided) -> Table:
    table = Table(title="Both releases", title_justify="left", box=None, pad_edge=False)
    table.add_column("release")
    for name in ("asked", "truth known", decided.metric, "failed", "p99 ms"):
        table.add_column(name, justify="right")
    for arm in decided.arms:
        value, p99 = ("" if one is None else number(one) for one in (arm.value, arm.p99_ms))
        table.add_row(
            f"{arm.release}{' (canary)' if arm.release == decided.canary else ''}",
            f"{arm.answered:,}", f"{arm.labelled:,}", value, f"{arm.failed:,}", p99,
        )  # fmt: skip
    return table
