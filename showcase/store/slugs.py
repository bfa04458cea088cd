"""Addresses that nobody has yet."""

from __future__ import annotations

import sqlalchemy as sa

from showcase.core.models import Texts, best_text
from showcase.core.names import slugify
from showcase.store.locks import one_at_a_time


def free(tx: sa.Connection, column: sa.Column[str], title: str, fallback: str) -> str:
    """A slug for `title` that `column` does not hold: itself, else with the first free number behind it."""
    # Two that ask at the same moment would get the same one.
    one_at_a_time(tx, f"slugs {column.table.name}")
    base = slugify(title, fallback)
    taken = set(tx.scalars(sa.select(column).where(column.startswith(base, autoescape=True))))
    return next(s for n in range(len(taken) + 2) if (s := base if n == 0 else f"{base}-{n + 1}") not in taken)


def of_title(tx: sa.Connection, column: sa.Column[str], title: Texts, fallback: str) -> str:
    """As `free`, for a title by language: English first, then French, then whatever there is."""
    return free(tx, column, best_text(title, "en"), fallback)
