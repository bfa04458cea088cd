"""A festival's rooms, and the loop of works that its channel shows between screenings: what is checked before they are kept."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from aiohttp import web

from showcase.core import rules
from showcase.core.models import SHOWABLE, Festival
from showcase.errors import Invalid, NotFound
from showcase.store import screenings, works
from showcase.web.keys import PERSON

ROOMS, ROOM_LENGTH, LOOP = 12, 60, 50
ON_A_CHANNEL = ("video", "audio", "360")


def rooms_typed(text: str) -> list[str]:
    """Names as they are typed: one a line."""
    return [name for line in text.splitlines() if (name := " ".join(line.split()))]


def check_rooms(tx: sa.Connection, festival: Festival | None, rooms: Sequence[str]) -> None:
    """Raise Invalid unless these can be a festival's rooms: few, short, distinct, and with each one that is in use."""
    if len(rooms) > ROOMS:
        raise Invalid(fields={"rooms": "too-many-rooms"}, most=ROOMS)
    if any(len(name) > ROOM_LENGTH for name in rooms):
        raise Invalid(fields={"rooms": "too-long"})
    if any(not name.strip() or not name.isprintable() for name in rooms):
        raise Invalid(fields={"rooms": "bad-choice"})
    if len({name.casefold() for name in rooms}) < len(rooms):
        raise Invalid(fields={"rooms": "room-twice"})
    if festival is None:
        return
    for room, title in screenings.rooms_in_use(tx, festival.id).items():
        if room not in rooms:
            raise Invalid(fields={"rooms": "room-in-use"}, room=room, title=title)


def loop_works(tx: sa.Connection, request: web.Request, festival: Festival, loop: Sequence[str]) -> list[int]:
    """The works of a loop by number. Who puts one in may preview it; what is in already may stay."""
    if len(loop) > LOOP:
        raise Invalid(fields={"loop": "too-long"})
    found = []
    for n, slug in enumerate(loop):
        try:
            work = works.work(tx, slug)
        except NotFound:
            work = None
        if work is None or not (slug in festival.loop or rules.allows(request[PERSON], "preview", work)):
            raise Invalid(fields={f"loop.{n}": "no-such-work"})
        if slug not in festival.loop and work.state not in SHOWABLE:
            raise Invalid(fields={f"loop.{n}": "loop-not-accepted"})
        still = work.main is not None and bool(work.main.details.get("images"))
        if work.medium not in ON_A_CHANNEL or still:
            raise Invalid(fields={f"loop.{n}": "loop-without-length"})
        found.append(work.id)
    return found
