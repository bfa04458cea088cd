"""A whole server in the test's own loop: its clock can be turned, its people are there, its media is small and real-shaped."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, DummyCookieJar, web
from aiohttp.test_utils import TestClient
from blockbuster import blockbuster_ctx

from showcase import app as application
from showcase.core.models import Credit, Person, Rendition, Work
from showcase.settings import Settings
from showcase.store import access, assets, cities, people, works
from showcase.web.keys import DB, STORAGE

Client = TestClient[web.Request, web.Application]
START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PEOPLE = {
    "admin": ("administrator", None),
    "linz": ("staff", "linz"),
    "gwangju": ("staff", "gwangju"),
    "artist": ("artist", "linz"),
    "other": ("artist", "dakar"),
}


@dataclass
class House:
    """The server with what tests need to arrange and to ask."""

    client: Client
    app: web.Application
    data: Path
    moment: datetime = START
    people: dict[str, Person] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.moment

    def later(self, by: timedelta) -> None:
        """Turn the clock."""
        self.moment += by

    async def write(self, f: Any, *args: Any, **kwargs: Any) -> Any:
        """Run a store function in this server's process."""
        return await self.app[DB].write(f, *args, **kwargs)

    async def ask(
        self, method: str, path: str, who: str | None = None, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> ClientResponse:
        """One request as `who` (None: nobody), as the site's own scripts make it."""
        # An earlier answer may have made somebody's sign-in last longer: who asks is `who` alone.
        self.client.session.cookie_jar.clear()
        given = dict(headers or {})
        if who is not None:
            given["Cookie"] = f"showcase={self.cookies[who]}"
        if method not in ("GET", "HEAD"):
            given.setdefault("X-Requested-With", "showcase")
        return await self.client.request(method, path, headers=given, allow_redirects=False, **kwargs)

    async def work(self, who: str = "artist", **given: Any) -> Work:
        """A draft of `who`."""
        made: Work = await self.write(
            works.create,
            self.moment,
            self.people[who].id,
            fields=given.get("fields", {"title": {"en": "Tide", "fr": "Marée"}, "statement": {"en": "Slow."}}),
            medium=given.get("medium", "video"),
            in_cities=given.get("cities", ["linz"]),
            year=2026,
            original_lang=None,
            credit=[Credit("Ada", "artist", "linz", self.people[who].slug)],
        )
        return made

    async def film(self, work: Work, *, role: str = "work", lang: str = "und", state: str = "ready") -> str:
        """A file of a work with two pictures and a sound, eight seconds long; returns its id."""
        id = assets.new_id()
        storage = self.app[STORAGE]
        await storage.put(f"originals/{id}", b"original bytes of " + id.encode())
        await self.write(
            assets.add, self.moment, id, work.id, role=role, lang=lang, filename="tide.mp4", size=30,
            person=work.made_by,
        )  # fmt: skip
        made = [("v240", "video", 426, 240), ("v360", "video", 640, 360), ("a-und", "audio", 0, 0)]
        if role == "audio-description":
            made = made[2:]
        for name, kind, width, height in made:
            folder = f"media/{id}/1/{name}"
            for file in ("init.mp4", "s00000.m4s", "s00001.m4s"):
                await storage.put(f"{folder}/{file}", f"{id} {name} {file}".encode() * 50)
            codecs = "avc1.64001e" if kind == "video" else "mp4a.40.2"
            rendition = Rendition(
                name=name, kind=kind, lang=lang, width=width, height=height, fps=25.0 if width else 0.0, codecs=codecs,
                bandwidth=900_000, average=700_000, size_bytes=9000, durations_us=(4_000_000, 4_000_000), folder=folder,
            )  # fmt: skip
            await self.write(assets.add_rendition, self.moment, id, rendition)
        await self.write(assets.report, self.moment, id, state=state, stage=state, progress=1.0, duration_us=8_000_000)
        await self.write(assets.take_if_first, self.moment, id)
        return id

    async def captions(self, work: Work, lang: str = "en") -> str:
        """Captions of a work; returns their id."""
        id = assets.new_id()
        storage = self.app[STORAGE]
        await storage.put(f"originals/{id}", b"WEBVTT")
        await self.write(
            assets.add,
            self.moment,
            id,
            work.id,
            role="captions",
            lang=lang,
            filename="tide.vtt",
            size=6,
            person=work.made_by,
        )
        folder = f"media/{id}/1/captions"
        await storage.put(f"{folder}/captions.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n")
        rendition = Rendition(
            name="captions", kind="captions", lang=lang, width=0, height=0, fps=0.0, codecs="wvtt", bandwidth=0, average=0,
            size_bytes=40, durations_us=(2_000_000,), folder=folder,
        )  # fmt: skip
        await self.write(assets.add_rendition, self.moment, id, rendition)
        await self.write(
            assets.report, self.moment, id, state="ready", stage="ready", progress=1.0, details={"transcript": "Hello"}
        )
        await self.write(assets.take_if_first, self.moment, id)
        return id

    async def published(self, who: str = "artist", on_view: bool = True, **given: Any) -> tuple[Work, str]:
        """A public work with a film, on view without end (or never); returns it and the film's id."""
        work = await self.work(who, **given)
        asset = await self.film(work)
        answer = await self.ask(
            "POST",
            f"/api/v1/works/{work.slug}/publish",
            "admin",
            json={"on_view": {"from": None, "until": None} if on_view else None},
        )
        assert answer.status == 200, await answer.text()
        return await self.app[DB].read(works.work_by_id, work.id), asset

    async def csrf(self, who: str) -> str:
        """The token that this person's forms carry."""
        page = await (await self.ask("GET", "/en/account", who)).text()
        found = re.search(r'name="csrf" value="(\w+)"', page)
        assert found is not None
        return found[1]


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    return Settings(
        data=tmp_path,
        database=sqlite_url,
        secret="of the tests",
        workers=0,
        upload_quota=2_000_000,
        upload_max=1_000_000,
    )


@pytest.fixture
async def house(settings: Settings, aiohttp_client: Callable[..., Awaitable[Client]]) -> AsyncIterator[House]:
    """A server with five people. What blocks its loop fails the test that made it."""
    holder: list[House] = []
    app = application.make(settings, clock=lambda: holder[0].moment if holder else START, workers=False)
    # Who asks is said with each request: a jar would mix people up once a session is prolonged.
    client = await aiohttp_client(app, cookie_jar=DummyCookieJar())
    made = House(client, app, settings.data)
    holder.append(made)
    await made.write(cities.seed, START)
    for name, (role, city) in PEOPLE.items():
        person = await made.write(people.create, START, f"{name}@example.org", f"Sample {name.title()}")
        await made.write(people.give_role, START, person.id, role, city)
        made.people[name] = await app[DB].read(people.by_id, person.id)
        made.cookies[name] = await made.write(
            access.open_session,
            START,
            person.id,
            timedelta(days=30),
            "Mozilla/5.0 (X11; Linux) Chrome/150",
            "127.0.0.1",
        )
    with blockbuster_ctx("showcase") as blockbuster:
        # A few kilobytes at the first use of a zone.
        for name in ("os.stat", "io.BufferedReader.read"):
            blockbuster.functions[name].can_block_in("web/words.py", {"zone"})
        yield made
