"""The page of the service in chromium: its weight, and how soon the answer stands there.

    .venv/bin/python -m benchmarks.page [--times 5] [--releases DIR]

Each time a browser that has never been there opens the page (until the answer to the example is
painted), fills in a field and asks (until the new answer is). Without a releases folder, a boosted
model of 200 trees on nine columns. Medians; the browser runs on the same machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Request, sync_playwright

from benchmarks.service import make
from tasks.service import served


def once(browser: Browser, url: str) -> tuple[float, float, int]:
    """Milliseconds until the first answer and until the next one, and bytes on the wire."""
    context = browser.new_context()
    page, asked = context.new_page(), list[Request]()
    page.on("requestfinished", lambda request: asked.append(request))
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(".say").wait_for()
    page.evaluate("new Promise(requestAnimationFrame)")
    first = (time.perf_counter() - start) * 1e3
    page.wait_for_load_state("networkidle")
    weight = sum(
        sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))
        for request in asked
    )
    start = time.perf_counter()
    page.locator("#form [type=submit]").click()
    page.locator("#later:not([hidden])").wait_for()
    second = (time.perf_counter() - start) * 1e3
    context.close()
    return first, second, int(weight)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=5)
    options.add_argument("--releases", type=Path, help="a releases folder with a live release")
    options.add_argument("--chromium", default="/usr/bin/chromium")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = asked.releases
        if folder is None:
            make(Path(temporary))
            folder = Path(temporary) / "flights"
        journal = ("--journal", f"sqlite:///{temporary}/journal.db")
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        with served(folder, "the benchmark", journal) as service:
            found = [once(browser, f"http://127.0.0.1:{service.port}/") for _ in range(asked.times)]
        browser.close()
    first, second, weight = (statistics.median(column) for column in zip(*found, strict=True))
    print(f"first answer {first:.0f} ms, next one {second:.0f} ms, {weight / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
