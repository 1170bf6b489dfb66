"""Pages: complete, offline, and whatever stands in the data is shown and never run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

from charter import Verdict
from tasks.pages import (
    Fact,
    Link,
    Section,
    blocks,
    charts,
    figures,
    keep,
    render,
    siblings,
    tables,
)
from tasks.pages.axes import span, ticks

EVIL = '<script>alert("x")</script>'
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Checked(HTMLParser):
    """Refuses elements that do not nest; remembers attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def everything(name: str) -> str:
    """A page with each part once, `name` wherever the data may put a text."""
    verdict = Verdict(gate=name, passed=False, message=name)
    body = blocks.stack(
        blocks.prose(name),
        blocks.points([name]),
        blocks.notice("bad", name, blocks.strong(name)),
        blocks.fold(name, blocks.code(name), blocks.preformatted(name)),
        tables.verdicts([verdict]),
        tables.table(name, (name, "n"), [(name, 1), ("b", None)]),
        charts.histogram(name, (0, 1, 2), (3, 4), caption=name),
        charts.bars(name, [(name, 1.0), ("b", 0.0)]),
        charts.intervals(name, [(name, 0.5, 0.4, 0.6)], mark=0.5),
        charts.line(name, [name, "b"], [charts.Course(name, [1, 2], [0, 1], [2, 3])]),
        charts.convergence(name, [(0, 0.5, name), (1, 0.6, "b")]),
        charts.reliability(name, [(0.1, 0.2, 0.1, 0.3)]),
        charts.heat_map(name, [name, "b"], [[1.0, -0.5], [None, 1.0]], columns=[name, "c"]),
    )
    return render(
        title=name,
        subtitle=name,
        project=name,
        facts=[Fact(name, name, name)],
        sections=[Section(name, name, body), Section(name, name, name)],
        links=[Link(name, "other.html")],
        footer=name,
    )


def test_what_stands_in_the_data_is_shown_and_never_run() -> None:
    page = everything(EVIL)
    assert "<script" not in page
    assert EVIL in "".join(Checked(page).words)


def test_an_attribute_cannot_be_left_by_a_quote() -> None:
    seen = Checked(everything('" onclick="alert(1)" x="')).seen
    assert not [name for _, attributes in seen for name in attributes if name.startswith("on")]


def test_nothing_comes_from_elsewhere() -> None:
    page = everything("a")
    assert not re.search(r"https?://|//\w|src=|@import|url\(", page)
    assert "default-src 'none'" in page


def test_the_page_can_be_heard_and_walked_by_keyboard() -> None:
    checked = Checked(everything("a"))
    assert checked.all("html") == [{"lang": "en"}]
    assert len(checked.all("main")) == len(checked.all("h1")) == 1
    assert checked.all("nav")[0]["aria-label"]
    assert checked.all("a")[0] == {"class": "skip", "href": "#content"}
    assert all(attributes.get("scope") in ("col", "row") for attributes in checked.all("th"))
    drawings = checked.all("svg")
    assert drawings
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in drawings)
    assert len(checked.all("desc")) == len(drawings)
    ids = [attributes["id"] for _, attributes in checked.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(attributes["href"])[1:] for attributes in checked.all("a")}
    assert targets - {"ther.html"} <= set(ids)


def test_a_heading_that_stands_twice_has_two_anchors() -> None:
    page = render(title="t", sections=[Section("Same"), Section("Same")])
    assert 'id="same"' in page
    assert 'id="same-2"' in page


def test_the_style_knows_dark_and_narrow() -> None:
    page = everything("a")
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page


def test_keep_writes_in_one_step_below_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    assert keep("pages/x/a.html", "one") == "pages/x/a.html"
    keep("pages/x/a.html", "two")
    assert [path.name for path in (tmp_path / "pages/x").iterdir()] == ["a.html"]
    assert (tmp_path / "pages/x/a.html").read_text() == "two"


