"""Bringing in customers and products: a file is checked whole, and what is wrong is told by its line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot import catalogue
from bot.catalogue import Plan
from bot.company import ConfigError
from core.customers.model import Customer
from core.orders.model import Product
from core.team import Roster
from core.values import Money
from storage import tables as t
from storage.store import Database
from tests.talk import NOW, people, stock


class Shop:
    """A database to bring files into, each import in a turn of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(f"sqlite:///{folder / 'shop.db'}")
        with self.database.writing() as connection:
            t.metadata.create_all(connection)

    def file(self, content: str | bytes, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def products(self, content: str | bytes, *, keep: bool = True) -> Plan:
        with self.database.turn() as book:
            plan = catalogue.products(self.file(content), book, "USD")
            if keep and not plan.errors:
                plan.keep(book)
                book.commit()
        return plan

    def customers(self, content: str | bytes, *, keep: bool = True, roster: Roster | None = None) -> Plan:
        everybody = Roster.of(people()) if roster is None else roster
        with self.database.turn() as book:
            plan = catalogue.customers(self.file(content), book, everybody, NOW)
            if keep and not plan.errors:
                plan.keep(book)
                book.commit()
        return plan

    def all_products(self) -> list[Product]:
        with self.database.turn() as book:
            return book.find(Product)

    def all_customers(self) -> list[Customer]:
        with self.database.turn() as book:
            return book.find(Customer)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    found = Shop(tmp_path)
    yield found
    found.database.close()


def counts(plan: Plan) -> tuple[int, int, int, int]:
    return len(plan.added), len(plan.changed), plan.same, len(plan.errors)


PRODUCTS = "name,list_price,currency,family,aliases\nPro seat,25.00,EUR,Software,Pro; 专业版 ;Pro\nSensor 200,180,,,\n"
CUSTOMERS = "name,aliases,sector,country,region,owner\nAcme,Acme Corp;A1,Steel,US,Americas,tom\n星辰科技,,,CN,,fang\n"


# ---------------------------------------------------------------- what spreadsheets write


def test_products_are_brought_in_with_every_column(shop: Shop) -> None:
    assert counts(shop.products(PRODUCTS)) == (2, 0, 0, 0)
    seat, sensor = shop.all_products()
    assert (seat.name, seat.list_price, seat.family) == ("Pro seat", Money(25, "EUR"), "Software")
    assert seat.aliases == ("Pro", "专业版")
    assert (sensor.list_price, sensor.family, sensor.aliases, sensor.active) == (Money(180, "USD"), "", (), True)


def test_customers_are_brought_in_with_every_column(shop: Shop) -> None:
    assert counts(shop.customers(CUSTOMERS)) == (2, 0, 0, 0)
    acme, star = shop.all_customers()
    assert acme == Customer(
        id=1,
        name="Acme",
        aliases=("Acme Corp", "A1"),
        sector="Steel",
        country="US",
        region="Americas",
        owner="tom",
        created=NOW,
    )
    assert (star.name, star.aliases, star.owner, star.country) == ("星辰科技", (), "fang", "CN")


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffname,list_price\nPro seat,25\n",
        "name;list_price\nPro seat;25\n",
        "name\tlist_price\nPro seat\t25\n",
        "Name , List Price\n Pro seat , 25 \n",
        "NAME,LIST_PRICE\r\nPro seat,25\r\n",
        "name,list_price\rPro seat,25\r",
        '"name","list_price"\n"Pro seat","25"\n',
        "list_price,name\n25,Pro seat",
        "\ufeffname;list_price\r\n\r\nPro seat;25.00\r\n;\r\n\r\n",
    ],
    ids=["mark", "semicolons", "tabs", "spaces", "windows", "old mac", "quotes", "no end", "everything"],
)
def test_a_file_is_read_as_spreadsheets_write_it(shop: Shop, content: str) -> None:
    assert counts(shop.products(content)) == (1, 0, 0, 0)
    [seat] = shop.all_products()
    assert (seat.name, seat.list_price) == ("Pro seat", Money(25, "USD"))


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(shop: Shop) -> None:
    assert counts(shop.products('name,list_price\n"Seat, ""Pro""\nedition",25\n')) == (1, 0, 0, 0)
    assert shop.all_products()[0].name == 'Seat, "Pro"\nedition'


