"""People, their roles, names and texts."""

from __future__ import annotations

import asyncio

import pytest

from showcase.core.models import Person, Role
from showcase.errors import NotFound
from showcase.store import events, people
from showcase.store.database import Database
from tests.store.rows import NOW, person, seed, sizes


async def test_an_address_has_one_account_however_it_is_written(db: Database) -> None:
    mara = await db.write(people.create, NOW, "Mara@Example.ORG ", " Mara ")
    assert mara == Person(mara.id, "mara@example.org", "Mara", "mara", "en")
    assert await db.write(people.create, NOW, " mara@example.org", "Somebody", lang="fr") == mara
    assert await db.read(people.by_email, "MARA@example.org") == mara
    assert await db.read(people.by_email, "nobody@example.org") is None


async def test_an_account_asked_for_at_once_is_made_once(db: Database) -> None:
    made = await asyncio.gather(*(db.write(people.create, NOW, "mara@example.org", "Mara") for _ in range(20)))
    assert len({m.id for m in made}) == 1
    assert await db.read(sizes) == {"people": 1}


async def test_who_gives_no_name_is_called_as_the_address_begins(db: Database) -> None:
    assert (await db.write(people.create, NOW, "studio.nord@example.org", " ")).name == "studio.nord"


async def test_addresses_of_people_are_unique_ascii_for_every_script(db: Database) -> None:
    names = ["Zoë Müller", "Zoe Muller", "札幌 花子", "محمد", "Ольга", "Zoe", "Łukasz", "new", "", "🎭"]
    slugs = [(await db.write(people.create, NOW, f"n{n}@example.org", name)).slug for n, name in enumerate(names)]
    assert slugs == [
        "zoe-muller",
        "zoe-muller-2",
        "artist",
        "artist-2",
        "artist-3",
        "zoe",
        "lukasz",
        "artist-4",
        "n8",
        "artist-5",
    ]
    assert [(await db.read(people.by_slug, s)).name for s in slugs[:3]] == names[:3]


async def test_many_of_one_name_at_once_have_addresses_of_their_own(db: Database) -> None:
    made = await asyncio.gather(*(db.write(person, "Ana Silva") for _ in range(25)))
    assert sorted(p.slug for p in made) == sorted(["ana-silva", *(f"ana-silva-{n}" for n in range(2, 26))])


async def test_nobody_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound, match="no-such-person"):
        await db.read(people.by_id, 4711)
    with pytest.raises(NotFound, match="no-such-person"):
        await db.read(people.by_slug, "nobody")


async def test_roles_are_given_once_and_taken(db: Database) -> None:
    await db.write(seed)
    mara = await db.write(person)
    roles = [("administrator", None), ("staff", "york"), ("artist", "york"), ("artist", "braga")]
    for role, city in roles:
        await asyncio.gather(*(db.write(people.give_role, NOW, mara.id, role, city) for _ in range(4)))
    found = await db.read(people.by_id, mara.id)
    assert sorted(found.roles, key=str) == sorted((Role(r, c) for r, c in roles), key=str)
    assert (found.administrator, found.staff_of, found.artist_of) == (True, {"york"}, {"york", "braga"})
    assert (await db.read(sizes))["roles"] == 4

    await db.write(people.take_role, NOW, mara.id, "administrator", None)
    await db.write(people.take_role, NOW, mara.id, "artist", "york")
    assert sorted((await db.read(people.by_id, mara.id)).roles, key=str) == [
        Role("artist", "braga"),
        Role("staff", "york"),
    ]


async def test_people_are_listed_by_name_and_by_city(db: Database) -> None:
    await db.write(seed)
    ana, mara, zoe = [await db.write(person, n) for n in ("Ana", "Mara", "Zoë")]
    for who, city in ((ana, "york"), (mara, "braga"), (mara, "york")):
        await db.write(people.give_role, NOW, who.id, "artist", city)

    def names(found: list[Person]) -> list[str]:
        return [p.name for p in found]

    assert names(await db.read(people.everybody, None)) == ["Ana", "Mara", "Zoë"]
    assert names(await db.read(people.everybody, frozenset({"york"}))) == ["Ana", "Mara"]
    assert names(await db.read(people.everybody, frozenset({"york", "braga"}))) == ["Ana", "Mara"]
    assert names(await db.read(people.everybody, frozenset())) == []
    assert names(await db.read(people.everybody, None, 2)) == ["Ana", "Mara"]
    assert names(await db.read(people.by_ids, [zoe.id, ana.id, 4711])) == ["Ana", "Zoë"]
    assert await db.read(people.by_ids, []) == []


async def test_a_new_name_keeps_the_address_of_the_page(db: Database) -> None:
    mara = await db.write(person, "Mara Lindqvist", "mara@example.org")
    await db.write(people.rename, NOW, mara.id, " Mara Berg ", "fr")
    assert await db.read(people.by_slug, "mara-lindqvist") == Person(
        mara.id, "mara@example.org", "Mara Berg", "mara-lindqvist", "fr"
    )


async def test_a_password_is_found_by_address_unless_the_account_is_closed(db: Database) -> None:
    mara = await db.write(person, "Mara", "mara@example.org")
    assert await db.read(people.password_hash, "mara@example.org") is None
    await db.write(people.set_password_hash, mara.id, "$argon2id$v=19$…")
    assert await db.read(people.password_hash, " MARA@example.org") == (mara.id, "$argon2id$v=19$…")
    assert (await db.read(people.by_id, mara.id)).has_password is True
    await db.write(people.set_disabled, NOW, mara.id, disabled=True)
    assert await db.read(people.password_hash, "mara@example.org") is None
    assert (await db.read(people.by_id, mara.id)).disabled is True
    await db.write(people.set_disabled, NOW, mara.id, disabled=False)
    await db.write(people.set_password_hash, mara.id, None)
    assert await db.read(people.password_hash, "mara@example.org") is None
    assert await db.read(people.password_hash, "nobody@example.org") is None


async def test_a_biography_has_a_text_a_language(db: Database) -> None:
    mara = await db.write(person)
    assert await db.read(people.biography, mara.id) == {}
    await db.write(people.set_biography, NOW, mara.id, {"en": "Makes films.", "ja": "映像作家。"})
    await db.write(people.set_biography, NOW, mara.id, {"en": " ", "fr": "Fait des films."})
    assert await db.read(people.biography, mara.id) == {"ja": "映像作家。", "fr": "Fait des films."}


async def test_what_changes_about_a_person_is_told(db: Database) -> None:
    mara = await db.write(person)
    changes = (
        (people.give_role, (mara.id, "administrator", None)),
        (people.give_role, (mara.id, "administrator", None)),
        (people.take_role, (mara.id, "administrator", None)),
        (people.rename, (mara.id, "Mara Berg", "en")),
        (people.set_biography, (mara.id, {"en": "Text"})),
    )
    for change, given in changes:
        await db.write(change, NOW, *given)  # type: ignore[operator]
    told = [(e.topic, e.data) for e in await db.read(events.since, 0)]
    assert told == [("person", {"id": mara.id})] * 4
