"""From what happened in a turn to who sees which card, where. The bot is quiet: a new message only for who must act."""

from __future__ import annotations

from bot import cards
from bot.messages import Reply
from bot.text import Words
from bot.turn import Turn
from core.orders.model import Order, State
from core.team import Person


def spread(turn: Turn) -> list[Reply]:
    """The cards of every order this turn changed: edited wherever they stand, and posted to those who must act now."""
    changed = dict.fromkeys(
        int(event.subject.removeprefix("order:")) for event in turn.book.events if event.subject.startswith("order:")
    )
    replies: list[Reply] = []
    for number in changed:
        order = turn.book.get(Order, number)
        if order is not None:
            replies += _copies(turn, order)
    return replies


def _copies(turn: Turn, order: Order) -> list[Reply]:
    name = cards.order_name(order.number)
    places = dict(turn.book.places(name))
    for address, person in _must_act(turn, order, set(places.values())):
        turn.book.place(name, address, person)
        places[address] = person
    return [_card(turn, order, name, *place) for place in sorted(places.items())]


def _must_act(turn: Turn, order: Order, reached: set[str]) -> list[tuple[str, str]]:
    """Where the card must newly appear: with everybody whom the open step asks and who has no copy yet."""
    step = order.open_step
    if order.state is not State.PENDING or step is None:
        return []
    asked = [person for person in step.approvers if person not in reached]
    return [
        (address, person)
        for person in asked
        for address in sorted({home(turn.company.roster.people[person]), *turn.book.reach(person)})
    ]


def home(person: Person) -> str:
    """Where somebody is told things: a login is also the address of its owner's private talk with us.

    Their first login elsewhere comes before our own page, which everybody has.
    """
    page = f"web:{person.id}"
    others = [login for login in person.logins if login.partition(":")[0] not in ("web", "console")]
    return next(iter(others), page)


def _card(turn: Turn, order: Order, name: str, address: str, person_id: str) -> Reply:
    person = turn.company.roster.people.get(person_id, turn.person)
    words = Words(person.language, person.zone)
    return Reply(cards.order(turn.desk_of(person), words, order), name=name, address=address)
