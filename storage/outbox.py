"""The outbox and the handles of the cards, as rows. Claimed with a lease, so that a dead process's rows come free."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, select, update

from core.store import Parcel
from storage import tables as t
from storage.store import Database

PAGE = 200
LEASE = timedelta(seconds=90)  # longer than the slowest saying, a picture drawn and uploaded included


class TableOutbox:
    def __init__(self, database: Database) -> None:
        self._db = database

    def claim(self, serves: Callable[[str], bool], now: datetime, limit: int) -> list[Parcel]:
        """The first open row of each lane that is due and that `serves` its address; ours for `LEASE`."""
        mine: list[Parcel] = []
        after = 0
        with self._db.engine.connect() as connection:
            while len(mine) < limit:  # rows of a platform that does not run here must not hide ours behind them
                heads = _heads(connection, now, after)
                mine += [head for head in heads if serves(head.address)]
                if len(heads) < PAGE:
                    break
                after = heads[-1].id
        mine = mine[:limit]
        if not mine:
            return []
        with self._db.writing() as connection:
            free = select(t.outbox.c.id).where(
                t.outbox.c.id.in_([head.id for head in mine]), t.outbox.c.state == "open", t.outbox.c.due <= now
            )
            ids = set(connection.scalars(free if self._db.is_sqlite else free.with_for_update(skip_locked=True)))
            connection.execute(update(t.outbox).where(t.outbox.c.id.in_(ids)).values(due=now + LEASE))
        return [head for head in mine if head.id in ids]

    def sent(self, parcel: Parcel, handle: str, now: datetime) -> None:
        """It stands, with that handle; the row is kept as a record."""
        with self._db.writing() as connection:
            row = update(t.outbox).where(t.outbox.c.id == parcel.id)
            connection.execute(row.values(state="sent", due=now, tries=parcel.tries + 1))
            if parcel.name and handle != parcel.handle:
                here = (t.card.c.name == parcel.name, t.card.c.address == parcel.address)
                connection.execute(update(t.card).where(*here).values(handle=handle))

    def failed(self, parcel: Parcel, why: str, again: datetime | None, *, tried: bool = True) -> None:
        """Try `again` then, or never (None): then the row is dropped and does not hold up its lane."""
        with self._db.writing() as connection:
            row = update(t.outbox).where(t.outbox.c.id == parcel.id)
            after = {"due": again} if again else {"state": "dropped"}
            connection.execute(row.values(tries=parcel.tries + tried, error=why[:500], **after))


def _heads(connection: Connection, now: datetime, after: int) -> list[Parcel]:
    rows = connection.execute(_FIRST_OF_LANES, {"now": now, "after": after})
    return [Parcel(r.id, r.lane, r.address, r.name, r.body, r.tries, r.handle, r.newest or b"") for r in rows]


def _first_of_lanes() -> Select[Any]:
    """Each lane's first open row, when it is due: with where its card stands, and the newest open look of that card."""
    o, later = t.outbox.alias("o"), t.outbox.alias("later")
    # One walk over an index of the open rows, however many wait behind the first of their lane.
    first = select(func.min(t.outbox.c.id)).where(t.outbox.c.state == "open").group_by(t.outbox.c.lane)
    same = (later.c.name == o.c.name, o.c.name != "", later.c.address == o.c.address, later.c.state == "open")
    newest = select(later.c.body).where(*same, later.c.id > o.c.id).order_by(later.c.id.desc()).limit(1)
    now, after = bindparam("now", type_=o.c.due.type), bindparam("after", type_=o.c.id.type)
    return (
        select(o, func.coalesce(t.card.c.handle, "").label("handle"), newest.scalar_subquery().label("newest"))
        .join_from(o, t.card, and_(t.card.c.name == o.c.name, t.card.c.address == o.c.address), isouter=True)
        .where(o.c.state == "open", o.c.due <= now, o.c.id > after, o.c.id.in_(first))
        .order_by(o.c.id)
        .limit(PAGE)
    )


_FIRST_OF_LANES = _first_of_lanes()  # made once: it is asked several times a second, all day
