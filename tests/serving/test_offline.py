"""The model on the user's device, in a real browser: offline and back, new releases, broken ones."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from charter import Refusal
from serving import releases, signing
from serving.device.runtime import PIN
from serving.journal import Journal, Seen
from serving.packing import pack_rows
from serving.predictor import Predictor
from serving.signing import PRIVATE, PUBLIC
from serving.site.routes import STATIC
from tasks.rehearsal.runtime import runtime
from tasks.service import served
from tests.browser import PHONE, browser, onnxruntime_web
from tests.serving.damage import DAMAGE
from tests.serving.handmade import ROWS, SIGNATURE, bundle

__all__ = ["browser", "onnxruntime_web"]

HERE = "is on this device and answers without a network"


@dataclass
class Place:
    """A service that comes and goes, at one address, and a browser that was there."""

    folder: Path
    port: int
    url: str
    context: BrowserContext
    running: ExitStack

    def start(self) -> None:
        options = ("--journal", self.url, "--port", str(self.port))
        self.running.enter_context(served(self.folder, "test", options))

    def offline(self) -> None:
        """Nothing answers any more, and the browser knows it."""
        self.running.close()
        self.context.set_offline(True)

    def online(self) -> None:
        self.start()
        self.context.set_offline(False)

    def release(self, number: int, **faults: float) -> None:
        made = bundle(self.folder.parent / f"b{number}", number / 10, device=True, **faults)  # type: ignore[arg-type]
        assert releases.add(self.folder, made) == number
        signing.sign(self.folder / str(number))

    def open(self) -> Page:
        """The page, once the model and the page itself are kept on this device."""
        page = self.context.new_page()
        page.goto(f"http://127.0.0.1:{self.port}/")
        expect(page.locator("#device-state")).to_contain_text(f"Release 1 {HERE}")
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        return page

    def journal(self) -> list[Seen]:
        return [one for some in Journal("flights", self.url).window(0, 1e11) for one in some]


@pytest.fixture
def place(
    browser: Browser, onnxruntime_web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    monkeypatch.setenv(PRIVATE, signing.generate().private)
    monkeypatch.delenv(PUBLIC, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    size = {"width": PHONE[0], "height": PHONE[1]}
    context = browser.new_context(viewport=size, locale="en-GB", timezone_id="UTC")  # type: ignore[arg-type]
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)  # fmt: skip
    with ExitStack() as running:
        one = Place(
            tmp_path / "flights", port, f"sqlite:///{tmp_path}/journal.db", context, running
        )
        one.release(1)
        releases.publish(one.folder, 1, None)
        (one.folder / PIN.name).symlink_to(onnxruntime_web)
        one.start()
        yield one
        context.close()
    assert not wrong


def _fill(page: Page) -> None:
    """The second row of `ROWS`."""
    page.get_by_label("Distance").fill("200")
    page.get_by_label("Wind (mph)").fill("30")
    page.get_by_label("Holiday").select_option("yes")
    page.get_by_label("Time hour").fill("2013-07-01T17:00")
    page.get_by_label("Carrier").select_option("not known")
    page.get_by_role("button", name="Get the answer").click()


def test_what_is_asked_and_told_offline_reaches_the_journal_once(place: Place) -> None:
    page = place.open()
    place.offline()
    page.reload()
    expect(page.locator("#device-state")).to_contain_text(f"Release 1 {HERE}")
    _fill(page)
    expect(page.locator("#which")).to_have_text("to what you filled in, made on this device")
    found = Predictor(place.folder / "1").predict(pack_rows(SIGNATURE, [ROWS[1]]))
    assert found.probabilities is not None
    share = f"{100 * found.probabilities[0, 1]:.0f} %"
    expect(page.locator(".chance", has_text="late").first).to_contain_text(share)
    page.locator("#later").get_by_role("button", name="not late").click()
    expect(page.locator("#later")).to_contain_text("Kept on this device")
    expect(page.locator("#device-state")).to_contain_text("2 records wait here")
    page.get_by_label("Distance").fill("far")
    page.keyboard.press("Enter")
    expect(page.locator(".problem:not([hidden])")).to_contain_text("Send a number")
    assert not Axe().run(page).response["violations"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    place.online()
    expect(page.locator("#device-state")).not_to_contain_text("handed over")
    page.reload()
    expect(page.locator("#device-state")).to_contain_text(f"Release 1 {HERE}")
    (seen,) = place.journal()
    sent = {"holiday": "true", "time_hour": "2013-07-01T17:00Z"}  # as the form has them
    assert json.loads(seen.row) == ROWS[1] | sent
    assert (seen.release, seen.truth) == (1, "false")
    assert json.loads(seen.answer or "")["probabilities"]["true"] == pytest.approx(found.probabilities[0, 1], abs=1e-9)  # fmt: skip
    counts = Journal("flights", place.url).counts()
    assert (counts.labelled, counts.duplicates, counts.orphans) == (1, 0, 0)


@pytest.mark.slow
def test_who_wants_it_is_answered_on_the_device_with_a_network_too(place: Place) -> None:
    page = place.open()
    page.get_by_label("Answer on this device").check()
    with page.expect_response("**/device/records") as handed:
        _fill(page)
    expect(page.locator("#which")).to_have_text("to what you filled in, made on this device")
    assert handed.value.json() == {"taken": 1, "refused": []}
    assert len(place.journal()) == 1


def _spoil(page: Page) -> None:
    """A bit of the model in use falls over on the disk of the device."""
    page.evaluate("""async () => {
        const open = indexedDB.open("perennial:flights");
        const base = await new Promise(done => { open.onsuccess = () => done(open.result); });
        const store = base.transaction("releases", "readwrite").objectStore("releases");
        const found = await new Promise(done => { const all = store.getAll(); all.onsuccess = () => done(all.result); });
        const live = found.at(-1);
        new Uint8Array(live.files["model.onnx"])[99] ^= 1;
        await new Promise(done => { store.put(live, live.number).onsuccess = done; });
        base.close();
    }""")


def test_a_new_release_installs_itself_and_the_one_before_is_kept(place: Place) -> None:
    page = place.open()
    place.release(2)
    releases.publish(place.folder, 2, 1)
    page.wait_for_function("fetch('/ready').then(one => one.json()).then(one => one.release === 2)")
    page.reload()
    expect(page.locator("#device-state")).to_contain_text(f"Release 2 {HERE}")
    _spoil(page)
    place.offline()
    page.reload()
    expect(page.locator("#device-state")).to_contain_text(f"Release 1 {HERE}")
    place.online()
    expect(page.locator("#device-state")).to_contain_text(f"Release 2 {HERE}")


@pytest.mark.slow
def test_a_release_that_fails_its_own_test_is_not_taken(place: Place) -> None:
    page = place.open()
    place.release(2, proof_off=1e-4)
    releases.publish(place.folder, 2, 1)
    page.wait_for_function("fetch('/ready').then(one => one.json()).then(one => one.release === 2)")
    page.reload()
    state = page.locator("#device-state")
    expect(state).to_contain_text("A newer release was not taken: it answers")
    expect(state).to_contain_text(f"Release 1 {HERE}")


@pytest.mark.slow
def test_a_first_release_that_fails_its_own_test_is_not_kept_and_the_page_says_so(
    place: Place,
) -> None:
    place.release(2, proof_off=1e-4)
    releases.publish(place.folder, 2, 1)
    page = place.context.new_page()
    page.goto(f"http://127.0.0.1:{place.port}/")
    page.wait_for_function("fetch('/ready').then(one => one.json()).then(one => one.release === 2)")
    page.reload()
    expect(page.locator("#device-state")).to_contain_text("The model is not kept here: it answers")
    _fill(page)
    expect(page.locator("#which")).to_have_text("to what you filled in")


def test_each_damage_is_refused_and_the_old_release_answers_on(
    place: Place, tmp_path: Path
) -> None:
    page = place.open()
    offered: list[Path] = []

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name == "release":
            offer = {
                "project": "flights",
                "release": 2,
                "manifest": f"{len(offered):064}",
                "keys": [],
            }
            route.fulfill(json=offer)
        elif (offered[-1] / name).exists():
            route.fulfill(body=(offered[-1] / name).read_bytes())
        else:
            route.fulfill(status=404)

    place.context.route("**/device/release**", answer)
    place.context.route("**/device/release/**", answer)
    for at, (name, (damage, _)) in enumerate(DAMAGE.items()):
        made = bundle(tmp_path / f"d{at}", at / 10, device=True)
        signing.sign(made)
        damage(made)
        offered.append(made)
        if name in ("unsigned", "no model"):  # there is no such file
            with page.expect_console_message(lambda said: "status 404" in said.text):
                page.evaluate("dispatchEvent(new Event('online'))")
        else:
            page.evaluate("dispatchEvent(new Event('online'))")
            page.wait_for_function(
                """wanted => new Promise(done => {
                    const open = indexedDB.open("perennial:flights");
                    open.onsuccess = () => {
                        const state = open.result.transaction("state").objectStore("state").get("refused");
                        state.onsuccess = () => { open.result.close(); done(wanted in (state.result ?? {})); };
                    };
                })""",
                arg=f"{len(offered):064}",
            )
    _fill(page)
    expect(page.locator("#which")).to_have_text("to what you filled in")
    expect(page.locator("#device-state")).to_contain_text("A newer release was not taken")
    expect(page.locator("#device-state")).to_contain_text(f"Release 1 {HERE}")


def test_the_page_names_the_runtime_that_is_pinned() -> None:
    script = (STATIC / "runner.js").read_text()
    for name in PIN.files:
        assert f'"/device/runtime/{PIN.version}/{name}"' in script


def test_a_package_that_is_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refusal, match=r"found no npm.*lay the package there"):
        runtime()
    (tmp_path / "runtime" / f"{PIN.name}.tgz").write_bytes(b"something else")
    with pytest.raises(Refusal, match="This is not"):
        runtime()
