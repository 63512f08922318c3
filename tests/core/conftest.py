"""A database with the small catalogue, made once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import tables
from storage.store import Database
from tests import talk
from tests.core.desks import House


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("core") / "stocked.db"
    database = Database(f"sqlite:///{path}")
    with database.writing() as connection:
        tables.metadata.create_all(connection)
    talk.stock(database)
    database.close()
    return path


@pytest.fixture
def house(stocked: Path, tmp_path: Path) -> Iterator[House]:
    path = tmp_path / "house.db"
    shutil.copy(stocked, path)
    database = Database(f"sqlite:///{path}")
    yield House(database)
    database.close()
