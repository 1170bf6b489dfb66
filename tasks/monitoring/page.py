"""The look as a page: what is wrong first, then the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from charter import Charter
from tasks import metrics
from tasks.auditing.sections import treated
from tasks.monitoring.drift import LEAST, Finding
from tasks.monitoring.looks import Look
from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables
from tasks.pages.charts import Course
from tasks.pages.figures import number, share
from tasks.pages.pairs import overlay

if TYPE_CHECKING:
    from tasks.monitor import Watched
    from tasks.monitoring.performance import Performance

SHOWN = 6
"""Columns that are drawn."""
LEVELS = 9
"""Texts that are drawn, the most frequent ones."""


def write(charter: Charter, watched: Watched, looks: Sequence[Look]) -> None:
    """Write the page to the place that the record names."""
    sections = [_verdicts(watched), _drift(charter, watched), _performance(watched)]
    sections += treated(watched.groups, "answers whose truth is known") if watched.groups else []
    sections += [_service(charter, watched)] if watched.health.requests else []
    sections += [_history(looks)] if len(looks) > 1 else []
    html = render(
        title=f"{watched.project}: monitor",
        subtitle=charter.goal.question,
        project=watched.project,
        facts=_facts(charter, watched),
        sections=sections,
        links=siblings("Monitor", watched.project),
        footer=f"Release {watched.release}; rows from {_moment(watched.window.since)} to "
        f"{_moment(watched.window.until)} UTC.",
    )
    keep(watched.page, html)


def _facts(charter: Charter, watched: Watched) -> list[Fact]:
    window, found = watched.window, watched.measured or watched.expected
    largest = max(watched.findings, key=lambda one: one.effect, default=None)
    limit = charter.runtime.drift.effect
    oldest = charter.runtime.max_age
    rows = f"{_moment(window.since)} to {_moment(window.until)} UTC"
    return [
        Fact("rows in the window", f"{window.rows:,}", rows),
        Fact("largest shift", "–" if largest is None else f"{largest.effect:.2f}",
             f"too few rows: {LEAST} are needed" if largest is None
             else f"{largest.name}; alarm from {limit:g}"),
        Fact(found.metric if found else "performance", number(found.value) if found else "–",
             f"{found.kind}; the scorecard promised {number(found.promised)}" if found
             else "too little truth is known"),
        Fact("age of the model", _days(watched.age_days),
             f"release {watched.release}" + (f"; at most {oldest}" if oldest else "")),
        Fact("failed requests", share(watched.health.failing) if watched.health.requests else "–",
             f"of {watched.health.requests:,}"),
    ]  # fmt: skip


def _verdicts(watched: Watched) -> Section:
    alarms = [alarm.reason for alarm in watched.alarms]
    body = [tables.verdicts(watched.verdicts, "Limits of the charter")]
    if alarms:
        count = "1 limit was" if len(alarms) == 1 else f"{len(alarms)} limits were"
        body = [blocks.notice("bad", f"{count} crossed", blocks.points(alarms)), *body]
    elif any(not verdict.passed for verdict in watched.verdicts):
        body = [
            blocks.notice("warn", "No limit was crossed, but not everything could be seen"),
            *body,
        ]
    else:
        body = [blocks.notice("good", "No limit was crossed"), *body]
    return Section("Verdict", _asked(watched), blocks.stack(*body))


def _asked(watched: Watched) -> str:
    window = watched.window
    said = (
        f"{window.rows:,} rows were looked at; the live release answered {window.answered:,} of "
        f"them, and the truth of {window.labelled:,} of its answers is known."
    )
    if window.unreadable:
        said += f" {window.unreadable:,} rows do not fit the model and were left out."
    return said


def _drift(charter: Charter, watched: Watched) -> Section:
    if not watched.findings:
        return Section(
            "Drift", next(v.message for v in watched.verdicts if v.gate == "runtime.drift")
        )
    limit = charter.runtime.drift
    shifted = [one for one in watched.findings if one.shifted]
    drawn = shifted[:SHOWN] or list(watched.findings[:2])
    heading = "What shifted, before and now" if shifted else "The largest shifts, before and now"
    lead = (
        "The effect is the Jensen-Shannon distance to the rows before the release, less what a "
        "window of this size and these days has without any drift. An alarm needs an effect of "
        f"{limit.effect:g} that is no chance: of 100 looks without drift, at most "
        f"{100 * limit.false_alarm_rate:g} raise one, over all columns together."
    )
    return Section(
        "Drift",
        lead,
        blocks.stack(
            _effects(watched.findings, limit.effect),
            blocks.subheading(heading),
            _legend(),
            blocks.beside(*[_overlay(one) for one in drawn]),
            blocks.fold("Every column as a table", _table(watched.findings)),
        ),
    )


def _effects(found: Sequence[Finding], limit: float) -> Markup:
    """The largest effects; what has shifted is marked in words."""
    ordered = sorted(found, key=lambda one: -one.effect)[:15]
    top = max(1.15 * ordered[0].effect, 1.5 * limit)
    items = [(f"▲ {one.name}" if one.shifted else one.name, one.effect) for one in ordered]
    return charts.bars(
        "Effect of each column", items, shown=lambda value: f"{value:.2f}", top=top, wide=True,
        caption=f"▲ has shifted: the effect is at least {limit:g} and no chance.",
    )  # fmt: skip


def _legend() -> Markup:
    return Markup(
        '<p class="legend"><span class="s1">now</span><span class="s-before">before the release'
        "</span></p>"
    )


def _overlay(one: Finding) -> Markup:
    names, before, now, apart = _bins(one) if _is_number(one) else _levels(one)
    if _is_number(one):
        edges, short = f"Bins with equal shares before, {_span(one)}.", _ends(names)
    else:
        edges, short = "", names
    chance = "below 0.001" if one.adjusted < 0.001 else f"{one.adjusted:.2g}"
    words = f"Effect {one.effect:.2f}, chance {chance}. {edges}"
    return overlay(one.name, short, before, now, apart=apart, caption=words.strip())


def _is_number(one: Finding) -> bool:
    return "below" in one.cells


def _bins(one: Finding) -> tuple[list[str], list[float], list[float], int]:
    """Bins from low to high, below and above outside of them, missing aside."""
    last = len(one.cells) - 3
    order = [last, *range(last), last + 1, last + 2]
    used = [at for at in order if at < last or one.now[at] or one.before[at]]
    apart = int(used[-1] == last + 2)
    return (*_picked(one, used), apart)


def _levels(one: Finding) -> tuple[list[str], list[float], list[float], int]:
    """The most frequent texts, before or now; what is left out joins the others."""
    special = [at for at, name in enumerate(one.cells) if name in ("other", "unseen", "missing")]
    plain = [at for at in range(len(one.cells)) if at not in special]
    plain.sort(key=lambda at: -max(one.now[at], one.before[at]))
    used = [at for at in special if one.now[at] or one.before[at]]
    names, before, now = _picked(one, [*plain[:LEVELS], *used])
    rest = plain[LEVELS:]
    if rest and "other" in names:
        at = names.index("other")
        before[at] += sum(one.before[place] for place in rest)
        now[at] += sum(one.now[place] for place in rest)
    return names, before, now, len(used)


def _picked(one: Finding, places: Sequence[int]) -> tuple[list[str], list[float], list[float]]:
    return (
        [one.cells[at] for at in places],
        [one.before[at] for at in places],
        [one.now[at] for at in places],
    )


def _span(one: Finding) -> str:
    """From the smallest to the largest value that training saw."""
    bins = one.cells[:-3]
    return f"{bins[0].split(' to ')[0]} to {bins[-1].split(' to ')[-1]}" if bins else "none"


def _ends(names: Sequence[str]) -> list[str]:
    """Only what is no bin is named under the bars; the caption tells the ends."""
    return [name if name in ("below", "above", "missing") else "" for name in names]


def _table(found: Sequence[Finding]) -> Markup:
    heads = ("column", "effect", "distance", "usual up to", "chance", "missing", "before",
             "unseen", "expected")  # fmt: skip
    rows = [
        (
            f"▲ {one.name}" if one.shifted else one.name, f"{one.effect:.3f}",
            f"{one.distance:.3f}", f"{one.usual:.3f}",
            "<0.001" if one.adjusted < 0.001 else f"{one.adjusted:.3f}",
            share(one.missing), share(one.missing_before), share(one.unseen),
            share(one.unseen_before),
        )
        for one in found
    ]  # fmt: skip
    return tables.table("Columns of the window against those before the release", heads, rows)


def _performance(watched: Watched) -> Section:
    known, guessed = watched.measured, watched.expected
    found = [one for one in (known, guessed) if one]
    if not found:
        said = "Too little truth is known to measure, and too few answers to estimate."
        return Section("Performance", said)
    larger = "larger" if metrics.greater_is_better(found[0].metric) else "smaller"
    lead = (
        f"{found[0].metric}, {larger} is better, with 95 % intervals over days where there are "
        "enough of them. Measured where the truth is known; estimated from the answers alone, "
        "which sees other inputs but not that the same inputs mean something else."
    )
    items = [(one.kind, one.value, one.low, one.high) for one in found]
    promised = found[0].promised
    body = [
        charts.intervals(
            f"{found[0].metric}; the line marks what the scorecard promised, {number(promised)}",
            items, mark=promised, wide=True,
        ),
        _course(known) if known and len(known.course) > 1 else "",
        tables.table(
            "Metric", ("", "rows", "value", "95 % interval", "promised", "behind"),
            [(one.kind, one.rows, number(one.value), figures.interval(one.low, one.high),
              number(one.promised), number(one.fall)) for one in found],
        ),
    ]  # fmt: skip
    return Section("Performance", lead, blocks.stack(*body))


def _course(known: Performance) -> Markup:
    points = known.course
    course = Course(
        "measured", [one.value for one in points],
        [one.low for one in points], [one.high for one in points],
    )  # fmt: skip
    promised = Course("promised", [known.promised] * len(points))
    return charts.line(
        f"{known.metric} by day of the prediction", [one.first[5:] for one in points],
        [course, promised],
        caption="The band is the 95 % interval; days with few rows are taken together.",
    )  # fmt: skip


def _service(charter: Charter, watched: Watched) -> Section:
    service = watched.health
    names = [figures.moment(one.begins)[5:] for one in service.course]
    limit = charter.constraints.latency_p99_ms
    lead = (
        f"{service.requests:,} requests: {service.failed:,} failed, {service.refused:,} were "
        f"refused because the client was wrong. Half took at most {number(service.p50_ms)} ms, "
        f"99 of 100 at most {number(service.p99_ms)} ms; the charter allows {number(limit)} ms."
    )
    slow = charts.line(
        "Milliseconds of a request", names,
        [Course("99 of 100", [one.p99_ms for one in service.course]),
         Course("half", [one.p50_ms for one in service.course])],
        zero=True,
    )  # fmt: skip
    busy = charts.line(
        "Requests", names, [Course("requests", [float(one.requests) for one in service.course])],
        zero=True,
    )  # fmt: skip
    return Section("Service", lead, blocks.stack(slow, busy) if len(names) > 1 else Markup(""))


def _history(looks: Sequence[Look]) -> Section:
    names = [figures.moment(look.until)[5:] for look in looks]
    effect = charts.line(
        "Largest effect of each look", names, [Course("effect", [one.effect for one in looks])],
        zero=True,
    )  # fmt: skip
    metric = charts.line(
        "Metric of each look", names,
        [Course("measured", [one.value for one in looks]),
         Course("estimated", [one.expected for one in looks])],
    )  # fmt: skip
    rows = [
        (figures.moment(one.until), one.release, one.rows,
         "; ".join(one.alarms) or "no limit crossed")
        for one in reversed(looks[-20:])
    ]  # fmt: skip
    heads = ("when", "release", "rows", "what was found")
    body = blocks.stack(effect, metric, tables.table("The latest looks", heads, rows, wrap=True))
    return Section("Earlier looks", f"{len(looks)} looks, the newest at the right.", body)


def _moment(at: datetime) -> str:
    return figures.moment(at.timestamp() // 60 * 60)


def _days(days: float) -> str:
    return f"{24 * days:.0f} h" if days < 2 else f"{days:.0f} days"
