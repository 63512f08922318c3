"""The whole product in a real browser: the page, the server, the application, the database, the drawn chart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.adapters.web import WebAdapter, WebPerson
from bot.app import App
from bot.drawing import Pen
from bot.server import Server
from storage.migrate import upgrade
from storage.outbox import TableOutbox
from storage.shelf import TableShelf
from storage.store import Database
from tests.talk import company, stock

from .test_playground import PHONE, pane, say, sideways

pytestmark = pytest.mark.browser
PEOPLE = [
    WebPerson("tom", "Tom Becker", "Sales rep", "en", "international"),
    WebPerson("raj", "Raj Patel", "Sales manager", "en", "international"),
    WebPerson("mia", "Mia Torres", "Sales director", "en", ""),
    WebPerson("fang", "王芳", "Sales rep", "zh", "china"),
    WebPerson("chen", "陈晓", "Sales manager", "zh", "china"),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the running product listens."""
    database = Database(f"sqlite:///{tmp_path / 'whole.db'}")
    upgrade(database)
    stock(database)
    web = WebAdapter(lambda: PEOPLE, TableShelf(database), "Brightwater")
    pen = Pen()
    app = App(books=database.turn, outbox=TableOutbox(database), company=company(), adapters=[web], draw=pen.draw)
    app.start()
    server = Server(web.routes, port=0)
    yield server.start()
    app.stop()
    server.stop()
    pen.close()
    database.close()


@pytest.fixture
def at_work(browser: Browser, address: str) -> Iterator[Page]:
    """The page with a rep, their manager and the director side by side."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{address}/?people=tom,raj,mia&view=three&language=en")
    yield page
    page.close()


def test_a_deal_is_ordered_approved_and_seen_without_a_reload(at_work: Page) -> None:
    say(at_work, "tom", "order 50 Pro seats for Acme at $20")
    rep = pane(at_work, "tom").locator("[data-card='order:1']")
    expect(rep.get_by_role("heading")).to_have_text("Order #1 · draft")
    rep.get_by_role("button", name="Submit").click()

    approver = pane(at_work, "raj").locator("[data-card='order:1']")
    expect(approver).to_contain_text("20% below list > 15%")
    approver.get_by_role("button", name="Approve").click()

    for card in (rep, approver):
        expect(card.get_by_role("heading")).to_have_text("Order #1 · approved")
        expect(card).to_contain_text("Approved by Raj Patel")

    say(at_work, "mia", "weekly sales")
    expect(pane(at_work, "mia").locator(".card")).to_contain_text("Weekly sales")
    chart = pane(at_work, "mia").locator("figure img")
    expect(chart).to_be_visible(timeout=30_000)
    assert chart.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 1200


def test_a_rejection_asks_for_its_reason_in_a_form(at_work: Page) -> None:
    say(at_work, "tom", "order 50 Pro seats for Acme at $20")
    pane(at_work, "tom").get_by_role("button", name="Submit").click()
    pane(at_work, "raj").get_by_role("button", name="Reject").click()
    form = at_work.get_by_role("dialog")
    form.get_by_label("Reason").fill("margin too thin")
    form.get_by_role("button", name="Reject").click()
    expect(pane(at_work, "tom").locator("[data-card='order:1']")).to_contain_text("margin too thin")


def test_markup_in_a_name_is_shown_as_it_is(at_work: Page) -> None:
    say(at_work, "tom", "order 5 Basic seats for <img src=x onerror=alert(1)> Ltd")
    expect(pane(at_work, "tom")).to_contain_text("Almost there")
    assert at_work.locator("img[src=x]").count() == 0


def test_the_whole_conversation_fits_a_phone_in_chinese(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(f"{address}/?people=fang&view=one&language=zh")
    say(page, "fang", "给星辰科技下单40套专业版，八折")
    card = pane(page, "fang").locator("[data-card='order:1']")
    expect(card).to_contain_text("星辰科技")
    card.get_by_role("button", name="提交").click()
    expect(card.get_by_role("heading")).to_have_text("订单 #1 · 待审批")
    assert sideways(page) == 0
    page.close()
