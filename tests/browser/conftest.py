"""A real headless Chromium in front of the page, with a small application behind it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from bot.adapters.web import WebAdapter
from bot.server import Server

from .fake import PEOPLE, FakeApp, FakeShelf

MISSING = "NO BROWSER: the playground is NOT tested. To test it: apt-get install chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    usual = "/usr/bin/chromium"
    return usual if os.access(usual, os.X_OK) else shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if chromium() is None:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(MISSING in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(MISSING, red=True, bold=True)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
    yield browser
    browser.close()


class Playground:
    """The page's server with everything behind it. `stop` and `start` take the server away and bring it back."""

    def __init__(self) -> None:
        self.shelf = FakeShelf()
        self.web = WebAdapter(lambda: PEOPLE, self.shelf, "Northwind Cloud")
        self.app = FakeApp(self.web)
        self.port = 0
        self.start()

    def start(self) -> None:
        self.web.start(self.app.receive)
        self._server = Server(self.web.routes, port=self.port)
        self.url = self._server.start()
        self.port = self._server.port

    def stop(self) -> None:
        self.web.stop()
        self._server.stop()

    def close(self) -> None:
        self.app.gate.set()
        self.stop()
        self.app.close()


@pytest.fixture
def playground() -> Iterator[Playground]:
    running = Playground()
    yield running
    running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, playground: Playground) -> Iterator[Page]:
    """The page, opened wide. Nothing it does may fail in the browser's console."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
    page.goto(playground.url)
    yield page
    assert errors == []
