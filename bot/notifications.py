"""From what happened in a turn to who sees which card, where. The bot is quiet: a new message only for who must act."""

from __future__ import annotations

from bot import cards
from bot.messages import Reply
from bot.text import Words
from bot.turn import Turn
from core import presence
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
            replies += copies(turn, order)
    return replies


def copies(turn: Turn, order: Order) -> list[Reply]:
    """Every copy of the order's card as it is now, each for whoever looks at it; new ones for those who must act."""
    name = cards.order_name(order.number)
    places = dict(turn.book.places(name))
    for person in _must_act(turn, order, set(places.values())):
        for address in presence.addresses_of(turn.book, person, turn.platforms):
            if address not in places:
                turn.book.place(name, address, person.id)
                places[address] = person.id
    people = turn.company.roster.people
    # Whoever left is told nothing more: their copies stay as they last saw them.
    here = [(address, people[who]) for address, who in sorted(places.items()) if who in people and people[who].active]
    return [_card(turn, order, name, address, person) for address, person in here]


def _must_act(turn: Turn, order: Order, reached: set[str]) -> list[Person]:
    """Everybody whom the open step asks and who has no copy of the card yet."""
    step = order.open_step
    if order.state is not State.PENDING or step is None:
        return []
    people = turn.company.roster.people
    asked = [people[person] for person in step.approvers if person not in reached and person in people]
    return [person for person in asked if person.active]


def _card(turn: Turn, order: Order, name: str, address: str, person: Person) -> Reply:
    words = Words(person.language, person.zone)
    return Reply(cards.order(turn.desk_of(person), words, order), name=name, address=address)
