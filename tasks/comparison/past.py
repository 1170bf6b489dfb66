"""The history of a project as a page: every training, retrain and rollback, newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables

if TYPE_CHECKING:
    from tasks.history import Entry

SHOWN = 500
"""Most entries on the page; the file has all."""
CHARTED = 24
STAYED = ("kept", "skipped", "canary", "withdrawn")
"""What leaves live what is."""


def write(project: str, entries: Sequence[Entry]) -> str:
    """`pages/<project>/history.html`."""
    html = render(
        title=f"{project}: history",
        subtitle="Every training, retrain and rollback",
        project=project,
        facts=_facts(entries),
        sections=[*_gains(entries), _table(entries)],
        links=siblings("History", project),
        footer=f"The same lines stand in releases/{project}/history.jsonl.",
    )
    return keep(f"pages/{project}/history.html", html)


def _facts(entries: Sequence[Entry]) -> list[Fact]:
    moves = [entry for entry in entries if entry.event not in STAYED]
    counts = Counter(entry.event for entry in entries)
    return [
        *(Fact("Live", f"release {last.release}", f"since {_day(last.at)}") for last in moves[-1:]),
        Fact("Retrains", str(counts["promoted"] + counts["kept"] + counts["skipped"]),
             ", ".join(f"{counts[name]} {name}" for name in ("promoted", "kept", "skipped"))),
        Fact("Rollbacks", str(counts["rolled back"])),
        *([Fact("Canaries", str(counts["canary"]), f"{counts['withdrawn']} withdrawn")]
          if counts["canary"] else []),
    ]  # fmt: skip


def _gains(entries: Sequence[Entry]) -> list[Section]:
    compared = [
        (f"{_day(entry.now or entry.at)} {entry.event}", entry.gain, entry.low, entry.high)
        for entry in entries
        if entry.gain is not None and entry.low is not None and entry.high is not None
        if len(entry.numbers) == 3  # each has a value
    ]
    if not compared:
        return []
    metric = next(entry.metric for entry in reversed(entries) if entry.numbers)
    chart = charts.intervals(
        f"By how much each challenger was better in {metric}",
        compared[: -CHARTED - 1 : -1], mark=0.0, wide=True,
    )  # fmt: skip
    lead = "A challenger is promoted when its whole interval lies above 0."
    return [Section("Champion against challenger", lead, chart)]


def _table(entries: Sequence[Entry]) -> Section:
    rows = [
        (
            _minute(entry.at), entry.event, _move(entry), entry.asked,
            "" if entry.now is None else _minute(entry.now), entry.why,
        )
        for entry in reversed(entries[-SHOWN:])
    ]  # fmt: skip
    heads = ("When (UTC)", "What", "Live release", "Asked by", "Done for", "Why")
    table = tables.table("Newest first", heads, rows, wrap=True)
    return Section("Everything that happened", "", blocks.stack(table))


def _move(entry: Entry) -> str:
    if entry.canary is not None:
        return f"{entry.release}, tried beside it {entry.canary}"
    if entry.event in STAYED or entry.previous is None:
        return figures.number(entry.release)
    return f"{entry.previous} → {entry.release}"


def _day(at: str) -> str:
    return at[:10]


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")
