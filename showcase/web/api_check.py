"""What would stand against a screening, for programs that plan one: asked while it is moved about, before it is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from showcase.core import rules, schedule
from showcase.store import festivals, screenings
from showcase.web import screening_checks, words
from showcase.web.api_programme import ConflictOut, SlotIn, conflicts_out, utc
from showcase.web.keys import DB, PERSON
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import Slug

calls = Calls("programme")


class CheckIn(Model):
    """A screening as it might become. `screening` null: a new one of the festival.

    `slots` left out: the works that are in it. A premiere without `ends` lasts as long as its works.
    """

    screening: Slug | None = None
    festival: Slug
    kind: Literal["on_demand", "premiere", "live"] = "premiere"
    room: Annotated[str, Field(max_length=60)] = ""
    starts: AwareDatetime
    ends: AwareDatetime | None = None
    slots: Annotated[list[SlotIn], Field(max_length=100)] | None = None


class CheckOut(Shape):
    """When it would end, and what would stand against it."""

    ends: str
    conflicts: list[ConflictOut]


@calls.call(
    "POST",
    "/api/v1/screenings/check",
    "What would stand against a screening",
    body=CheckIn,
    answers={200: CheckOut},
    errors=[404],
    signed_in=True,
)
async def check(request: web.Request, body: CheckIn) -> Answer:
    """Work it out and keep nothing, for those who may do it. The kind of a screening that is there stays what it is."""
    db, person = request.app[DB], request[PERSON]
    festival = await db.read(festivals.festival, body.festival)
    one = None
    if body.screening is not None:
        one = await db.read(screenings.screening, body.screening)
        rules.require_screening(person, "edit", one)
        festival = await db.read(festivals.by_id, one.festival)
    else:
        rules.require_festival(person, "edit", festival)
    zone = words.zone(one.zone if one is not None else festival.zone)
    ends, found = await screening_checks.suppose(
        request,
        festival,
        one,
        kind=one.kind if one is not None else body.kind,
        room=body.room,
        starts_local=schedule.on_clock(utc(body.starts), zone),
        ends_local=schedule.on_clock(utc(body.ends), zone) if body.ends is not None else None,
        shown=[(s.work, s.version, s.pause) for s in body.slots] if body.slots is not None else None,
    )
    answer: dict[str, Any] = {"ends": ends.astimezone(zone).isoformat(), "conflicts": conflicts_out(request, found)}
    return Answer(answer)
