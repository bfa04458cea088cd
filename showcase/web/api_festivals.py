"""Festivals, for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from showcase.core import rules
from showcase.core.models import Festival
from showcase.store import festivals
from showcase.web import (
    festival_actions,
    festival_channel,
    festival_look,
    forms,
    pictures,
    programme_texts,
)
from showcase.web.keys import DB, PERSON, SETTINGS
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import Slug, TextIn

calls = Calls("programme")
FESTIVAL = "/api/v1/festivals/{slug:[a-z0-9-]+}"
Zone = Annotated[str, Field(min_length=1, max_length=60)]
Rooms = Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=festival_channel.ROOMS)]
Loop = Annotated[list[Slug], Field(max_length=festival_channel.LOOP)]


class PictureOut(Shape):
    """The largest JPEG of a picture; sizes in pixels."""

    url: str
    width: int
    height: int


class FestivalOut(Shape):
    """One edition of a festival; `city` null: the network's. `rooms` are places beside the one on its channel.

    `hue` is its own colour, an OKLCH hue in degrees; null: its city's. `picture_alt` tells what is to be seen on
    its picture, by language. `loop` are the works that its channel shows between screenings, for those who may edit it.
    """

    slug: str
    city: str | None
    timezone: str
    title: dict[str, Any]
    starts_on: str
    ends_on: str
    hue: float | None
    picture: PictureOut | None
    picture_alt: dict[str, Any]
    state: Literal["draft", "published", "archived"]
    rooms: list[str]


class FestivalList(Shape):
    """Festivals, the latest first."""

    festivals: list[FestivalOut]


class FestivalIn(Model):
    """A festival. `city` null: the network's, for administrators."""

    slug: Slug | None = None
    city: Slug | None = None
    timezone: Zone
    title: TextIn
    text: TextIn | None = None
    picture_alt: TextIn | None = None
    starts_on: date
    ends_on: date
    hue: festival_look.Hue | None = None
    rooms: Annotated[Rooms, Field(default_factory=list)]


class FestivalChange(Model):
    """What is to change; what is left out stays. A room that a screening has stays, too.

    With `hue` null it has its city's colour. With another `timezone`, its screenings keep what the clock shows and move. `loop` are works that the caller may
    preview, accepted or published, of a length of their own.
    """

    timezone: Zone | None = None
    title: TextIn | None = None
    text: TextIn | None = None
    picture_alt: TextIn | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    hue: festival_look.Hue | None = None
    state: Literal["draft", "published", "archived"] | None = None
    rooms: Rooms | None = None
    loop: Loop | None = None
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


def festival_out(request: web.Request, festival: Festival) -> dict[str, Any]:
    """A festival as the API shows it."""
    site = request.app[SETTINGS].public_url
    found = {
        "slug": festival.slug,
        "url": {lang: f"{site}/{lang}/festivals/{festival.slug}" for lang in ("en", "fr")},
        "city": festival.city,
        "timezone": festival.zone,
        "title": dict(festival.texts.get("title", {})),
        "text": dict(festival.texts.get("text", {})),
        "starts_on": festival.starts_on.isoformat(),
        "ends_on": festival.ends_on.isoformat(),
        "hue": festival.hue,
        "picture": _picture_out(site, festival),
        "picture_alt": dict(festival.texts.get("picture_alt", {})),
        "state": festival.state,
        "revision": festival.revision,
        "rooms": list(festival.rooms),
    }
    if rules.allows_festival(request[PERSON], "edit", festival):
        found["loop"] = list(festival.loop)
    return found


def _picture_out(site: str, festival: Festival) -> dict[str, Any] | None:
    found = pictures.festival_preview(festival)
    return {"url": site + found[0], "width": found[1], "height": found[2]} if found is not None else None


@calls.call("GET", "/api/v1/festivals", "Festivals", answers={200: FestivalList})
async def list_festivals(request: web.Request) -> Answer:
    """Public festivals, and drafts of the caller's own cities."""
    found = await request.app[DB].read(festivals.listed)
    seen = [f for f in found if rules.allows_festival(request[PERSON], "see", f)]
    return Answer({"festivals": [festival_out(request, f) for f in seen]})


@calls.call(
    "POST", "/api/v1/festivals", "Make a festival", body=FestivalIn, answers={201: FestivalOut}, errors=[409], signed_in=True,
    headers={"Location": "the festival's address in the API"},
)  # fmt: skip
async def create_festival(request: web.Request, body: FestivalIn) -> Answer:
    """A draft of one's city."""
    made = await festival_actions.create(
        request,
        fields=programme_texts.given(title=body.title, text=body.text, picture_alt=body.picture_alt),
        city=body.city,
        zone=str(forms.zone({"timezone": body.timezone}, "timezone")),
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        slug=body.slug,
        hue=body.hue,
        rooms=body.rooms,
    )
    return Answer(festival_out(request, made), 201, {"Location": f"/api/v1/festivals/{made.slug}"})


@calls.call("GET", FESTIVAL, "One festival", answers={200: FestivalOut}, errors=[404])
async def one_festival(request: web.Request) -> Answer:
    """A festival as the caller may see it."""
    return Answer(festival_out(request, await festival_actions.festival_for(request, "see")))


@calls.call(
    "PATCH",
    FESTIVAL,
    "Change a festival",
    body=FestivalChange,
    answers={200: FestivalOut},
    errors=[404, 409],
    signed_in=True,
)
async def change_festival(request: web.Request, body: FestivalChange) -> Answer:
    """Change what is given."""
    festival = await festival_actions.festival_for(request, "edit")
    values: dict[str, Any] = {n: v for n in ("starts_on", "ends_on", "state") if (v := getattr(body, n)) is not None}
    if "hue" in body.model_fields_set:
        values["hue"] = body.hue
    if body.timezone is not None:
        values["zone"] = str(forms.zone({"timezone": body.timezone}, "timezone"))
    changed = await festival_actions.update(
        request,
        festival,
        values=values,
        fields=programme_texts.given(title=body.title, text=body.text, picture_alt=body.picture_alt),
        revision=body.revision,
        rooms=body.rooms,
        loop=body.loop,
    )
    return Answer(festival_out(request, changed))


@calls.call(
    "PUT",
    f"{FESTIVAL}/picture",
    "Set a festival's picture",
    answers={200: FestivalOut},
    errors=[404],
    signed_in=True,
    takes=("image/jpeg", "image/png", "image/webp", "image/tiff"),
)
async def set_picture(request: web.Request) -> Answer:
    """The bytes of a JPEG, PNG, WebP or TIFF of at least 640 pixels in width and at most 15 MB."""
    festival = await festival_actions.festival_for(request, "edit")
    await festival_look.set_picture(request, festival, await festival_look.picture_sent(request))
    return Answer(festival_out(request, await festival_actions.festival_for(request, "edit")))


@calls.call(
    "DELETE", f"{FESTIVAL}/picture", "Remove a festival's picture", answers={204: None}, errors=[404], signed_in=True
)
async def remove_picture(request: web.Request) -> Answer:
    """Nothing to remove is fine."""
    festival = await festival_actions.festival_for(request, "edit")
    await festival_look.remove_picture(request, festival)
    return Answer(status=204)
