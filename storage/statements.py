"""The statements that every turn runs, compiled once. SQLAlchemy writes them and converts their values; what is saved
is its work per execution, which costs more than the database's own (benchmarks/durable.py measures it).

They run on the driver's own cursor: what goes wrong there is the driver's error, not SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import import_module
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Dialect, Integer, Table, bindparam, delete, insert, literal_column, select, update

Convert = Callable[[Any], Any] | None
Row = dict[str, Any]
MOST_ROWS = 32


class Statements:
    """Compiled for one dialect. Thread-safe: compiling the same statement twice does no harm."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._positional = dialect.positional
        # Only the dialect in use is imported: the other would be a twentieth of a start.
        self._upsert: Any = import_module(f"sqlalchemy.dialects.{dialect.name}").insert
        self._known: dict[Any, tuple[str, Callable[[Row], Any]]] = {}
        self._readers: dict[Table, Callable[[Sequence[Any]], Row]] = {}

    def insert(self, cursor: Any, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows that all have the same keys, in one statement."""
        self._run_all(cursor, ("insert", table), lambda count: insert(table).values(_blanks(rows[0], count)), rows)

    def put(self, cursor: Any, table: Table, rows: Sequence[Row], keys: Sequence[str], *, renew: bool = True) -> None:
        """Insert rows; where one stands under the same `keys`, replace it (`renew`) or leave it."""

        def write(count: int) -> Any:
            statement = self._upsert(table).values(_blanks(rows[0], count))
            if not renew:
                return statement.on_conflict_do_nothing(index_elements=keys)
            new = {name: statement.excluded[name] for name in rows[0] if name not in keys}
            return statement.on_conflict_do_update(index_elements=keys, set_=new)

        if rows:
            self._run_all(cursor, ("put", table), write, rows)

    def bump(self, cursor: Any, key: Column[Any], value: Any, counter: Column[Any]) -> None:
        """Add one to the counter where `key` is `value`; make the row with a one when there is none."""

        def write() -> Any:
            one = literal_column("1", Integer)
            statement = self._upsert(key.table).values({key.name: _blank("_key", key), counter.name: one})
            return statement.on_conflict_do_update(index_elements=[key.name], set_={counter.name: counter + one})

        self._run(cursor, ("bump", key), write, {"_key": value})

    def update(self, cursor: Any, key: Column[Any], value: Any, row: Row) -> None:
        """Set the row's columns where `key` is `value`."""

        def write() -> Any:
            return update(key.table).where(key == _blank("_key", key)).values({name: bindparam(name) for name in row})

        self._run(cursor, ("update", key), write, {**row, "_key": value})

    def delete(self, cursor: Any, key: Column[Any], value: Any) -> None:
        """Delete the rows where `key` is `value`."""
        self._run(cursor, ("delete", key), lambda: delete(key.table).where(key == _blank("_key", key)), {"_key": value})

    def erase(self, cursor: Any, table: Table, equal: Row) -> None:
        """Delete the rows whose columns equal the values given."""
        where = [table.c[name] == _blank(name, table.c[name]) for name in equal]
        self._run(cursor, ("erase", table, tuple(equal)), lambda: delete(table).where(*where), equal)

    def pairs(
        self, cursor: Any, key: Column[Any], other: Column[Any], keys: Collection[Any], *, lock: bool = False
    ) -> dict[Any, Any]:
        """`other` by `key`, of the rows with those keys; with `lock` nobody else changes them before we commit."""
        if not keys:
            return {}
        given = _numbered("key", sorted(keys))

        def write() -> Any:
            query = select(key, other).where(key.in_([_blank(name, key) for name in given])).order_by(key)
            return query.with_for_update() if lock else query

        self._run(cursor, ("pairs", key, len(given)), write, given)
        return dict(cursor.fetchall())

    def find(
        self,
        cursor: Any,
        table: Table,
        equal: Mapping[str, Any],
        *,
        newest: bool = False,
        limit: int = 0,
    ) -> list[Row]:
        """The rows whose columns equal the values (a list or tuple: any of them), by primary key."""
        given: Row = {"_limit": limit} if limit else {}
        shape = []
        for name, value in equal.items():
            several = isinstance(value, list | tuple)
            if several and not value:
                return []
            blanks = _numbered(name, value if several else [value])
            given |= blanks
            shape.append((name, tuple(blanks), several, value is None))

        def write() -> Any:
            query = select(table)
            for name, blanks, several, nothing in shape:
                column = table.c[name]
                values = [_blank(blank, column) for blank in blanks]
                query = query.where(
                    column.in_(values) if several else column.is_(None) if nothing else column == values[0]
                )
            query = query.order_by(*(column.desc() if newest else column for column in table.primary_key))
            if not limit:
                return query
            # SQLite's dialect adds an offset of its own making, as a value that nobody gives, when there is none.
            return query.limit(bindparam("_limit", type_=Integer)).offset(literal_column("0", Integer))

        self._run(cursor, ("find", table, tuple(shape), newest, limit > 0), write, given)
        read = self._readers.get(table)
        if read is None:
            read = self._readers[table] = _reader([(column.name, self._out(column)) for column in table.columns])
        return [read(row) for row in cursor.fetchall()]

    def _run(self, cursor: Any, what: Any, write: Callable[[], Any], row: Row) -> None:
        sql, bind = self._known.get(what) or self._learn(what, write())
        cursor.execute(sql, bind(row))

    def _run_all(self, cursor: Any, what: Any, write: Callable[[int], Any], rows: Sequence[Row]) -> None:
        """Run what `write` makes for a count of rows, on all rows."""
        _, bind = self._known.get((what, 1)) or self._learn((what, 1), write(1))
        if not self._positional:
            cursor.executemany(self._known[what, 1][0], [bind(row) for row in rows])
            return
        # SQLite's driver lets other threads in at every row it writes, and then waits for them while it holds the
        # write lock: many rows a statement, in few different numbers of them.
        for part in _parts(rows):
            sql, _ = self._known.get((what, len(part))) or self._learn((what, len(part)), write(len(part)))
            cursor.execute(sql, [value for row in part for value in bind(row)])

    def _learn(self, what: Any, statement: Any) -> tuple[str, Callable[[Row], Any]]:
        compiled = statement.compile(dialect=self._dialect)
        names = compiled.binds if compiled.positiontup is None else compiled.positiontup
        converts = [(name, self._in(compiled.binds[name].type)) for name in names]
        found = self._known[what] = (compiled.string, _binder(converts, positional=self._positional))
        return found

    def _in(self, kind: Any) -> Convert:
        convert: Convert = kind.dialect_impl(self._dialect).bind_processor(self._dialect)
        return convert

    def _out(self, column: Column[Any]) -> Convert:
        return column.type.dialect_impl(self._dialect).result_processor(self._dialect, None)


def _blank(name: str, column: Column[Any]) -> Any:
    return bindparam(name, type_=column.type)


def _blanks(row: Row, count: int) -> list[Row]:
    return [{name: bindparam(f"{name}__{n}") for name in row} for n in range(count)]


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in pieces of a power of two, the largest first."""
    at = 0
    while at < len(rows):
        count = min(MOST_ROWS, 1 << ((len(rows) - at).bit_length() - 1))
        yield rows[at : at + count]
        at += count


def _numbered(name: str, values: Sequence[Any]) -> Row:
    """A name for each value. The last is repeated up to a power of two, so that few lengths are ever compiled."""
    room = 1 << (len(values) - 1).bit_length()
    return {f"{name}_{n}": values[min(n, len(values) - 1)] for n in range(room)}


def _binder(converts: list[tuple[str, Convert]], *, positional: bool) -> Callable[[Row], Any]:
    """What takes a row's values in the statement's order; a name of its first row, `total__0`, is the row's `total`."""
    names = [name for name, _ in converts]
    keys = [name.removesuffix("__0") for name in names]
    special = [(at, convert) for at, (_, convert) in enumerate(converts) if convert]

    def bind(row: Row) -> Any:
        values = [row[key] for key in keys]
        for at, convert in special:
            values[at] = convert(values[at])
        return values if positional else dict(zip(names, values, strict=True))

    return bind


def _reader(converts: list[tuple[str, Convert]]) -> Callable[[Sequence[Any]], Row]:
    columns = [(name, itemgetter(at), convert) for at, (name, convert) in enumerate(converts)]
    return lambda row: {name: convert(get(row)) if convert else get(row) for name, get, convert in columns}
