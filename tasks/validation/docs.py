"""Data Docs: Great Expectations' own page of one result, inside our frame and without its scripts.

Its page loads a dozen scripts and styles and a tracking picture from elsewhere; the sections that
it renders are kept, the page around them is ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from markupsafe import Markup

from charter import Verdict
from tasks.pages import Fact, Section, keep, render, tables
from tasks.validation.expectation import COLUMNS
from tasks.validation.judge import great_expectations
from tasks.validation.tally import VALUES, Tally

MOST = 600
"""Expectations on the page; of more, those that every row meets give way first."""
STYLE = Path(__file__).parent / "docs.css"
KIND = {"row": "row rule", "table": "table rule", "warning": "warning"}
MET = '<span class="badge good">✓ met</span>'
NOT_MET = '<span class="badge bad">✕ not met</span>'


def write_docs(
    where: str,
    project: str,
    suite: str,
    facts: Sequence[Fact],
    verdicts: Sequence[Verdict],
    tallies: Sequence[Tally],
) -> str:
    """Write the page to `where`, relative to the root, and return `where`."""
    shown = _shown(tallies)
    rendered = _rendered(project, shown)
    style = Markup("<style>{}</style>").format(Markup(STYLE.read_text(encoding="utf-8")))
    lead = f"What the suite {suite} and the charter asked, and what the rows answered."
    first = Section("Verdicts", lead, style + tables.verdicts(list(verdicts)))
    html = render(
        title="Data Docs",
        subtitle="Which rows are fit, judged by Great Expectations.",
        project=project,
        facts=facts,
        sections=[first, *rendered, *_left(len(tallies) - len(shown), suite)],
    )
    return keep(where, html)


def _shown(tallies: Sequence[Tally]) -> Sequence[Tally]:
    """At most `MOST`, in their order."""
    if len(tallies) <= MOST:
        return tallies
    urgent = sorted(range(len(tallies)), key=lambda at: (tallies[at].met, not tallies[at].broken))
    return [tallies[at] for at in sorted(urgent[:MOST])]


def _left(left: int, suite: str) -> list[Section]:
    if not left:
        return []
    said = (
        f"{left:,} expectations are left out here, those that are met first. {suite} has them all."
    )
    return [Section("Not on this page", said)]


def _rendered(project: str, tallies: Sequence[Tally]) -> list[Section]:
    great_expectations()
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaSectionView

    met = [tally.met for tally in tallies]
    result = ExpectationSuiteValidationResult(
        success=all(met),
        suite_name=project,
        results=[_result(tally) for tally in tallies],
        statistics={
            "evaluated_expectations": len(met),
            "successful_expectations": sum(met),
            "unsuccessful_expectations": len(met) - sum(met),
            "success_percent": 100 * sum(met) / max(len(met), 1),
        },
        meta={"run_id": {"run_name": project, "run_time": "1970-01-01T00:00:00+00:00"}},
    )
    renderer: Any = ValidationResultsPageRenderer()
    view: Any = DefaultJinjaSectionView()
    sections = []
    for section in renderer.render(result).sections[1:]:  # the first is an overview
        section.content_blocks = section.content_blocks[1:]  # the first repeats the heading
        html = view.render({"section": section.to_json_dict(), "section_loop": {"index": 1}})
        name = str(section.section_name)
        sections.append(Section(name, _kinds(name, tallies), _ours(html)))
    return sections


def _kinds(section: str, tallies: Sequence[Tally]) -> str:
    """How many of each kind are in this section, a column or the table, and what they stand on."""
    names = {column for tally in tallies for column in tally.expectation.columns}
    here = [
        (tally.expectation.kind, tally.basis)
        for tally in tallies
        if (tally.expectation.columns == (section,))
        or (section not in names and len(tally.expectation.columns) != 1)
    ]
    counts = Counter(here)
    return ", ".join(
        f"{rules} {KIND[kind]}{'s' if rules > 1 else ''}{f' {basis}' if basis else ''}"
        for kind in KIND
        for (of, basis), rules in counts.items()
        if of == kind
    )


def _result(tally: Tally) -> Any:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    expectation = tally.expectation
    return ExpectationValidationResult(
        success=tally.met,
        expectation_config=ExpectationConfiguration(
            type=expectation.type, kwargs=dict(expectation.kwargs)
        ),
        result=_numbers(tally),
        exception_info={
            "raised_exception": False, "exception_message": None, "exception_traceback": None,
        },
    )  # fmt: skip


def _numbers(tally: Tally) -> dict[str, Any]:
    """The result without positions of rows: those are in the quarantine."""
    if not tally.by_row:
        return {} if tally.expectation.type == COLUMNS else dict(tally.observed)
    present = max(tally.elements - tally.missing, 1)
    # The library writes values into the page as they are.
    worst = [(escape(value), rows) for value, rows in tally.values.most_common(VALUES)]
    return {
        "element_count": tally.elements,
        "missing_count": tally.missing,
        "missing_percent": 100 * tally.missing / max(tally.elements, 1),
        "unexpected_count": tally.broken,
        "unexpected_percent": 100 * tally.broken / present,
        "unexpected_percent_nonmissing": 100 * tally.broken / present,
        "unexpected_percent_total": 100 * tally.broken / max(tally.elements, 1),
        "partial_unexpected_list": [value for value, _ in worst],
        "partial_unexpected_counts": [{"value": value, "count": n} for value, n in worst],
    }


def _ours(html: str) -> Markup:
    """The rendered section without scripts, addresses and ids, its signs as words."""
    html = re.sub(r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>", "", html, flags=re.S)
    html = re.sub(r'\s(?:href|src|onclick|style|id)="[^"]*"', "", html)
    html = re.sub(r'<i class="[^"]*text-success[^"]*"[^>]*></i>', MET, html)
    html = re.sub(r'<i class="[^"]*text-(?:danger|warning)[^"]*"[^>]*></i>', NOT_MET, html)
    return Markup('<div class="great">{}</div>').format(Markup(html))
