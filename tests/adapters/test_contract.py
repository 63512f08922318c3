"""One contract for every platform: whatever is said is shown whole, split where it must be, and never dropped."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from rich.console import Console

from bot import messages as m
from bot.adapters.console import ConsoleAdapter
from bot.adapters.slack import SlackAdapter
from bot.adapters.telegram import TelegramAdapter
from bot.adapters.telegram.cards import decode
from bot.adapters.web import WebAdapter
from tests.adapters import slack_room, telegram_room, web_room
from tests.adapters.telegram_room import GROUP, MIA
from tests.adapters.web_room import PNG
from tests.fakes.slack import BOT, texts
from tests.fakes.slack_rules import words
from tests.fakes.telegram import Sent

GO = m.Button("Go", "go")
ASK = m.Ask(
    "order.reject:7",
    "Reject #7",
    (
        m.Input("reason", "Reason", "long", hint="The rep will see this."),
        m.Input("offer", "Counter-offer", "number"),
        m.Input("way", "Way out", "choice", options=(("later", "Ask again later"), ("drop", "Drop it"))),
        m.Input("note", "Remark", required=False),
    ),
    "Reject",
    text="Tell Tom what is missing.",
)
ANSWERS = {"reason": "margin too thin", "offer": "21.50", "way": "later", "note": ""}


class Stage(Protocol):
    """A platform in front of one person; `address` is their own, `own` whether what was said can be changed there."""

    adapter: m.Adapter
    address: str
    own: bool

    def text(self) -> str: ...
    def buttons(self) -> dict[str, str]: ...
    def pictures(self) -> list[bytes]: ...
    def vanish(self) -> None: ...
    def fill(self, ask: m.Ask, answers: dict[str, str]) -> tuple[str, m.Incoming]: ...
    def close(self) -> None: ...


class SlackStage:
    own = True
    address = "slack:U1"

    def __init__(self, _: Path) -> None:
        self.room = slack_room.SlackRoom()
        self.adapter: m.Adapter = self.room.adapter
        self.channel = self.room.slack.direct("U1")

    def _said(self) -> list[dict[str, Any]]:
        return [said for said in self.room.slack.standing(self.channel, seen_by="U1") if said["user"] == BOT]

    def text(self) -> str:
        comments = [file["comment"] for file in self.room.slack.files.values()]
        return "\n".join([*comments, *map(texts, self._said())])

    def buttons(self) -> dict[str, str]:
        blocks = [block for said in self._said() for block in said["blocks"] if block["type"] == "actions"]
        elements = [element for block in blocks for element in block["elements"]]
        return {element["text"]["text"]: element["action_id"].partition(":")[2] for element in elements}

    def pictures(self) -> list[bytes]:
        return [file["content"] for file in self.room.slack.files.values() if file["shared"] == self.channel]

    def vanish(self) -> None:
        for said in self._said():
            del self.room.slack.messages[said["channel"], said["ts"]]

    def fill(self, ask: m.Ask, answers: dict[str, str]) -> tuple[str, m.Incoming]:
        self.room.react = lambda it: m.Receipt(handled=True, ask=ask if isinstance(it, m.Tap) else None)
        self.adapter.send(self.address, m.Reply(m.Card(text="Card", buttons=(m.Button("Go", "go"),))))
        self.room.slack.press("U1", self._said()[-1], "Go")
        view = self.room.form(ask.title)
        shown = "\n".join(words(view))
        labels = {blank.name: dict(blank.options) for blank in ask.inputs}
        self.room.slack.submit("U1", view, {name: labels[name].get(it, it) for name, it in answers.items()})
        return shown, self.room.last(2)

    def close(self) -> None:
        self.room.close()


class TelegramStage:
    own = True
    address = f"telegram:{MIA}"

    def __init__(self, _: Path) -> None:
        self.room = telegram_room.Room()
        self.adapter: m.Adapter = self.room.adapter

    def _said(self) -> list[Sent]:
        return self.room.service.standing(MIA)

    def text(self) -> str:
        return "\n".join(said.text for said in self._said())

    def buttons(self) -> dict[str, str]:
        return {label: decode(data)[0] for said in self._said() for label, data in said.buttons.items()}

    def pictures(self) -> list[bytes]:
        return [said.file[2] for said in self._said() if said.file]

    def vanish(self) -> None:
        for said in self._said():
            self.room.service.delete(said)

    def fill(self, ask: m.Ask, answers: dict[str, str]) -> tuple[str, m.Incoming]:
        self.room.asks = lambda it: ask if isinstance(it, m.Message) else None
        service, shown = self.room.service, []
        service.types(MIA, "go")
        for blank in ask.inputs:
            question = service.said(MIA, blank.label)
            shown += [question.text, *question.buttons]
            label = dict(blank.options).get(answers[blank.name], "" if answers[blank.name] else "Skip")
            if label:
                service.presses(MIA, label, question)
            else:
                service.types(MIA, answers[blank.name], reply_to=question.id)
        return "\n".join([*shown, ask.submit]), self.room.until(2)[-1]  # the last answer sends it: no button for that

    def close(self) -> None:
        self.room.close()


class WebStage:
    own = True
    address = "web:mia"

    def __init__(self, _: Path) -> None:
        self.room = web_room.Room()
        self.adapter: m.Adapter = self.room.web

    def _cards(self) -> list[dict[str, Any]]:
        return [entry["reply"]["card"] for entry in self.room.standing("mia") if entry["kind"] == "out"]

    def text(self) -> str:
        alts = [entry["alt"] for entry in self.room.standing("mia") if entry["kind"] == "image"]
        return "\n".join([*_strings(self._cards()), *alts])

    def buttons(self) -> dict[str, str]:
        return {button["label"]: button["action"] for card in self._cards() for button in card["buttons"]}

    def pictures(self) -> list[bytes]:
        return [content for content, _ in self.room.shelf.kept.values()]

    def vanish(self) -> None:
        self.room.shelf.entries.clear()

    def fill(self, ask: m.Ask, answers: dict[str, str]) -> tuple[str, m.Incoming]:
        self.room.receipt = m.Receipt(handled=True, ask=ask)
        shown = "\n".join(_strings(self.room.post("tap", action="go").json()["ask"]))
        self.room.receipt = m.Receipt(handled=True)
        self.room.post("form", form=ask.name, values=answers)
        return shown, self.room.arrived[-1]

    def close(self) -> None:
        self.room.web.stop()


class ConsoleStage:
    own = False  # paper: a card that changes is printed again
    address = "console:mia"

    def __init__(self, folder: Path) -> None:
        self._paper, self._folder = io.StringIO(), folder
        self._console = ConsoleAdapter("mia", folder, Console(file=self._paper, width=120, highlight=False))
        self.adapter: m.Adapter = self._console
        self._arrived: list[m.Incoming] = []
        self._asks: m.Ask | None = None
        self.adapter.start(self._receive)

    def _receive(self, incoming: m.Incoming) -> m.Receipt:
        self._arrived.append(incoming)
        ask, self._asks = self._asks, None
        return m.Receipt(handled=True, ask=ask)

    def text(self) -> str:
        return re.sub(r"[│╭╮╰╯─]+", " ", self._paper.getvalue())

    def buttons(self) -> dict[str, str]:
        """Each label with what its number brings."""
        self._arrived.clear()
        shown = [button for button, _ in self._console._shown.buttons]
        found = dict(re.findall(r"\[(\d+)\]\s+(\S+)", self.text()))
        return {label: shown[int(number) - 1].action for number, label in found.items()}

    def pictures(self) -> list[bytes]:
        return [path.read_bytes() for path in self._folder.glob("*.png") if path.name in self.text().replace("\n", "")]

    def vanish(self) -> None:
        pass

    def fill(self, ask: m.Ask, answers: dict[str, str]) -> tuple[str, m.Incoming]:
        self._asks = ask
        lines = []
        for blank in ask.inputs:
            values = [value for value, _ in blank.options]
            lines.append(str(values.index(answers[blank.name]) + 1) if values else answers[blank.name])
        self._console.run(iter(["go", *lines]), lambda: None)
        return "\n".join([self.text(), ask.submit]), self._arrived[-1]  # the last line sends it

    def close(self) -> None:
        self.adapter.stop()


def _strings(value: object) -> Iterator[str]:
    """Every text in some JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


