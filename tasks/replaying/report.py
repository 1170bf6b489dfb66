"""The page of a replay, and its picture as a file of its own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from serving.home import place
from tasks.pages import Fact, Section, charts, keep, render, tables
from tasks.pages.curves import Course
from tasks.pages.figures import number

if TYPE_CHECKING:
    from tasks.replay import Replayed

STYLE = """
text { font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; fill: #55645c; }
.title { font-size: 14px; font-weight: 600; fill: #14201a; }
.key { font-size: 12.5px; fill: #14201a; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: #dce3df; fill: none; } .axis { stroke: #55645c; fill: none; }
.s1 { --mark: #1c7d58; } .s2 { --mark: #3467b0; }
.curve { stroke: var(--mark); stroke-width: 2; fill: none; stroke-linejoin: round; }
.soft { fill: var(--mark); opacity: .16; }
.dot, .fill { fill: var(--mark); } .dot { stroke: #ffffff; stroke-width: 1.25; }
"""


def write(replayed: Replayed, question: str) -> None:
    """Write the page and the picture to the places that the record names."""
    sections = [_months(replayed), _turns(replayed)]
    html = render(
        title=f"{replayed.project}: replay",
        subtitle=question,
        project=replayed.project,
        facts=_facts(replayed),
        sections=sections,
        footer=f"Replayed in replays/{replayed.project}, beside what is live; "
        f"{replayed.requests:,} requests in {replayed.seconds:.0f} s.",
    )
    keep(replayed.page, html)
    _keep_picture(replayed)


def _facts(replayed: Replayed) -> list[Fact]:
    turns = [turn.outcome for turn in replayed.turns]
    return [
        Fact("gain", f"{replayed.gain:+.3f}", f"{replayed.metric}, mean over the months"),
        Fact("rows asked about", f"{replayed.rows:,}",
             f"{replayed.since:%Y-%m-%d} to {replayed.last:%Y-%m-%d}"),
        Fact("retrains promoted", f"{turns.count('promoted')} of {len(turns)}",
             f"{turns.count('kept')} kept, {turns.count('skipped')} skipped"),
    ]  # fmt: skip


def _months(replayed: Replayed) -> Section:
    lead = (
        "Both answered the same rows. The frozen model is the release that was live on the first "
        "day; the loop is what the schedule made of it, with the outcomes that had come by then."
    )
    rows = [
        (month.month, f"{month.rows:,}", number(month.frozen.value), number(month.loop.value),
         f"{month.gain.value:+.3f}", f"{month.gain.low:+.3f} to {month.gain.high:+.3f}",
         ", ".join(map(str, month.releases)))
        for month in replayed.months
    ]  # fmt: skip
    heads = ("month", "rows", "frozen", "loop", "gain", "95 % interval", "releases")
    table = tables.table(f"{replayed.metric} by month", heads, rows)
    return Section("Frozen against the loop", lead, Markup("{}{}").format(_chart(replayed), table))


def _turns(replayed: Replayed) -> Section:
    rows = [
        (f"{turn.at:%Y-%m-%d %H:%M}", turn.outcome, f"release {turn.release}", turn.reason)
        for turn in replayed.turns
    ]
    heads = ("tick (UTC)", "outcome", "answers from then on", "why")
    body = tables.table("What each tick of the schedule did", heads, rows, wrap=True)
    return Section("The schedule", "", body)


def _chart(replayed: Replayed) -> Markup:
    months = replayed.months
    courses = [
        Course("loop", [month.loop.value for month in months],
               [month.loop.low for month in months], [month.loop.high for month in months]),
        Course("frozen", [month.frozen.value for month in months],
               [month.frozen.low for month in months], [month.frozen.high for month in months]),
    ]  # fmt: skip
    caption = "Bands: 95 % bootstrap intervals."
    return charts.line(
        f"{replayed.metric} by month", [month.month for month in months], courses, caption=caption
    )


def _keep_picture(replayed: Replayed) -> None:
    path = place(replayed.picture)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(picture(replayed), encoding="utf-8")
    draft.replace(path)


def picture(replayed: Replayed) -> str:
    """The chart as an SVG that stands alone, on paper of its own."""
    found = re.search(r'<svg viewBox="0 0 (\d+) (\d+)".*?>(.*?)</svg>', _chart(replayed), re.DOTALL)
    assert found is not None
    width, height = int(found[1]), int(found[2])
    title = f"{replayed.project}: {replayed.metric} by month"
    key = f"gain {replayed.gain:+.3f} on average"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 24} {height + 64}" '
        f'width="{width + 24}" height="{height + 64}" role="img" aria-label="{title}; {key}">'
        f"<style>{STYLE}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="#ffffff"/>'
        f'<text x="20" y="28" class="title">{title}</text>'
        f'<g class="s1"><rect x="20" y="40" width="11" height="11" rx="3" class="fill"/></g>'
        f'<text x="37" y="50" class="key">loop: retrained by the schedule</text>'
        f'<g class="s2"><rect x="240" y="40" width="11" height="11" rx="3" class="fill"/></g>'
        f'<text x="257" y="50" class="key">frozen: as it was before</text>'
        f'<text x="{width + 8}" y="28" class="key end">{key}</text>'
        f'<g transform="translate(8 56)">{found[3]}</g></svg>\n'
    )
