"""A real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tasks.rehearsal.runtime import runtime
from tests.debian import installed

PHONE, DESK = (390, 844), (1280, 900)
expect.set_options(timeout=30_000)  # what takes long on a busy machine is not wrong


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = installed("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def onnxruntime_web() -> Path:
    """The pinned runtime, kept in the checkout's own root between runs."""
    installed("npm", "npm")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PERENNIAL_HOME", raising=False)
        return runtime()