STAGES: dict[str, Callable[[Path], Stage]] = {
    "slack": SlackStage,
    "telegram": TelegramStage,
    "web": WebStage,
    "console": ConsoleStage,
}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    opened = STAGES[request.param](tmp_path)
    yield opened
    opened.close()


def shows(stage: Stage, *parts: str) -> None:
    """Every word of these stands there, in this order; only where the lines break is the platform's own affair."""
    shown, at = stage.text().split(), 0
    for word in " ".join(parts).split():
        assert word in shown[at:], f"{word!r} is not in {' '.join(shown)!r}"
        at = shown.index(word, at) + 1


def has(stage: Stage, *parts: str) -> None:
    """Every word of these stands there somewhere."""
    missing = set(" ".join(parts).split()) - set(stage.text().split())
    assert not missing, missing


def say(stage: Stage, **card: Any) -> str:
    return stage.adapter.send(stage.address, m.Reply(m.Card(**card), name="order:7"))


# ---------------------------------------------------------------- what is said


def test_plain_text(stage: Stage) -> None:
    say(stage, text="Nothing waits for you.")
    shows(stage, "Nothing waits for you.")
    assert stage.buttons() == {}


def test_a_card_with_everything(stage: Stage) -> None:
    say(
        stage,
        title="Order #7 · draft",
        text="Two lines\nof text",
        fields=(m.Field("Customer", "Acme Corp"), m.Field("Approval", "Waits for Raj\nThen Mia", wide=True)),
        table=m.Table(("Product", "Qty", "Amount"), (("Pro seat", "50", "$1,000.00"), ("Setup", "", ""))),
        note="A draft: nothing is binding yet.",
        buttons=(m.Button("Submit", "order.submit:7", "primary"), m.Button("Cancel", "order.cancel:7", "danger")),
        tone="waiting",
    )
    shows(stage, "Order #7 · draft")
    shows(stage, "Two lines of text")
    has(stage, "Acme Corp", "Waits for Raj", "Then Mia", "Product Qty Amount", "Pro seat 50 $1,000.00", "Setup")
    shows(stage, "A draft: nothing is binding yet.")
    assert stage.buttons() == {"Submit": "order.submit:7", "Cancel": "order.cancel:7"}


