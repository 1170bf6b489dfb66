"""The page in a real browser: ask, hear the answer, tell what happened, upload a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, expect

from serving import releases
from serving.journal import Journal
from tasks.service import served
from tests.browser import DESK, PHONE, browser
from tests.serving.conftest import Flights
from tests.serving.handmade import INPUTS, ROWS, SIGNATURE, bundle

__all__ = ["browser"]


@pytest.fixture
def page(browser: Browser, flights: Flights) -> Iterator[Page]:
    yield from _opened(browser, flights, DESK, "light")


def _opened(
    browser: Browser, flights: Flights, size: tuple[int, int], scheme: str
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light", locale="en-GB", timezone_id="UTC",
    )  # fmt: skip
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)  # fmt: skip
    page.goto(f"http://{flights.address}/")
    expect(page.locator(".chance")).to_have_count(2)
    yield page
    context.close()
    assert not wrong


def _ask(page: Page) -> str:
    """The id of the answer."""
    with page.expect_response("**/predict") as given:
        page.get_by_role("button", name="Get the answer").click()
    expect(page.locator("#which")).to_have_text("to what you filled in")
    return str(given.value.json()["id"])


def test_the_form_is_made_from_the_signature_and_asks_the_model(
    page: Page, flights: Flights
) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Will it be <late>?")
    distance = page.get_by_label("Distance")
    expect(distance).to_have_value("1089")
    expect(page.locator("#hint-0")).to_have_text("learned from 17 to 4983")
    expect(page.get_by_label("Time hour")).to_have_value("2013-01-01T05:00")
    assert page.get_by_label("Carrier").locator("option").all_inner_texts() == [
        "not known", "UA", "B6", "EV",
    ]  # fmt: skip
    distance.fill("200")
    page.get_by_label("Wind (mph)").fill("30")
    page.get_by_label("Holiday").select_option("yes")
    page.get_by_label("Time hour").fill("2013-07-01T17:00")
    page.get_by_label("Carrier").select_option("not known")
    _ask(page)
    (wanted,) = flights.client.post("/predict", json=[ROWS[1]]).json()
    expect(page.locator(".say")).to_have_text(wanted["say"])
    share = f"{100 * wanted['probabilities']['true']:.0f} %"
    expect(page.locator(".chance", has_text="late").first).to_contain_text(share)
    expect(page.locator("#answer")).to_contain_text("from a chance of 40 % on")
    most = flights.client.post("/reasons", json=ROWS[1]).json()[0]
    moved = f"Wind (mph) 30for it, {100 * most['moved']:.1f} points"
    expect(page.locator(".moves li").first).to_have_text(moved)


def test_what_is_wrong_is_said_beside_its_field(page: Page) -> None:
    distance = page.get_by_label("Distance")
    distance.fill("far")
    page.keyboard.press("Enter")
    problem = page.locator(".field", has=distance).locator(".problem")
    expect(problem).to_contain_text("Send a number")
    expect(distance).to_be_focused()
    expect(distance).to_have_attribute("aria-invalid", "true")
    distance.fill("1,089")  # a thousand, or one and a bit?
    page.keyboard.press("Enter")
    expect(problem).to_contain_text("Wanted a number")
    distance.fill("9000,5")
    _ask(page)
    expect(problem).to_have_text("Outside of what it learned from.")
    page.get_by_role("button", name="Back to the example").click()
    expect(page.locator("#which")).to_have_text("to the example")
    expect(problem).to_be_hidden()


def test_what_happened_is_told_at_once_or_on_a_later_day(page: Page, flights: Flights) -> None:
    first = _ask(page)
    expect(page.locator("#later [role=status]")).to_have_text(f"Its id is {first}.")
    page.locator("#later").get_by_role("button", name="not late").click()
    expect(page.locator("#later")).to_contain_text("The next training learns from it")
    second = _ask(page)
    expect(page.locator("#later [role=status]")).to_have_text(f"Its id is {second}.")
    page.reload()  # the device remembers
    expect(page.locator(".asked")).to_have_count(1)
    page.locator(".asked").get_by_role("button", name="late", exact=True).click()
    expect(page.locator("#told")).to_contain_text("Thank you")
    expect(page.locator(".asked")).to_have_count(0)
    page.get_by_label("Id of the answer").fill(first)
    page.get_by_label("What happened", exact=True).select_option("late")
    page.get_by_role("button", name="Tell", exact=True).click()
    expect(page.locator("#told")).to_contain_text("this replaces what was told before")
    known = {one.id: one.truth for one in Journal("flights", flights.journal).latest(10)}
    assert (known[first], known[second]) == ("true", "true")


def test_a_file_comes_back_with_its_answers(page: Page, flights: Flights, tmp_path: Path) -> None:
    rows = [*ROWS[1:3], *[{"distance": float(i)} for i in range(1_200)]]
    wanted = flights.client.post("/predict", json=rows).json()
    lines = ['note;distance;Wind (mph);holiday;time_hour;carrier\r\n"a ""b"";\nc";200;30.0;true;2013-07-01T17:00:00Z;NA',
             "é;1000;;;;B6", "x;far;;;;", *[f";{i}.0;;;;" for i in range(1_200)]]  # fmt: skip
    lines.insert(1, "\r\n" * 40_000)  # no letter beyond ASCII for longer than one piece
    lines += ["y;200", "Smith; John;200;30.0;true;2013-07-01T17:00:00Z;UA"]
    file = tmp_path / "many.csv"
    file.write_text("\r\n".join(lines), encoding="latin-1", newline="")
    page.locator("#file").set_input_files(file)
    link = page.get_by_role("link", name="Download the answers")
    link.wait_for()
    expect(page.locator("#result")).to_contain_text("1,202 rows answered; 3 refused")
    expect(page.locator("#result")).to_contain_text("Not used: note.")
    expect(page.locator("#result")).to_contain_text("it was read as windows-1252")
    expect(page.locator("#progress")).to_be_hidden()
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "many-answers.csv"
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    given = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [given[0]["note"], given[1]["note"]] == ['a "b";\nc', "é"]
    assert 'distance: "far"; wanted a number' in given[2]["problem"]
    assert [one["problem"] for one in given[-2:]] == [f"{n} cells where the first line has 6" for n in (2, 7)]  # fmt: skip
    answered = [one for one in given if not one["problem"]]
    assert [float(one["chance of late"]) for one in answered] == [one["probabilities"]["true"] for one in wanted]  # fmt: skip
    assert [one["say"] for one in answered] == [one["say"] for one in wanted]
    kept = {seen.id for some in Journal("flights", flights.journal).window(0, 2e10) for seen in some}  # fmt: skip
    assert {one["id"] for one in answered} <= kept


def test_names_and_levels_may_be_odd(browser: Browser, tmp_path: Path) -> None:
    distance, wind, *others, carrier = INPUTS
    odd = wind.model_copy(update={"name": "elements"})  # what a form calls its fields
    spaced = carrier.model_copy(update={"levels": (" UA", "B6")})
    signature = SIGNATURE.model_copy(update={"inputs": (distance, odd, *others, spaced)})
    releases.add(tmp_path / "odd", bundle(tmp_path / "1", signature=signature))
    releases.publish(tmp_path / "odd", 1, None)
    file = tmp_path / "odd.csv"
    file.write_text("distance,elements,carrier\n100, 7, UA\n100,8, NA \n")
    with served(tmp_path / "odd", "test", ("--journal", "off")) as service:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{service.port}/")
        with page.expect_request("**/predict") as asked:
            _ask(page)
        assert {"elements": 9.2, "carrier": " UA"}.items() <= json.loads(
            asked.value.post_data or ""
        ).items()
        with page.expect_request("**/predict") as asked:
            page.locator("#file").set_input_files(file)
        first, second = json.loads(asked.value.post_data or "")
        assert first == {"distance": "100", "elements": " 7", "carrier": " UA"}
        assert second == {"distance": "100", "elements": "8"}
        expect(page.locator("#result")).to_contain_text("2 rows answered")
        page.close()


def test_a_file_of_something_else_is_refused(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    page.locator("#file").set_input_files(file)
    expect(page.locator("#result")).to_contain_text("None of the columns a, b is known")
    file.write_text("carrier\nUA\n")
    page.locator("#file").set_input_files(file)
    expect(page.locator("#result")).to_contain_text("The column distance is missing")
    file.write_bytes("distance,carrier\n1,\u00e9\n2,\u00e9\n".encode()[:-2] + b"\n")
    page.locator("#file").set_input_files(file)
    expect(page.locator("#result")).to_contain_text("Line 3 of the file has a byte that is not")
    expect(page.get_by_role("link", name="Download the answers")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_the_page_shuts_nobody_out(
    browser: Browser, flights: Flights, size: tuple[int, int], scheme: str
) -> None:
    for page in _opened(browser, flights, size, scheme):
        _ask(page)
        page.get_by_label("Distance").fill("")
        page.keyboard.press("Enter")
        expect(page.locator(".problem:not([hidden])")).to_have_count(1)
        expect(page.locator("#history li.took").first).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert not [(one["id"], one["nodes"][0]["html"]) for one in found]
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0]


def test_it_is_light_and_comes_from_one_place(browser: Browser, flights: Flights) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))
    page.goto(f"http://{flights.address}/", wait_until="networkidle")
    assert {request.url.split("/")[2] for request in asked} == {flights.address}
    weight = sum(request.sizes()["responseBodySize"] for request in asked)
    assert 10_000 < weight < 200_000
    context.close()


def test_everything_is_reached_with_the_keyboard(page: Page) -> None:
    seen = set()
    page.locator("body").press("Tab")
    for _ in range(40):
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        page.keyboard.press("Tab")
    assert {"Skip to the form", "in-0", "in-4", "file", "id", "truth"} <= seen
    assert {"Get the answer", "template", "Tell"} <= seen