def test_numbers_stand_right_and_text_left() -> None:
    rows = [("a", 1234, "12.0 %", "word"), ("b", None, "–", "5 words")]
    table = tables.table("t", ("name", "n", "share", "text"), rows)
    assert table.count('<th scope="col" class="num">') == 2
    assert "1,234" in table


def test_an_empty_corner_is_no_heading() -> None:
    checked = Checked(tables.table("t", ("", "n"), [("a", 1)]))
    assert [attributes["scope"] for attributes in checked.all("th")] == ["col", "row"]
    assert len(checked.all("td")) == 2


def test_a_failed_gate_comes_first_and_says_so_in_words() -> None:
    verdicts = [
        Verdict(gate="fine", passed=True, message="m"),
        Verdict(gate="weak", passed=False, message="m", level="warn"),
        Verdict(gate="broken", passed=False, message="m"),
    ]
    table = tables.verdicts(verdicts)
    assert table.index("broken") < table.index("weak") < table.index("fine")
    assert [word in table for word in ("✕ failed", "! warning", "✓ passed")] == [True] * 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (336776, "336,776"),
        (0.64587, "0.646"),
        (-2.5, "−2.50"),
        (1e-7, "1.00e-07"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
        (True, "true"),
    ],
)
def test_numbers_are_written_as_people_read_them(value: float | None, shown: str) -> None:
    assert figures.number(value) == shown


def test_no_interval_is_one_dash() -> None:
    assert figures.interval(None, None) == "–"
    assert figures.interval(0.25, 0.5) == "0.250 to 0.500"


def test_a_share_that_is_nearly_nothing_is_not_nothing() -> None:
    told = [figures.share(value) for value in (0.0, 0.0001, 0.241, 0.9999, 1.0)]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in told] == [
        "0 %", "< 0.1 %", "24.1 %", "> 99.9 %", "100 %",
    ]  # fmt: skip


def test_moments_are_dates_unless_the_time_matters() -> None:
    assert figures.moment(1356998400) == "2013-01-01"
    assert figures.moment(1356998400 + 3660) == "2013-01-01 01:01"
    assert figures.moment(-1e20) != ""


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.05, 0.77) == [0.2, 0.4, 0.6]
    assert ticks(0, 1_000_000) == [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]
    assert ticks(3, 3) == [3]
    assert span([]) == (0.0, 1.0)
    assert span([None, 2.0]) == (1.5, 2.5)


def test_charts_draw_without_data() -> None:
    empty = [
        charts.bars("a", []),
        charts.intervals("a", []),
        charts.line("a", [], [charts.Course("x", [])]),
        charts.line("a", ["p"], [charts.Course("x", [None])]),
        charts.convergence("a", []),
        charts.reliability("a", []),
        charts.heat_map("a", [], []),
    ]
    for chart in empty:
        assert isinstance(chart, Markup)
        Checked(chart)
        assert "nan" not in chart


def test_the_best_so_far_follows_the_direction_of_the_metric() -> None:
    scores = [(0.0, 3.0, "a"), (1.0, 2.0, "a"), (2.0, 2.5, "a")]
    assert "best 2" in charts.convergence("t", scores, larger_is_better=False)
    assert "best 3" in charts.convergence("t", scores)


def test_a_histogram_needs_one_edge_more_than_counts() -> None:
    with pytest.raises(ValueError, match="2 counts need 3 edges"):
        charts.histogram("a", (0, 1), (1, 2))


def test_pages_link_to_those_of_a_training_and_to_what_run_time_made(root: Path) -> None:
    trained = ["Profile", "Recipe", "Study"]
    assert [link.text for link in siblings("Scorecard", "small")] == trained
    keep("pages/small/monitor.html", "seen")
    assert [link.text for link in siblings("Scorecard", "small")] == [*trained, "Monitor"]
    assert [link.href for link in siblings("Monitor", "small")][-1] == "scorecard.html"