@pytest.mark.parametrize("part", ["text", "note", "field", "title"])
def test_ten_thousand_characters_are_all_there(stage: Stage, part: str) -> None:
    said = " ".join(f"word{number:05}" for number in range(1000))
    assert len(said) >= 9_999
    say(stage, **({"fields": (m.Field("Reason", said),)} if part == "field" else {part: said}), buttons=(GO,))
    shows(stage, said)
    assert stage.buttons() == {"Go": "go"}


def test_ten_thousand_characters_without_a_space_are_all_there(stage: Stage) -> None:
    said = "".join(f"{number:05}" for number in range(2000))
    say(stage, text=said)
    shown = re.sub(r"continued|more|below|\(\d+/\d+\)|\s", "", stage.text())
    assert said in shown


def test_a_table_of_sixty_lines_is_all_there(stage: Stage) -> None:
    rows = tuple((f"Product-{n:02}", f"{n}", f"${n * 25}.00") for n in range(1, 61))
    say(stage, title="Order #7", table=m.Table(("Product", "Qty", "Amount"), rows), buttons=(GO,))
    shows(stage, *(cell for row in rows for cell in row))
    assert stage.buttons() == {"Go": "go"}


def test_a_table_too_broad_for_a_telephone_is_all_there(stage: Stage) -> None:
    rows = tuple(tuple(f"r{row}c{column}-of-some-length" for column in range(8)) for row in range(5))
    head = tuple(f"Column-{column}" for column in range(8))
    say(stage, table=m.Table(head, rows))
    found = "".join(stage.text().split())
    folded = [cell for row in (head, *rows) for cell in row if cell not in found]
    assert not folded or not stage.own, folded  # a terminal folds a long cell into its column


