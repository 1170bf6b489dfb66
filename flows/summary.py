"""The end of a retrain, a replay, a rollback or a look, as a person reads it in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from flows.retrain import Retrained
from flows.terminal import console, say_end
from serving.home import place
from tasks.compare import Promotion
from tasks.evaluate import Measure
from tasks.monitor import Watched
from tasks.replay import Replayed
from tasks.rollback import RolledBack
from tasks.tidy import Tidied

SHOWN = 8
"""Columns of a look in the terminal; what has shifted is always there."""


def say_replayed(replayed: Replayed) -> None:
    """What each tick did, the frozen model against the loop, and where to look."""
    turns = Table.grid(padding=(0, 1))
    for turn in replayed.turns:
        turns.add_row(Text(f"  {turn.at:%Y-%m-%d}", "dim"), turn.outcome, Text(turn.reason, "dim"))
    console.print("\nThe schedule", turns, sep="\n")
    console.print(_months(replayed))
    where = {"page": place(replayed.page).as_uri(), "picture": place(replayed.picture).as_uri()}
    say_end(f"{replayed.project}: replayed in {replayed.seconds:.0f} s", where)


def _months(replayed: Replayed) -> Table:
    table = Table(title=f"\nFrozen against the loop: {replayed.metric}", title_justify="left",
                  box=None, pad_edge=False)  # fmt: skip
    table.add_column("month")
    for name in ("rows", "frozen", "loop", "gain", "95 % interval", "releases"):
        table.add_column(name, justify="right")
    for month in replayed.months:
        table.add_row(
            month.month, f"{month.rows:,}", number(month.frozen.value), number(month.loop.value),
            f"{month.gain.value:+.3f}", f"{month.gain.low:+.3f} to {month.gain.high:+.3f}",
            ", ".join(map(str, month.releases)),
        )  # fmt: skip
    table.add_row("mean", "", "", "", f"{replayed.gain:+.3f}", "", "", style="bold")
    return table


def say_retrained(retrained: Retrained, charter: Path) -> None:
    """Promoted, kept or skipped, why, and where to look."""
    console.print()
    if retrained.promotion is not None and retrained.promotion.gain is not None:
        console.print(_duel(retrained.promotion, retrained.promotion.gain))
    lines = {
        "why": retrained.reason,
        "asked by": retrained.asked,
        "live": "nothing" if retrained.live is None else f"release {retrained.live}",
        "history": place(retrained.page).as_uri(),
    }
    if retrained.promotion is not None:
        lines["comparison"] = place(retrained.promotion.page).as_uri()
        lines["go back"] = f"perennial rollback {charter}"
    style = {"promoted": "green", "canary": "yellow", "kept": "blue", "skipped": "dim"}[
        retrained.outcome
    ]
    say_end(f"{retrained.project}: {retrained.outcome}", lines, style)


def say_rolled_back(rolled: RolledBack) -> None:
    """What is live again."""
    lines = {
        "instead of": "nothing" if rolled.previous is None else f"release {rolled.previous}",
        "took": f"{rolled.seconds:g} s until the live pointer was moved",
        "history": place(rolled.page).as_uri(),
    }
    say_end(f"{rolled.project}: release {rolled.release} is live", lines)


def say_tidied(tidied: Tidied) -> None:
    """What went, and what takes how much room."""
    stores = Table(title="\nRoom", title_justify="left", box=None, pad_edge=False)
    stores.add_column("store")
    for name in ("MB", "freed MB", "removed"):
        stores.add_column(name, justify="right")
    for store in tidied.stores:
        name = f"{store.name} (of all projects)" if store.shared else store.name
        numbers = (f"{store.mb:,.1f}", f"{store.freed_mb:,.1f}", f"{store.removed:,}")
        stores.add_row(name, *numbers, style="dim" if store.shared else "")
    console.print(stores)
    lines = {verdict.gate: verdict.message for verdict in tidied.verdicts}
    if tidied.fewer_files:
        lines["tables"] = f"{tidied.fewer_files:,} files fewer, since small ones were put together"
    lines["disk"] = f"{tidied.free_gb:,.1f} GB free"
    say_end(f"{tidied.project}: {tidied.used_mb:,.1f} MB", lines)


def say_watched(watched: Watched, charter: Path) -> None:
    """What shifted, how good the answers are, which limits were crossed, and where to look."""
    console.print()
    if watched.findings:
        console.print(_drift(watched))
    if watched.measured or watched.expected:
        console.print(_performance(watched))
    console.print(_limits(watched))
    window = watched.window
    lines = {
        "rows": f"{window.rows:,}; the truth of {window.labelled:,} answers is known",
        "window": f"{window.since:%Y-%m-%d %H:%M} to {window.until:%Y-%m-%d %H:%M} UTC",
        "page": place(watched.page).as_uri(),
    }
    if watched.reason:
        lines["new model"] = f"perennial retrain {charter}"
    crossed = len(watched.alarms)
    said = f"{crossed} limit{'s' * (crossed > 1)} crossed" if crossed else "no limit crossed"
    title = f"{watched.project}, release {watched.release}: {said}"
    say_end(title, lines, "red" if crossed else "green")


def _drift(watched: Watched) -> Table:
    shown = max(SHOWN, sum(one.shifted for one in watched.findings))
    table = Table(title="Shifts since the training, largest first", title_justify="left", box=None,
                  pad_edge=False)  # fmt: skip
    table.add_column("column")
    for name in ("effect", "chance", "missing", "before", "unseen", "before"):
        table.add_column(name, justify="right")
    for one in watched.findings[:shown]:
        chance = "<0.001" if one.adjusted < 0.001 else f"{one.adjusted:.3f}"
        shares = (one.missing, one.missing_before, one.unseen, one.unseen_before)
        table.add_row(
            f"▲ {one.name}" if one.shifted else f"  {one.name}", f"{one.effect:.2f}", chance,
            *(f"{share:.1%}" for share in shares), style="bold red" if one.shifted else "",
        )  # fmt: skip
    rest = len(watched.findings) - shown
    if rest > 0:
        table.caption = Text(f"and {rest} more on the page", "dim")
    return table


def _performance(watched: Watched) -> Table:
    found = [one for one in (watched.measured, watched.expected) if one]
    table = Table(title=f"\nPerformance: {found[0].metric}", title_justify="left", box=None,
                  pad_edge=False)  # fmt: skip
    table.add_column("")
    for name in ("rows", "value", "95 % interval", "promised"):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(one.kind, f"{one.rows:,}", number(one.value),
                      f"{one.low:.4g} to {one.high:.4g}", number(one.promised))  # fmt: skip
    return table


def _limits(watched: Watched) -> Group:
    table = Table.grid(padding=(0, 1))
    for verdict in watched.verdicts:
        mark = (
            ("✓", "green") if verdict.passed else ("✗", "red") if verdict.stops else ("!", "yellow")
        )
        table.add_row(Text.assemble("  ", mark), Text(verdict.gate, "dim"), Text(verdict.message))
    return Group("\nLimits of the charter", table)


def _duel(promotion: Promotion, gain: Measure) -> Table:
    table = Table(
        title="Challenger against champion", title_justify="left", box=None, pad_edge=False
    )
    for name in (
        "champion",
        "rows",
        f"gain in {gain.name}",
        f"{100 * promotion.confidence:g} % interval",
    ):
        table.add_column(name, justify="right")
    table.add_row(
        f"release {promotion.champion}", f"{promotion.rows:,}", number(gain.value),
        interval(gain),
    )  # fmt: skip
    return table


def interval(measure: Measure) -> str:
    return f"{measure.low:.4g} to {measure.high:.4g}"


def number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}g}"
