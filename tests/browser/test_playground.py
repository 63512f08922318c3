"""What a person can do on the page, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, Route, ViewportSize, expect

from bot import messages as m

from .conftest import Playground
from .fake import DECIDE, order

pytestmark = pytest.mark.browser

PHONE: ViewportSize = {"width": 375, "height": 812}


def pane(page: Page, person: str) -> Locator:
    return page.locator(f"[data-person={person}]")


def say(page: Page, person: str, text: str) -> None:
    box = pane(page, person).get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def sideways(page: Page) -> int:
    """How many pixels the page could be scrolled sideways."""
    width = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert isinstance(width, int)
    return width


def test_three_people_with_different_roles_stand_side_by_side(page: Page) -> None:
    expect(page.locator(".pane")).to_have_count(3)
    for person in ("mia", "chen", "omar"):
        expect(pane(page, person)).to_be_visible()
    expect(page.get_by_text("can act as anyone at Northwind Cloud")).to_be_visible()
    assert sideways(page) == 0


def test_a_card_changes_in_place_for_everyone_when_one_decides(page: Page) -> None:
    say(page, "mia", "order 50 Pro seats")
    rep, approver = pane(page, "mia").locator(".card"), pane(page, "chen").locator(".card")
    expect(rep.get_by_role("button", name="Cancel the order")).to_be_visible()
    approver.get_by_role("button", name="Approve").click()

    for card in (rep, approver):
        expect(card).to_have_count(1)
        expect(card.get_by_role("heading")).to_have_text("Order 1042 approved")
        expect(card.get_by_role("button")).to_have_count(0)
        expect(card).to_contain_class("changed")


def test_a_tap_holds_the_buttons_until_it_is_answered(page: Page, playground: Playground) -> None:
    playground.app.gate.clear()
    say(page, "mia", "order 50 Pro seats")
    buttons = pane(page, "chen").locator(".card").get_by_role("button")
    expect(buttons).to_have_count(3)
    buttons.filter(has_text="Later").click()
    for button in buttons.all():
        expect(button).to_be_disabled()
    playground.app.gate.set()
    expect(buttons).to_have_count(0)
    # The button that had the focus is gone; writing can go on.
    expect(pane(page, "chen").get_by_role("textbox")).to_be_focused()


def test_a_form_is_asked_checked_and_sent(page: Page, playground: Playground) -> None:
    say(page, "mia", "order 50 Pro seats")
    pane(page, "chen").get_by_role("button", name="Decline").click()
    form = page.get_by_role("dialog", name="Decline order 1042")
    reason = form.get_by_label("Reason")
    expect(reason).to_be_focused()
    expect(reason).to_have_accessible_description("One sentence is enough.")

    form.get_by_role("button", name="Decline").click()  # required blanks are still empty
    expect(form).to_be_visible()
    reason.fill("Too cheap.\nAsk again in May.")
    form.get_by_label("What is wrong").select_option("The price")
    form.get_by_label("Highest discount").fill("12.5")
    form.get_by_role("button", name="Decline").click()

    expect(form).to_have_count(0)
    expect(pane(page, "mia").locator(".card .text")).to_have_text("Too cheap.\nAsk again in May.")
    sent = playground.app.arrived[-1]
    assert isinstance(sent, m.Form)
    assert sent.form == "decline:1042"
    assert sent.values == {"reason": "Too cheap.\nAsk again in May.", "kind": "price", "discount": "12.5", "copy": ""}


def test_escape_leaves_a_form_and_the_card_can_be_tapped_again(page: Page, playground: Playground) -> None:
    say(page, "mia", "order 50 Pro seats")
    decline = pane(page, "chen").get_by_role("button", name="Decline")
    decline.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(decline).to_be_enabled()
    assert not any(isinstance(one, m.Form) for one in playground.app.arrived)


def test_a_picture_can_be_enlarged_and_keeps_its_name(page: Page) -> None:
    say(page, "omar", "weekly sales")
    picture = pane(page, "omar").get_by_role("img", name="Weekly sales, rising")
    expect(picture).to_have_js_property("naturalWidth", 640)
    with page.expect_download() as download:
        pane(page, "omar").get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "weekly-sales-2026-W47.png"
    pane(page, "omar").get_by_role("button", name="Enlarge the picture").click()
    expect(page.get_by_role("dialog", name="Weekly sales, rising")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(
    "text",
    [
        "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">",
        "שלום, ההזמנה אושרה",
        "one\n  two\n\nthree",
        "&lt;b&gt; {{x}} ${1+1} `",
    ],
)
def test_whatever_is_said_is_text(page: Page, text: str) -> None:
    say(page, "mia", text)
    for place in (".own-text", ".bubble .text"):
        shown = pane(page, "mia").locator(place)
        expect(shown).to_have_attribute("dir", "auto")
        expect(shown).to_have_js_property("textContent", text)
        assert shown.inner_text() == text
    expect(page).to_have_title("Dealdesk playground")
    assert pane(page, "mia").locator(".log script, .log img").count() == 0


def test_very_long_words_wrap(page: Page) -> None:
    say(page, "mia", "x" * 3000)
    expect(pane(page, "mia").locator(".bubble")).to_be_visible()
    log = pane(page, "mia").get_by_role("log")
    assert log.evaluate("(box) => box.scrollWidth - box.clientWidth") == 0
    assert sideways(page) == 0


def test_a_private_notice_says_so_in_the_persons_language(page: Page) -> None:
    say(page, "mia", "secret")
    expect(pane(page, "mia").locator(".private")).to_contain_text("Only you can see this")
    say(page, "chen", "secret")
    expect(pane(page, "chen").locator(".private")).to_contain_text("仅你可见")


def test_a_reload_and_a_restart_show_the_same_conversation(page: Page, playground: Playground) -> None:
    say(page, "mia", "order 50 Pro seats")
    say(page, "omar", "weekly sales")
    expect(pane(page, "omar").get_by_role("img")).to_be_visible()
    for again in (playground.stop, playground.start, page.reload):
        again()
    expect(pane(page, "mia").locator(".own-text")).to_have_text("order 50 Pro seats")
    expect(pane(page, "chen").get_by_role("button", name="Approve")).to_be_visible()
    expect(pane(page, "omar").get_by_role("img")).to_be_visible()


def test_what_happened_while_the_line_was_away_is_there_again(page: Page, playground: Playground) -> None:
    say(page, "mia", "order 50 Pro seats")
    expect(pane(page, "chen").get_by_role("button", name="Approve")).to_be_visible()
    playground.stop()
    expect(page.get_by_text("this page comes back by itself")).to_be_visible()
    playground.web.send("web:mia", m.Reply(m.Card(text="Said while you were away.")))
    playground.start()
    expect(pane(page, "mia").get_by_text("Said while you were away.")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()


def test_what_cannot_be_sent_is_kept_and_sent_once(page: Page, playground: Playground) -> None:
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    playground.stop()
    say(page, "mia", "are you there?")
    alert = pane(page, "mia").get_by_role("alert")
    expect(alert).to_contain_text("Check that it is running")
    expect(pane(page, "mia").locator(".own-text")).to_have_text("are you there?")
    playground.start()
    alert.get_by_role("button", name="Try again").click()
    expect(pane(page, "mia").locator(".bubble")).to_have_text("are you there?")
    expect(pane(page, "mia").locator(".own-text")).to_have_count(1)


def test_an_answer_that_got_lost_is_asked_for_with_the_same_id(page: Page, playground: Playground) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/message", lose, times=1)
    say(page, "mia", "only once")
    pane(page, "mia").get_by_role("button", name="Try again").click()
    expect(pane(page, "mia").get_by_role("alert")).to_have_count(0)
    expect(pane(page, "mia").locator(".bubble")).to_have_count(1)
    assert len(playground.app.arrived) == 1


def test_while_an_answer_is_prepared_the_page_shows_it(page: Page, playground: Playground) -> None:
    playground.app.gate.clear()
    say(page, "mia", "slow")
    working = pane(page, "mia").get_by_text("Dealdesk is working")
    expect(working).to_be_attached()
    playground.app.gate.set()
    expect(pane(page, "mia").locator(".bubble")).to_have_text("slow")
    expect(working).to_have_count(0)


def test_keys(page: Page) -> None:
    box = pane(page, "mia").get_by_role("textbox")
    box.focus()
    page.keyboard.type("first")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    expect(box).to_have_value("")
    expect(pane(page, "mia").locator(".own-text")).to_have_text("first\nsecond")
    page.keyboard.press("ArrowUp")
    expect(box).to_have_value("first\nsecond")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_value("")


def test_enter_that_picks_a_chinese_candidate_does_not_send(page: Page) -> None:
    box = pane(page, "chen").get_by_role("textbox")
    box.fill("dingdan")
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(box).to_have_value("dingdan")
    expect(pane(page, "chen").locator(".own")).to_have_count(0)


def test_a_suggestion_fills_the_composer(page: Page) -> None:
    chips = pane(page, "chen").locator(".chip")
    expect(chips.first).to_have_text("有什么等我审批？")
    chips.first.click()
    expect(pane(page, "chen").get_by_role("textbox")).to_have_value("有什么等我审批？")
    expect(pane(page, "chen").get_by_role("textbox")).to_be_focused()


def test_another_person_is_chosen_with_the_keyboard(page: Page) -> None:
    page.get_by_role("button", name="Change person: Mia Torres").focus()
    page.keyboard.press("Enter")
    search = page.get_by_role("combobox", name="Find a name")
    expect(search).to_be_focused()
    page.keyboard.type("east")
    page.keyboard.press("Enter")
    expect(pane(page, "lena")).to_be_visible()
    expect(pane(page, "mia")).to_have_count(0)
    say(page, "lena", "hello")
    expect(pane(page, "lena").locator(".bubble")).to_have_text("hello")
    page.reload()
    expect(pane(page, "lena").locator(".bubble")).to_have_text("hello")


def test_a_file_is_sent(page: Page, playground: Playground) -> None:
    content: FilePayload = {"name": "线索.csv", "mimeType": "text/csv", "buffer": "name\n李丹".encode()}
    pane(page, "mia").locator("input[type=file]").set_input_files(content)
    expect(pane(page, "mia").locator(".own-text")).to_contain_text("线索.csv")
    expect(pane(page, "mia").locator(".bubble")).to_have_text("线索.csv: 11 bytes")
    sent = playground.app.arrived[-1]
    assert isinstance(sent, m.File)
    assert (sent.mime, sent.content.decode()) == ("text/csv", "name\n李丹")


def test_the_page_speaks_chinese(page: Page) -> None:
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="三人并排")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(pane(page, "mia").get_by_role("textbox")).to_have_attribute("placeholder", "发消息给 Dealdesk")


def test_what_is_new_is_announced_politely(page: Page) -> None:
    log = pane(page, "mia").get_by_role("log", name="Conversation of Mia Torres")
    expect(log).to_have_attribute("aria-live", "polite")


def test_a_reader_of_old_messages_is_not_torn_away(page: Page, playground: Playground) -> None:
    for number in range(30):
        playground.web.send("web:mia", m.Reply(m.Card(text=f"Line {number}")))
    log = pane(page, "mia").get_by_role("log")
    expect(log.get_by_text("Line 29")).to_be_in_viewport()
    log.evaluate("(box) => { box.scrollTop = 0 }")
    expect(log.get_by_text("Line 0", exact=True)).to_be_in_viewport()
    playground.web.send("web:mia", m.Reply(m.Card(text="The newest")))
    expect(log.get_by_text("Line 0", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="New messages").click()
    expect(log.get_by_text("The newest")).to_be_in_viewport()


def test_on_a_phone_one_person_is_shown_and_the_others_count_their_news(
    context: BrowserContext, playground: Playground
) -> None:
    page = context.new_page()
    page.set_viewport_size(PHONE)
    page.goto(playground.url)
    expect(page.locator(".pane")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_attached()
    say(page, "mia", "order 50 Pro seats")
    expect(pane(page, "mia").locator(".card")).to_be_visible()
    assert sideways(page) == 0

    switcher = page.get_by_role("navigation").get_by_role("button", name="陈思远")
    expect(switcher).to_contain_text("1 new")
    switcher.click()
    expect(switcher).not_to_contain_text("new")
    approve = pane(page, "chen").get_by_role("button", name="Approve")
    expect(approve).to_be_in_viewport()
    assert sideways(page) == 0
    pane(page, "chen").get_by_role("button", name="Decline").click()
    expect(page.get_by_role("dialog")).to_be_in_viewport(ratio=1)
    assert sideways(page) == 0


def test_dark_mode_is_dark(context: BrowserContext, playground: Playground) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto(playground.url)
    playground.web.send("web:mia", m.Reply(order(DECIDE), name="order:1042"))
    expect(pane(page, "mia").locator(".card")).to_have_css("background-color", "rgb(28, 33, 44)")
