"""Fixtures that many tests use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.talk import Talk


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    """The application with a small company, its database in a file of its own."""
    opened = Talk(tmp_path / "talk.db")
    yield opened
    opened.close()
