"""What stands on the browser page, as rows: see `bot.messages.Shelf`."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select, update

from storage import tables as t
from storage.store import Database


class TableShelf:
    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, address: str, handle: str, entry: dict[str, Any]) -> None:
        """Add the entry at the address, or replace the one of that handle in its place."""
        here = (t.page_entry.c.address == address, t.page_entry.c.handle == handle)
        with self._db.writing() as connection:
            changed = connection.execute(update(t.page_entry).where(*here).values(entry=entry))
            if changed.rowcount == 0:
                connection.execute(t.page_entry.insert().values(address=address, handle=handle, entry=entry))

    def recent(self, address: str, limit: int = 200) -> list[tuple[str, dict[str, Any]]]:
        """The last entries of the address, oldest first."""
        query = select(t.page_entry).where(t.page_entry.c.address == address)
        with self._db.engine.connect() as connection:
            rows = connection.execute(query.order_by(t.page_entry.c.id.desc()).limit(limit)).all()
        return [(row.handle, row.entry) for row in reversed(rows)]

    def keep(self, content: bytes, mime: str) -> str:
        """Keep a file; the same content has the same key."""
        key = hashlib.sha256(content).hexdigest()[:32]
        with self._db.writing() as connection:
            if connection.scalar(select(t.page_file.c.key).where(t.page_file.c.key == key)) is None:
                connection.execute(t.page_file.insert().values(key=key, mime=mime, content=content))
        return key

    def fetch(self, key: str) -> tuple[bytes, str] | None:
        with self._db.engine.connect() as connection:
            row = connection.execute(select(t.page_file).where(t.page_file.c.key == key)).first()
        return (row.content, row.mime) if row else None
