"""Bringing a database to the tables of this version, by Alembic, from the first table on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from storage.store import Database

HERE = Path(__file__).parent / "migrations"


def head() -> str:
    """The newest revision in the folder, by file name (`0002_what.py`): known without importing Alembic."""
    return max(path.name for path in (HERE / "versions").glob("[0-9]*.py")).partition("_")[0]


def upgrade(database: Database) -> bool:
    """Create or change what is missing; True when anything was. Cheap when the database is up to date."""
    with database.engine.connect() as connection:
        if _revision(connection) == head():
            return False
    # Imported here: Alembic costs most of a second, and nearly every start finds nothing to do.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE))
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(734512)"))  # one process at a time; any number serves
        if _revision(connection) == head():  # another process was quicker
            return False
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True


def _revision(connection: Connection) -> Any:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
