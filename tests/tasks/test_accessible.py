"""The page of exploration for everybody: heard, walked by keyboard, dark, and on a phone.

What a browser would compute is computed here from the style sheet: contrast by the formula of WCAG
2.2 (1.4.3 for text, 1.4.11 for marks).
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from serving.home import place
from tasks import pages
from tasks.explore import explore
from tasks.pages.matrix import STRONGEST
from tests.browser import DESK, PHONE, browser
from tests.tasks.explored import charter, land

__all__ = ["browser"]

CSS = (Path(pages.__file__).parent / "page.css").read_text("utf-8")
ROWS = 900
Colour = tuple[float, float, float]
Attributes = dict[str, str | None]

TEXTS = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunken"), ("quiet", "paper"),
    ("quiet", "surface"), ("quiet", "sunken"), ("accent", "paper"), ("accent", "surface"),
    *((level, f"{level}-soft") for level in ("good", "warn", "bad")),
    *(("ink", f"{level}-soft") for level in ("good", "warn", "bad")),
]  # fmt: skip
"""Colours of texts and what they stand on."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every section and notice."""
    rng = np.random.default_rng(4)
    y = rng.random(ROWS) < 0.06
    gap = rng.random(ROWS) < np.where(y, 0.9, 0.3)
    hour = np.arange(ROWS) + 90 * (np.arange(ROWS) > 400)
    columns = {
        "at": [datetime(2024, 1, 1) + timedelta(hours=int(h)) for h in hour],
        "size": pa.array(
            np.where(np.arange(ROWS) % 50 == 1, -999.0, rng.normal(size=ROWS)), mask=gap
        ),
        "also": pa.array(rng.integers(0, 3, ROWS), mask=gap),
        "leak": np.where(y, "paid", "open"),
        "town": rng.choice(["north", "south"], ROWS),
        "y": y,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERENNIAL_HOME", str(tmp_path_factory.mktemp("accessible")))
        split = {"split": {"by": "random"}}
        profile = explore(charter(data={"time": "at"}, evaluation=split), land(columns))
        where = place(profile.page)
    html = where.read_text("utf-8")
    for words in ("a code for a missing value", "is rare", "Pauses", "Known only with the target"):
        assert words in html
    return where


@pytest.fixture(scope="module")
def page(file: Path) -> Walked:
    return Walked(file.read_text("utf-8"))


class Walked(HTMLParser):
    """The elements of a page in order, each with the elements around it and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[int] = []
        self.tags: list[str] = []
        self.attributes: list[Attributes] = []
        self.around: list[tuple[int, ...]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in ("meta", "link", "br"):
            self.open.append(len(self.tags) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        self.around.append(tuple(self.open))
        self.words.append("")

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for at in self.open:
            self.words[at] += data

    def all(self, *tags: str) -> list[int]:
        return [at for at, tag in enumerate(self.tags) if tag in tags]

    def inside(self, at: int, tag: str) -> list[int]:
        return [one for one in self.all(tag) if at in self.around[one]]


# --- heard


def test_headings_leave_no_level_out(page: Walked) -> None:
    levels = [int(page.tags[at][1]) for at in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(page.words[at].strip() for at in page.all("h1", "h2", "h3"))


def test_every_landmark_has_a_name_of_its_own(page: Walked) -> None:
    ids = {
        attributes["id"]: at for at, attributes in enumerate(page.attributes) if "id" in attributes
    }
    names = []
    for at, attributes in enumerate(page.attributes):
        if page.tags[at] == "section":
            names.append(page.words[ids[attributes["aria-labelledby"]]])
        elif page.tags[at] == "nav" or attributes.get("role") == "region":
            names.append(str(attributes["aria-label"]))
    assert all(names)
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1


def test_every_cell_can_be_told_by_its_headings(page: Walked) -> None:
    tables = page.all("table")
    assert len(tables) > 8
    for table in tables:
        assert page.words[page.inside(table, "caption")[0]].strip()
        (head,) = page.inside(table, "thead")
        columns = page.inside(head, "th")
        assert all(
            page.attributes[at]["scope"] == "col" and page.words[at].strip() for at in columns
        )
        (body,) = page.inside(table, "tbody")
        for row in page.inside(body, "tr"):
            (first,) = page.inside(row, "th")
            assert page.attributes[first]["scope"] == "row"
            assert page.words[first].strip()
            assert 1 + len(page.inside(row, "td")) == len(columns)


def test_a_table_that_is_laid_out_anew_on_a_phone_stays_a_table(page: Walked) -> None:
    # display: block or flex takes the meaning of table elements away, unless they say their role.
    roles = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
    wrapped = [at for at in page.all("table") if "wraps" in str(page.attributes[at].get("class"))]
    assert wrapped
    for table in wrapped:
        parts = [table, *(at for tag in roles for at in page.inside(table, tag))]
        assert all(page.attributes[at].get("role") == roles[page.tags[at]] for at in parts)
        assert {page.attributes[at].get("role") for at in page.inside(table, "th")} == {
            "columnheader", "rowheader",
        }  # fmt: skip


def test_every_chart_is_said_in_words_with_its_numbers(page: Walked) -> None:
    drawings = page.all("svg")
    assert len(drawings) > 10
    for at in drawings:
        attributes = page.attributes[at]
        assert attributes["role"] == "img"
        assert re.search(r"\d", str(attributes["aria-label"]))
        assert page.words[page.inside(at, "desc")[0]].strip()


def test_nothing_is_told_by_colour_alone(page: Walked) -> None:
    notices = [
        at for at, attributes in enumerate(page.attributes)
        if str(attributes.get("class")).startswith("notice ")
    ]  # fmt: skip
    assert len(notices) >= 3
    for at in notices:
        heading = page.inside(at, "p")[0]
        assert page.attributes[heading]["class"] == "notice-heading"
        assert page.words[heading].strip()


# --- walked by keyboard


def test_the_first_stop_leads_past_the_navigation(page: Walked) -> None:
    first, target = page.all("a")[0], page.all("main")[0]
    assert page.attributes[first] == {"class": "skip", "href": f"#{page.attributes[target]['id']}"}
    assert page.attributes[target]["tabindex"] == "-1"
    assert ".skip:focus" in CSS


def test_what_scrolls_can_be_reached_and_nothing_jumps_the_queue(page: Walked) -> None:
    scrolled = [at for at, one in enumerate(page.attributes) if one.get("class") == "scroll"]
    assert scrolled
    assert all(page.attributes[at]["tabindex"] == "0" for at in scrolled)
    assert {one.get("tabindex") for one in page.attributes} == {None, "0", "-1"}
    assert all(page.tags[page.around[at][-1]] == "details" for at in page.all("summary"))
    assert re.search(r":focus-visible \{ outline: 3px solid", CSS)
    assert "outline: none" not in CSS


# --- dark, and narrow


def colours(dark: bool) -> dict[str, Colour]:
    """The variables of the style sheet that are colours."""
    plain, darkened = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    found: dict[str, Colour] = {}
    for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", plain + (darkened if dark else "")):
        if re.fullmatch(r"#[0-9a-f]{6}", value):
            found[name] = (int(value[1:3], 16), int(value[3:5], 16), int(value[5:], 16))
        elif parts := re.fullmatch(r"(\d+), (\d+), (\d+)", value):
            found[name] = (int(parts[1]), int(parts[2]), int(parts[3]))
    return found


def contrast(one: Colour, other: Colour) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Colour) -> float:
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def over(top: Colour, below: Colour, opacity: float) -> Colour:
    red, green, blue = (opacity * a + (1 - opacity) * b for a, b in zip(top, below, strict=True))
    return red, green, blue


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_texts_and_marks_stand_out(dark: bool) -> None:
    colour = colours(dark)
    for text, ground in TEXTS:
        assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    for mark in (*(f"series-{at}" for at in range(1, 8)), "accent", "quiet"):
        assert contrast(colour[mark], colour["surface"]) >= 3, mark
        assert contrast(colour[mark], colour["sunken"]) >= 3, mark
    for cell in ("positive", "negative"):
        filled = over(colour[cell], colour["sunken"], STRONGEST)
        assert contrast(colour["ink"], filled) >= 4.5, cell


def test_the_formula_of_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


def test_a_phone_gets_charts_of_its_own_and_no_fixed_widths(page: Walked) -> None:
    assert "width=device-width" in str([page.attributes[at] for at in page.all("meta")])
    fixed = [
        at for at, attributes in enumerate(page.attributes)
        if re.search(r"width:\d{3,}px", str(attributes.get("style")))
    ]  # fmt: skip
    for at in fixed:  # what is wider than a phone scrolls inside of the page
        assert any(page.attributes[one].get("class") == "scroll" for one in page.around[at])
    for at in page.all("svg"):
        classes = [str(page.attributes[one].get("class")) for one in page.around[at]]
        wide = page.attributes[at]["class"] == "wide"
        assert not wide or {"only-wide", "scroll"} & set(classes)


# --- in a real browser


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_a_browser_finds_nothing_that_shuts_people_out(
    browser: Browser, file: Path, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
    )
    tab = context.new_page()
    tab.goto(file.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(tab).response
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
    assert len(found["passes"]) > 20
    assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(tuple(map(float, re.findall(r"\d+", paper)))) < 0.2) == (scheme == "dark")  # type: ignore[arg-type]
    context.close()


def test_the_keyboard_alone_leads_to_the_content_and_opens_what_is_folded(
    browser: Browser, file: Path
) -> None:
    tab = browser.new_page()
    tab.goto(file.as_uri())
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "Skip to the content"
    assert tab.locator(":focus").bounding_box()["x"] >= 0  # type: ignore[index]
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"
    for _ in range(30):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.parentElement.open")
    tab.close()