def test_forty_buttons_are_all_there_and_each_brings_its_own_action(stage: Stage) -> None:
    buttons = tuple(m.Button(f"B{n:02}", f"order.show:{n}") for n in range(40))
    say(stage, text="Which?", buttons=buttons)
    assert stage.buttons() == {button.label: button.action for button in buttons}


def test_a_label_too_long_for_a_button_stands_whole_above_it(stage: Stage) -> None:
    label = " ".join(f"customer{n:02}" for n in range(20))
    say(stage, text="Which?", buttons=(m.Button(label, "pick:1"), m.Button("Other", "pick:2")))
    shows(stage, label)
    assert len(stage.buttons()) == 2


@pytest.mark.parametrize(
    "said",
    [
        "*bold* _it_ ~no~ `code` ```block``` :smile: <@U1> <!channel> <https://a.example|b> @here # > quote",
        "<b>bold</b> &amp; &lt;i&gt; </b> <script>alert(1)</script> <a href='x'>y</a> 1 < 2 > 0 & more",
        "[red]no[/red] [link=https://a.example]b[/link] \\[x] {braces} %s %(name)s {0} $PATH",
        "👩‍👩‍👧‍👦 🇩🇪 👍🏽 🏴‍☠️ ✅ é e\u0301 陈思远 ㈱",
        "مرحبا بالعالم 50 شارع שלום עולם 1,200.50",
    ],
    ids=["slack markup", "html", "terminal markup", "emoji", "right to left"],
)
def test_what_looks_like_markup_is_shown_as_it_is(stage: Stage, said: str) -> None:
    say(
        stage,
        title=said,
        text=said,
        fields=(m.Field("Label", said),),
        table=m.Table(("Column",), ((said,),)),
        note=said,
        buttons=(GO,),
    )
    for _ in range(4):
        shows(stage, said)
    shown = " ".join(stage.text().split())
    assert shown.count(" ".join(said.split()).partition(" ")[0]) >= 5
    assert stage.buttons() == {"Go": "go"}


def test_a_private_note_reaches_its_person(stage: Stage) -> None:
    stage.adapter.send(stage.address, m.Reply(m.Card(text="Order #7 is your own."), only=stage.address))
    shows(stage, "Order #7 is your own.")


# ---------------------------------------------------------------- what is changed


def test_an_edit_takes_the_place_of_what_stood(stage: Stage) -> None:
    handle = say(stage, title="Order #7 · draft", buttons=(GO,))
    card = m.Card(title="Order #7 · approved", note="Signed.")
    handle = stage.adapter.edit(stage.address, handle, m.Reply(card, name="order:7"))
    shows(stage, "Order #7 · approved", "Signed.")
    assert handle
    if stage.own:
        assert "draft" not in stage.text()
        assert stage.buttons() == {}


def test_an_edit_that_changes_nothing_is_no_error(stage: Stage) -> None:
    card = m.Card(title="Order #7 · draft", buttons=(GO,))
    handle = stage.adapter.send(stage.address, m.Reply(card, name="order:7"))
    again = stage.adapter.edit(stage.address, handle, m.Reply(card, name="order:7"))
    assert again == handle
    shows(stage, "Order #7 · draft")


def test_an_edit_may_grow_beyond_one_message_and_shrink_again(stage: Stage) -> None:
    long = " ".join(f"word{number:05}" for number in range(2500))
    handle = say(stage, title="Order #7", text="short", buttons=(GO,))
    for text in (long, "brief"):
        card = m.Card(title="Order #7", text=text, buttons=(GO,))
        handle = stage.adapter.edit(stage.address, handle, m.Reply(card, name="order:7"))
        shows(stage, text)
    if stage.own:
        assert "word00001" not in stage.text()
        assert "word02499" not in stage.text()
    assert stage.buttons()["Go"] == "go"


