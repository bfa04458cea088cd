"""Texts by thing, field and language."""

from __future__ import annotations

from showcase.store import texts
from showcase.store.database import Database


async def test_languages_that_are_given_are_replaced_and_others_stay(db: Database) -> None:
    await db.write(texts.save, "work", 1, {"title": {"en": "Tide", "ja": "潮"}, "statement": {"en": "About the sea."}})
    await db.write(texts.save, "work", 1, {"title": {"en": " Tides ", "fr": "Marées"}})
    await db.write(texts.save, "work", 2, {"title": {"und": "🌊"}})
    await db.write(texts.save, "person", 1, {"biography": {"en": "Somebody"}})
    assert await db.read(texts.load, "work", [1, 2, 3]) == {
        1: {"title": {"en": "Tides", "fr": "Marées", "ja": "潮"}, "statement": {"en": "About the sea."}},
        2: {"title": {"und": "🌊"}},
    }
    assert await db.read(texts.load, "work", []) == {}


async def test_an_empty_text_is_none(db: Database) -> None:
    await db.write(texts.save, "work", 1, {"title": {"en": "Tide", "fr": "  \n"}})
    await db.write(texts.save, "work", 1, {"title": {"en": ""}})
    assert await db.read(texts.load, "work", [1]) == {}


async def test_long_texts_and_any_letters_come_back_as_they_were(db: Database) -> None:
    text = "Ça coûte 5 € — 'quoted', \"double\", %s; DROP TABLE texts; \\ 札幌 🎭\n" * 2000
    await db.write(texts.save, "work", 1, {"statement": {"fr": text}})
    assert await db.read(texts.load, "work", [1]) == {1: {"statement": {"fr": text.strip()}}}


async def test_forgetting_takes_the_texts_of_one_thing(db: Database) -> None:
    for entity, id in (("work", 1), ("work", 2), ("person", 1)):
        await db.write(texts.save, entity, id, {"title": {"en": "Text"}})
    await db.write(texts.forget, "work", 1)
    assert await db.read(texts.load, "work", [1, 2]) == {2: {"title": {"en": "Text"}}}
    assert await db.read(texts.load, "person", [1]) == {1: {"title": {"en": "Text"}}}
