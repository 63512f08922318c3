"""The tables. One for each record of core, and those of the conversation: seen, memory, cards, outbox.

Money is a whole number of ten-thousandths, so that every database adds it up exactly.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

SCALE = 10_000
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Exact(TypeDecorator[Decimal]):
    """A decimal of up to four places, kept as a whole number: a NUMERIC would pass through a float in SQLite."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Any) -> int | None:  # noqa: ARG002
        return None if value is None else int(value * SCALE)

    def process_result_value(self, value: int | None, dialect: Any) -> Decimal | None:  # noqa: ARG002
        if value is None:
            return None
        whole, rest = divmod(value, SCALE)
        return Decimal(whole) if rest == 0 else Decimal(value) / SCALE


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, kept as microseconds since 1970: the same in every database, and cheap to read."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        gone = value - EPOCH
        return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return datetime.fromtimestamp(value // 1_000_000, UTC).replace(microsecond=value % 1_000_000)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAME = String(200)
CODE = String(64)


def _id() -> Column[Any]:
    return Column("id", Integer, primary_key=True, autoincrement=False)


def _version() -> Column[Any]:
    return Column("version", Integer, nullable=False)


def _of_customer() -> Column[Any]:
    return Column("customer", ForeignKey("customer.id"), nullable=False, index=True)


def _currency() -> Column[Any]:
    return Column("currency", String(3), nullable=False)


def _need(name: str, kind: Any, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


login = Table(
    "login", metadata, Column("id", NAME, primary_key=True), _need("person", CODE, index=True), _need("created", Moment)
)
reach = Table(
    "reach",
    metadata,
    Column("id", NAME, primary_key=True),
    _need("person", CODE, index=True),
    _need("works", Boolean),
    _need("at", Moment),
    _version(),
)
link = Table(
    "link",
    metadata,
    Column("id", CODE, primary_key=True),
    _need("person", CODE),
    _need("expires", Moment),
    Column("used", Moment),
    _version(),
)
quota = Table(
    "quota",
    metadata,
    _id(),
    _need("person", CODE, index=True),
    _need("period", String(16)),
    _need("amount", Exact),
    _currency(),
)
customer = Table(
    "customer",
    metadata,
    _id(),
    _need("name", NAME, unique=True),
    _need("aliases", JSON),
    _need("sector", NAME),
    _need("country", NAME),
    _need("region", NAME),
    _need("owner", CODE, index=True),
    _need("on_hold", Boolean),
    _need("created", Moment),
    _version(),
)
contact = Table(
    "contact",
    metadata,
    _id(),
    _of_customer(),
    _need("name", NAME),
    _need("title", NAME),
    _need("email", NAME),
    _need("phone", NAME),
)
lead = Table(
    "lead",
    metadata,
    _id(),
    _need("company", NAME),
    _need("contact_name", NAME),
    _need("email", NAME),
    _need("phone", NAME),
    _need("source", NAME),
    _need("interest", Text),
    _need("owner", CODE, index=True),
    _need("state", String(20), index=True),
    Column("customer", ForeignKey("customer.id")),
    _need("created", Moment, index=True),
    _version(),
)
need = Table(
    "need",
    metadata,
    _id(),
    _of_customer(),
    _need("text", Text),
    _need("kind", NAME),
    Column("product", ForeignKey("product.id")),
    _need("by", CODE),
    _need("open", Boolean),
    _need("created", Moment, index=True),
    _version(),
)
opportunity = Table(
    "opportunity",
    metadata,
    _id(),
    _of_customer(),
    _need("title", NAME),
    _need("amount", Exact),
    _currency(),
    _need("stage", String(32), index=True),
    _need("owner", CODE, index=True),
    _need("created", Moment),
    Column("expected", Date),
    Column("closed", Moment, index=True),
    _need("reason", Text),
    _version(),
)
activity = Table(
    "activity",
    metadata,
    _id(),
    _of_customer(),
    Column("opportunity", ForeignKey("opportunity.id")),
    _need("kind", String(20)),
    _need("text", Text),
    _need("by", CODE),
    _need("at", Moment),
    Column("due", Date),
    _need("done", Boolean),
)
product = Table(
    "product",
    metadata,
    _id(),
    _need("name", NAME, unique=True),
    _need("family", NAME),
    _need("list_price", Exact),
    _currency(),
    _need("aliases", JSON),
    _need("active", Boolean),
    _version(),
)
# "order" is a reserved word everywhere; the plural is not.
orders = Table(
    "orders",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _of_customer(),
    _need("rep", CODE, index=True),
    _currency(),
    _need("discount", Exact),
    _need("total", Exact),
    _need("state", String(20), index=True),
    _need("created", Moment),
    Column("submitted", Moment),
    Column("decided", Moment, index=True),
    Column("due", Date),
    Column("moved", Moment),
    _need("reason", Text),
    _need("tracking", NAME),
    Column("base_total", Exact),
    Column("base_currency", String(3)),
    _version(),
)
order_line = Table(
    "order_line",
    metadata,
    Column("number", ForeignKey("orders.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _need("product", ForeignKey("product.id")),
    _need("name", NAME),
    _need("family", NAME),
    _need("quantity", Exact),
    _need("price", Exact),
    Column("list_price", Exact),
    _need("discount", Exact),
)
approval_step = Table(
    "approval_step",
    metadata,
    Column("number", ForeignKey("orders.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _need("approvers", JSON),
    _need("rules", JSON),
    _need("state", String(20)),
    _need("by", CODE),
    Column("at", Moment),
    _need("comment", Text),
)
# Who may sign what now: one row a person while a step is open, so that "what waits for me" is one index look-up.
waiting = Table(
    "waiting",
    metadata,
    Column("number", ForeignKey("orders.number"), primary_key=True),
    Column("person", CODE, primary_key=True, index=True),
)
event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _need("at", Moment),
    _need("actor", CODE),
    _need("on_behalf_of", CODE),
    _need("name", CODE),
    _need("subject", CODE, index=True),
    _need("facts", JSON),
)

# ---------------------------------------------------------------- the conversation's own
seen = Table("seen", metadata, Column("id", NAME, primary_key=True), _need("at", Moment, index=True))
memory = Table("memory", metadata, Column("address", NAME, primary_key=True), _need("data", JSON))
# Where each named card stands. `handle` is the platform's own id of the message, "" until it was delivered.
card = Table(
    "card",
    metadata,
    Column("name", CODE, primary_key=True),
    Column("address", NAME, primary_key=True),
    _need("person", CODE),
    _need("handle", NAME),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _need("lane", NAME),  # rows of one lane are said in their order; a picture has a lane of its own
    _need("address", NAME),
    _need("name", CODE),
    _need("body", LargeBinary),  # the Reply as JSON
    _need("created", Moment),
    _need("due", Moment),
    _need("tries", Integer),
    _need("error", Text),
    _need("state", String(8)),  # open, sent, dropped
    Index("ix_outbox_open", "state", "due"),
    Index("ix_outbox_lane", "state", "lane", "id"),
)
# A number that goes up whenever customers, products or people change, so that names are read again only then.
stamp = Table("stamp", metadata, Column("name", CODE, primary_key=True), _need("value", Integer))
page_entry = Table(
    "page_entry",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _need("address", NAME),
    _need("handle", NAME),
    _need("entry", JSON),
    Index("uq_page_entry_address_handle", "address", "handle", unique=True),
)
page_file = Table(
    "page_file",
    metadata,
    Column("key", CODE, primary_key=True),
    _need("mime", CODE),
    _need("content", LargeBinary),
)