@pytest.mark.parametrize(
    ("written", "price"),
    [("25", "25"), ("1,234.50", "1234.50"), ("0", "0"), ("0.0001", "0.0001"), ("1000000000", "1E9")],
)
def test_a_price_is_taken_exactly(shop: Shop, written: str, price: str) -> None:
    shop.products(f'name,list_price\nSeat,"{written}"\n')
    assert shop.all_products()[0].list_price == Money(price, "USD")


@pytest.mark.parametrize("content", ["name,list_price\n", "name,list_price", "name,list_price\n\n ,\n"])
def test_a_file_without_rows_brings_in_nothing(shop: Shop, content: str) -> None:
    assert counts(shop.products(content)) == (0, 0, 0, 0)


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("Seat,abc", ["'abc'", "25.00"]),
        ("Seat,", ["list_price is empty"]),
        (",25", ["name is empty"]),
        ("Seat,-5", ["-5"]),
        ("Seat,NaN", ["NaN"]),
        ("Seat,1e999999", ["out of range", "1000000000"]),
        ("Seat,0.00001", ["too fine"]),
        ('Seat,"25,5"', ["'25,5'"]),
        ('Seat,"20,000"', ["'20,000'"]),
        ("Seat", ["1 cells missing"]),
        ("Seat,25,5", ["1 cells too many", "quote"]),
        (f"{'x' * 201},5", ["longer than 200"]),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_what_is_wrong(shop: Shop, row: str, parts: list[str]) -> None:
    plan = shop.products(f"name,list_price\nGood,1\n{row}\nAlso good,2\n")
    [error] = plan.errors
    assert error.startswith("line 3: ")
    for part in parts:
        assert part in error, error
    assert shop.all_products() == []


def test_a_currency_that_does_not_exist_is_told(shop: Shop) -> None:
    [error] = shop.products("name,list_price,currency\nSeat,5,EURO\n").errors
    assert error.startswith("line 2: ")
    assert "EURO" in error


def test_the_line_is_the_one_in_the_file_even_after_cells_over_several_lines(shop: Shop) -> None:
    content = 'name,list_price\n"one\ntwo\nthree",5\n\nSeat,abc\n"four\nfive",x\nlast,1\n'
    assert [error.partition(":")[0] for error in shop.products(content).errors] == ["line 6", "line 7"]


def test_a_name_that_stands_twice_is_told_with_both_lines(shop: Shop) -> None:
    [error] = shop.products("name,list_price\nSeat,5\nDesk,6\nSeat,7\n").errors
    assert error.startswith("line 4: ")
    assert "line 2" in error


def test_every_bad_row_is_told_and_nothing_is_kept(shop: Shop) -> None:
    plan = shop.products("name,list_price\n" + "".join(f"p{n},{'x' if n % 2 else n}\n" for n in range(100)))
    assert len(plan.errors) == 50
    assert shop.all_products() == []


def test_an_owner_who_is_nobody_is_told(shop: Shop) -> None:
    [error] = shop.customers("name,owner\nAcme,max\n").errors
    assert error.startswith("line 2: ")
    assert '"max"' in error