def test_an_edit_of_what_somebody_deleted_stands_anew(stage: Stage) -> None:
    handle = say(stage, title="Order #7 · draft")
    stage.vanish()
    for state in ("approved", "shipped"):
        card = m.Card(title=f"Order #7 · {state}")
        handle = stage.adapter.edit(stage.address, handle, m.Reply(card, name="order:7"))
        shows(stage, f"Order #7 · {state}")
    if stage.own:
        assert stage.text().count("Order #7") == 1


# ---------------------------------------------------------------- pictures and forms


def test_a_picture_comes_with_its_words_or_its_name(stage: Stage) -> None:
    assert stage.adapter.picture(stage.address, m.Picture(PNG, "week.png", "Weekly sales, in bars"))
    assert stage.pictures() == [PNG]
    assert "Weekly sales, in bars" in stage.text() or "week.png" in stage.text().replace("\n", "")


def test_long_words_of_a_picture_are_all_there(stage: Stage) -> None:
    alt = " ".join(f"word{number:05}" for number in range(1000))
    assert stage.adapter.picture(stage.address, m.Picture(PNG, "week.png", alt))
    assert stage.pictures() == [PNG]
    if stage.own:  # a terminal names the file, below the words that came before it
        shows(stage, alt)


def test_a_form_shows_every_word_and_brings_every_value(stage: Stage) -> None:
    shown, form = stage.fill(ASK, ANSWERS)
    for part in (ASK.title, "Reason", "The rep will see this.", "Counter-offer", "Way out", "Ask again later"):
        assert part in shown
    for part in ("Drop it", "Remark", ASK.submit):
        assert part in shown
    assert isinstance(form, m.Form)
    assert (form.form, form.values, form.address) == (ASK.name, ANSWERS, stage.address)


def test_a_form_says_what_it_is_about(stage: Stage) -> None:
    shown, _ = stage.fill(ASK, ANSWERS)
    assert ASK.text in shown


# ---------------------------------------------------------------- places that several people read


def test_a_private_note_in_a_slack_channel_is_shown_to_one_person() -> None:
    room = slack_room.SlackRoom()
    try:
        room.adapter.send("slack:C1", m.Reply(m.Card(text="For one pair of eyes."), only="slack:U1"))
        assert [texts(said) for said in room.slack.standing("C1", seen_by="U1")] == ["For one pair of eyes."]
        assert room.slack.standing("C1", seen_by="U2") == []
    finally:
        room.close()


def test_a_private_note_in_a_telegram_group_goes_to_the_private_chat() -> None:
    room = telegram_room.Room()
    try:
        room.adapter.send(f"telegram:{GROUP}", m.Reply(m.Card(text="For one pair of eyes."), only=f"telegram:{MIA}"))
        assert room.service.last(MIA).text == "For one pair of eyes."
        assert room.service.standing(GROUP) == []
    finally:
        room.close()


def test_the_limits_say_what_a_platform_cannot_do() -> None:
    limits = {it.platform: it.limits for it in (SlackAdapter, TelegramAdapter, WebAdapter, ConsoleAdapter)}
    assert [name for name, limit in limits.items() if not limit.forms] == ["telegram"]
    assert [name for name, limit in limits.items() if not limit.private] == ["telegram"]


def test_a_picture_is_not_shown_twice_when_the_rest_of_its_words_failed_on_slack() -> None:
    room = slack_room.SlackRoom()
    try:
        picture = m.Picture(PNG, "week.png", " ".join(f"word{number:05}" for number in range(1000)))
        room.slack.fail("chat.postMessage", "internal_error")
        with pytest.raises(m.CannotDeliver):
            room.adapter.picture("slack:C1", picture)
        room.adapter.picture("slack:C1", picture)
        assert len(room.slack.files) == 1
        assert texts(room.slack.standing("C1")[-1]).endswith("word00999")
    finally:
        room.close()
