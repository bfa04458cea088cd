"""Texts that people read, in any language: one row a language, for works and people alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from showcase.core.models import Texts
from showcase.store.tables import texts


def load(
    tx: sa.Connection, entity: str, ids: Iterable[int], fields: Iterable[str] = ()
) -> dict[int, dict[str, dict[str, str]]]:
    """id -> field -> language -> text, of `fields` (none: all)."""
    found: dict[int, dict[str, dict[str, str]]] = {}
    query = sa.select(texts.c.entity_id, texts.c.field, texts.c.lang, texts.c.text).where(
        texts.c.entity == entity, texts.c.entity_id.in_(list(ids))
    )
    if wanted := list(fields):
        query = query.where(texts.c.field.in_(wanted))
    for entity_id, field, lang, text in tx.execute(query):
        found.setdefault(entity_id, {}).setdefault(field, {})[lang] = text
    return found


def save(tx: sa.Connection, entity: str, entity_id: int, fields: Mapping[str, Texts]) -> None:
    """Replace the languages given for each field; an empty text removes its row, other languages stay."""
    for field, by_lang in fields.items():
        for lang, text in by_lang.items():
            where = (
                (texts.c.entity == entity)
                & (texts.c.entity_id == entity_id)
                & (texts.c.field == field)
                & (texts.c.lang == lang)
            )
            tx.execute(texts.delete().where(where))
            if text.strip():
                tx.execute(
                    texts.insert().values(entity=entity, entity_id=entity_id, field=field, lang=lang, text=text.strip())
                )


def forget(tx: sa.Connection, entity: str, entity_id: int) -> None:
    """Remove all texts of one thing."""
    tx.execute(texts.delete().where(texts.c.entity == entity, texts.c.entity_id == entity_id))