def test_without_a_company_any_owner_is_taken(shop: Shop) -> None:
    assert counts(shop.customers("name,owner\nAcme,max\n", roster=Roster.of([]))) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("name,family\nSeat,x\n", ["line 1", "list_price", "name, list_price, currency, family, aliases"]),
        ("name,list_price,colour\nSeat,5,red\n", ["line 1", "'colour'", "currency, family"]),
        ("name,list_price,name\nSeat,5,Desk\n", ["line 1", "name"]),
        ("", ["line 1", "name"]),
        ("\n\n", ["line 1", "name"]),
        ('name,list_price\n"Seat,5\nDesk,6\n', ["line "]),
    ],
    ids=["missing", "unknown", "twice", "empty", "blank", "open quote"],
)
def test_a_file_that_cannot_be_read_so_is_refused_as_a_whole(shop: Shop, content: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        shop.products(content)
    for part in ("file.csv", *parts):
        assert part in str(error.value)


def test_a_file_that_is_not_utf_8_says_how_to_save_it(shop: Shop) -> None:
    with pytest.raises(ConfigError, match=r"file\.csv.*UTF-8.*CSV UTF-8"):
        shop.customers("name\n星辰科技\n".encode("gb18030"))


def test_a_file_that_is_not_there_is_named(shop: Shop) -> None:
    with shop.database.turn() as book, pytest.raises(ConfigError, match=r"nothing\.csv: cannot be read"):
        catalogue.products(shop.folder / "nothing.csv", book, "USD")


# ---------------------------------------------------------------- once more


def test_looking_first_changes_nothing(shop: Shop) -> None:
    assert counts(shop.products(PRODUCTS, keep=False)) == (2, 0, 0, 0)
    assert counts(shop.customers(CUSTOMERS, keep=False)) == (2, 0, 0, 0)
    assert (shop.all_products(), shop.all_customers()) == ([], [])


def test_the_same_file_again_changes_nothing(shop: Shop) -> None:
    shop.products(PRODUCTS)
    shop.customers(CUSTOMERS)
    before = (shop.all_products(), shop.all_customers())
    assert counts(shop.products(PRODUCTS)) == (0, 0, 2, 0)
    assert counts(shop.customers(CUSTOMERS)) == (0, 0, 2, 0)
    assert (shop.all_products(), shop.all_customers()) == before


def test_a_file_changes_only_the_columns_it_has(shop: Shop) -> None:
    shop.products(PRODUCTS)
    shop.customers(CUSTOMERS)
    seat, acme = shop.all_products()[0], shop.all_customers()[0]
    assert counts(shop.products("name,list_price,currency\nPro seat,30,EUR\nNew,1,EUR\n")) == (1, 1, 0, 0)
    assert counts(shop.customers("name,region\nAcme,Europe\n")) == (0, 1, 0, 0)
    assert shop.all_products()[0] == replace(seat, list_price=Money(30, "EUR"), version=2)
    assert shop.all_customers()[0] == replace(acme, region="Europe", version=2)


def test_an_empty_cell_empties_what_it_is_the_column_of(shop: Shop) -> None:
    shop.customers(CUSTOMERS)
    shop.customers("name,sector,aliases\nAcme,,\n")
    assert (shop.all_customers()[0].sector, shop.all_customers()[0].aliases) == ("", ())


def test_what_is_not_in_the_file_stays_as_it_is(shop: Shop) -> None:
    stock(shop.database)
    before = shop.all_products()
    shop.products("name,list_price\nNew,1\n")
    assert shop.all_products()[:-1] == before


def test_names_that_only_look_dangerous_are_names(shop: Shop) -> None:
    names = ["Robert'); DROP TABLE customer;--", "=cmd|' /C calc'!A0", "100% Seat", "{name}", "O’Brien"]
    shop.customers("name\n" + "\n".join(names) + "\n")
    assert [customer.name for customer in shop.all_customers()] == names


def test_ten_thousand_rows_take_seconds_and_not_minutes(shop: Shop) -> None:
    content = "name,list_price,aliases\n" + "".join(
        f"Product {n},{n}.{n % 100:02},P{n};产品{n}\n" for n in range(10_000)
    )
    began = time.perf_counter()
    assert counts(shop.products(content)) == (10_000, 0, 0, 0)
    assert counts(shop.products(content)) == (0, 0, 10_000, 0)
    assert time.perf_counter() - began < 10
    assert sum((product.list_price.amount for product in shop.all_products()), Decimal(0)) == Decimal(49_999_950)
