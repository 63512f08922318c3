"""What each rep was meant to book in a quarter: set after the fact, so that 70 to 115 % of it was reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from core.orders.model import BOOKED, Order
from core.team import Quota
from core.values import Money
from storage.seed.ledger import Past
from storage.seed.season import back_quarters, quarter_name

BEFORE = 8  # quarters, and then the running one
STEP = Decimal(5000)
MOST_GROWTH = Decimal("0.05")  # from one quarter to the next
BEST, WORST = Decimal("1.11"), Decimal("0.73")  # attainment, with room for rounding to a step


def tell_quotas(past: Past, rng: Random) -> None:
    """Quotas of the last eight quarters and the running one, in a line that grows as the rep's bookings do."""
    booked: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    zone = past.company.tz
    for order in past.ledger.all(Order):
        if order.state in BOOKED and order.decided and order.base_total:
            booked[order.rep, quarter_name(order.decided.astimezone(zone).date())] += order.base_total.amount
    today = past.now.astimezone(zone).date()
    names = [quarter_name(back_quarters(today, back)) for back in range(BEFORE, -1, -1)]
    reps = [person.id for person in past.company.roster.with_role("rep")]
    ambition = {rep: Decimal(str(round(rng.uniform(0.93, 1.1), 3))) for rep in reps}
    for index, name in enumerate(names):
        for rep in reps:
            done = [booked[rep, quarter] for quarter in names[:BEFORE]]
            level = _trend(done, index) * ambition[rep]
            if index < BEFORE:
                level = min(max(level, done[index] / BEST), done[index] / WORST)
            amount = max(STEP, (level / STEP).quantize(Decimal(1), ROUND_HALF_UP) * STEP)
            number = past.ledger.next_id(Quota)
            past.ledger.add(Quota(id=number, person=rep, period=name, amount=Money(amount, past.company.currency)))


def _trend(done: Sequence[Decimal], index: int) -> Decimal:
    """Where a line through both halves of the quarters stands at that index; plans do not leap as orders do."""
    half = len(done) // 2
    first, second = sum(done[:half], Decimal(0)) / half, sum(done[half:], Decimal(0)) / half
    middle = (first + second) / 2
    growth = min(max((second - first) / half, -MOST_GROWTH * middle), MOST_GROWTH * middle)
    return middle + growth * (index - Decimal(len(done) - 1) / 2)
