"""How often the database is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that any database of this process runs meanwhile, in order."""
    found: list[str] = []

    def ran(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", ran)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", ran)
