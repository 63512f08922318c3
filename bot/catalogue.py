"""Bringing in one's own customers and products from CSV files: checked whole, line by line, before anything is kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from bot.config import ConfigError
from core.customers.model import Customer
from core.errors import DealdeskError
from core.orders.model import Product
from core.store import Records
from core.team import Roster
from core.values import money

CUSTOMER_COLUMNS = ("name", "aliases", "sector", "country", "region", "owner")
PRODUCT_COLUMNS = ("name", "list_price", "currency", "family", "aliases")
LONGEST_NAME = 200
SHOWN_ERRORS = 20


@dataclass(slots=True)
class Plan:
    """What an import would do. With any error nothing is kept."""

    added: list[Any] = field(default_factory=list)
    changed: list[Any] = field(default_factory=list)
    same: int = 0
    errors: list[str] = field(default_factory=list)

    def complaint(self, path: Path) -> str:
        """The wrong lines, the first of them in full, and that nothing was kept."""
        lines = [f"{path}, {error}" for error in self.errors[:SHOWN_ERRORS]]
        rest = len(self.errors) - len(lines)
        more = f" ({rest} more)" if rest else ""
        return "\n".join([*lines, f"{path}: nothing was imported{more}. Mend these lines and try again."])

    def told(self, *, dry_run: bool) -> str:
        would = "would be " if dry_run else ""
        return f"{len(self.added)} {would}added, {len(self.changed)} {would}changed, {self.same} unchanged"

    def keep(self, records: Records) -> None:
        for record in self.added:
            records.add(record)
        for record in self.changed:
            records.save(record)


Row = dict[str, str]


def customers(path: Path, records: Records, roster: Roster, now: datetime) -> Plan:
    """Customers by name: new ones are added, known ones take over the columns that the file has."""
    known = {customer.name: customer for customer in records.find(Customer)}

    def read(row: Row) -> tuple[str, Customer]:
        owner = row.get("owner", "")
        if owner and roster.people and owner not in roster.people:
            raise ValueError(f'owner "{owner}" is nobody in company.toml')
        given: dict[str, Any] = {key: row[key] for key in ("sector", "country", "region", "owner") if key in row}
        if "aliases" in row:
            given["aliases"] = _aliases(row["aliases"])
        before = known.get(row["name"])
        if before is not None:
            return row["name"], replace(before, **given)
        return row["name"], Customer(id=records.next_id(Customer), name=row["name"], created=now, **given)

    return _plan(path, CUSTOMER_COLUMNS, ("name",), known, read)


def products(path: Path, records: Records, base: str) -> Plan:
    """Products by name, with their list price; without a currency column, in the company's own."""
    known = {product.name: product for product in records.find(Product)}

    def read(row: Row) -> tuple[str, Product]:
        price = money(_decimal(row["list_price"]), row.get("currency") or base)
        given: dict[str, Any] = {"list_price": price}
        if "family" in row:
            given["family"] = row["family"]
        if "aliases" in row:
            given["aliases"] = _aliases(row["aliases"])
        before = known.get(row["name"])
        if before is not None:
            return row["name"], replace(before, **given)
        return row["name"], Product(id=records.next_id(Product), name=row["name"], **given)

    return _plan(path, PRODUCT_COLUMNS, ("name", "list_price"), known, read)


def _plan(
    path: Path,
    columns: tuple[str, ...],
    needed: tuple[str, ...],
    known: dict[str, Any],
    read: Callable[[Row], tuple[str, Any]],
) -> Plan:
    plan = Plan()
    seen: dict[str, int] = {}
    for line, row in _rows(path, columns, needed):
        try:
            _complete(row, needed)
            name, record = read(row)
            if name in seen:
                raise ValueError(f'"{name}" stands in line {seen[name]} already')
        except (ValueError, DealdeskError) as error:
            plan.errors.append(f"line {line}: {_why(error)}")
            continue
        seen[name] = line
        if name not in known:
            plan.added.append(record)
        elif record != known[name]:
            plan.changed.append(record)
        else:
            plan.same += 1
    return plan


def _rows(path: Path, columns: tuple[str, ...], needed: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """(line in the file, its cells by column). Byte order marks and semicolons are taken as spreadsheets write them."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8. Save it from the spreadsheet as “CSV UTF-8”.") from None
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        head = [cell.strip().lower().replace(" ", "_") for cell in next(reader, [])]
        missing = [name for name in needed if name not in head]
        unknown = [name for name in head if name not in columns]
        if missing or unknown:
            wrong = f"no column {missing[0]}" if missing else f"an unknown column {unknown[0]!r}"
            raise ConfigError(f"{path}, line 1: has {wrong}. The columns are {', '.join(columns)}.")
        twice = [name for name in head if head.count(name) > 1]
        if twice:
            raise ConfigError(f"{path}, line 1: has the column {twice[0]} twice. Keep one of them.")
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield line, _cells(head, cells)
    except csv.Error as error:
        raise ConfigError(f"{path}, line {reader.line_num}: {error}.") from None


def _cells(head: list[str], cells: list[str]) -> Row:
    row = {name: cell.strip() for name, cell in zip(head, cells, strict=False)}
    row[""] = str(len(cells) - len(head))  # how many cells too many or too few, told with the line
    return row


def _complete(row: Row, needed: tuple[str, ...]) -> None:
    off = int(row.pop(""))
    if off:
        raise ValueError(f"{abs(off)} {'cells too many' if off > 0 else 'cells missing'}; quote cells that hold commas")
    for name in needed:
        if not row[name]:
            raise ValueError(f"{name} is empty")
    if len(row["name"]) > LONGEST_NAME:
        raise ValueError(f"the name is longer than {LONGEST_NAME} characters")


def _aliases(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(alias.strip() for alias in cell.split(";") if alias.strip()))


def _decimal(cell: str) -> Decimal:
    try:
        return Decimal(cell.replace(",", "") if cell.count(",") and "." in cell else cell)
    except InvalidOperation:
        raise ValueError(f"list_price {cell!r} is no number: write one like 25.00") from None


def _why(error: Exception) -> str:
    if isinstance(error, DealdeskError):
        facts = ", ".join(f"{key} {value}" for key, value in error.facts.items())
        return f"{error.code.replace('_', ' ')} ({facts})"
    return str(error)
