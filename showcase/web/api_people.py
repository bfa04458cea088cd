"""The rest of what people do on the pages, for programs: co-authors, invitations, cities."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from showcase.core import rules
from showcase.core.models import City
from showcase.core.names import slugify
from showcase.errors import Forbidden, Invalid, NotFound
from showcase.store import cities, people
from showcase.web import actions, desk, forms, network, shapes, words
from showcase.web.api import WORK
from showcase.web.keys import DB, now, signed_in
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import CityOut, Line, Slug, Tag

calls = Calls("people and cities")
CITY = "/api/v1/cities/{slug:[a-z0-9-]+}"
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]


class PersonOut(Shape):
    """Somebody who may edit a work."""

    slug: str
    name: str


class AuthorList(Shape):
    """Who may edit a work, beside the staff of its cities."""

    authors: list[PersonOut]


class AuthorIn(Model):
    """The address of somebody who has an account."""

    email: Email


@calls.call("GET", WORK + "/authors", "Who may edit a work", answers={200: AuthorList}, errors=[404], signed_in=True)
async def authors(request: web.Request) -> Answer:
    """The authors of a work."""
    _, work = await actions.work_for(request, "edit")
    found = await request.app[DB].read(people.by_ids, work.authors)
    return Answer({"authors": [{"slug": p.slug, "name": p.name} for p in found]})


@calls.call(
    "POST",
    WORK + "/authors",
    "Let one more person edit",
    body=AuthorIn,
    answers={201: PersonOut},
    errors=[404],
    signed_in=True,
)
async def add_author(request: web.Request, body: AuthorIn) -> Answer:
    """Add a co-author."""
    person = await actions.add_author(request, body.email)
    return Answer({"slug": person.slug, "name": person.name}, 201)


@calls.call(
    "DELETE",
    WORK + "/authors/{person:[a-z0-9-]+}",
    "Take a co-author off",
    answers={204: None},
    errors=[404, 409],
    signed_in=True,
)
async def remove_author(request: web.Request) -> Answer:
    """Take a co-author off."""
    _, work = await actions.work_for(request, "edit")
    person = await request.app[DB].read(people.by_slug, request.match_info["person"])
    if person.id not in work.authors:
        raise NotFound("no-such-person")
    await actions.remove_author(request, person.id)
    return Answer(status=204)


class InvitationIn(Model):
    """Whom to invite, as what, of which city. With an address the link is mailed there and not answered."""

    role: Literal["artist", "staff", "administrator"]
    city: Slug | None = None
    email: Email | None = None


class InvitationOut(Shape):
    """An invitation; `link` is null when it was mailed."""

    link: str | None


@calls.call(
    "POST", "/api/v1/invitations", "Invite somebody", body=InvitationIn, answers={201: InvitationOut}, signed_in=True
)
async def invite(request: web.Request, body: InvitationIn) -> Answer:
    """Invite somebody as artist or staff of one's city."""
    person = signed_in(request)
    if not rules.may_invite(person, body.role, body.city):
        raise Forbidden()
    if body.city is not None and body.city not in await network.all_cities(request):
        raise Invalid(fields={"city": "no-city"})
    link = await desk.send_invitation(request, person, body.role, body.city, body.email)
    return Answer({"link": None if body.email else link}, 201)


class CityIn(Model):
    """A city that joins the network. `languages`: the first is that of its name in its own script."""

    name: dict[Literal["en", "fr", "local"], Annotated[Line, Field(min_length=1, max_length=120)]]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    timezone: Annotated[str, Field(min_length=1, max_length=60)]
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    languages: Annotated[list[Tag], Field(min_length=1, max_length=12)]
    website: Annotated[str, Field(max_length=300, pattern=r"^[^\s\x00]+$")] | None = None
    joined: Annotated[int, Field(ge=2004, le=2200)] | None = None


@calls.call(
    "POST", "/api/v1/cities", "Let a city join", body=CityIn, answers={201: CityOut}, errors=[409], signed_in=True
)
async def add_city(request: web.Request, body: CityIn) -> Answer:
    """Add a city; its hue is worked out from its neighbours'."""
    rules.require_site(signed_in(request), "manage-cities")
    if set(body.name) != {"en", "fr", "local"}:
        raise Invalid(fields={"name": "required"})
    if not words.is_country(body.country):
        raise Invalid(fields={"country": "bad-country"})
    if not all(words.is_language(tag) for tag in body.languages):
        raise Invalid(fields={"languages": "bad-language"})
    new = City(
        slug=slugify(body.name["en"], "city")[:60].rstrip("-"),
        name_en=body.name["en"],
        name_fr=body.name["fr"],
        name_local=body.name["local"],
        lang_local=body.languages[0],
        country=body.country,
        zone=str(forms.zone({"timezone": body.timezone}, "timezone")),
        latitude=body.latitude,
        longitude=body.longitude,
        hue=0.0,
        languages=tuple(body.languages),
        website=body.website,
        joined_year=body.joined,
        retired_at=None,
    )
    return Answer(shapes.city_out(await request.app[DB].write(cities.add, now(request), new)), 201)


def _retiring(name: str, summary: str, *, retired: bool) -> None:
    @calls.call("POST", f"{CITY}/{name}", summary, answers={204: None}, errors=[404], signed_in=True)
    async def handle(request: web.Request) -> Answer:
        rules.require_site(signed_in(request), "manage-cities")
        await request.app[DB].write(cities.retire, now(request), request.match_info["slug"], retired=retired)
        return Answer(status=204)


_retiring("retire", "Take a city out of the lists", retired=True)
_retiring("return", "Bring a city back", retired=False)


class ProfileIn(Model):
    """What is to change of one's own account."""

    name: Annotated[Line, Field(min_length=1)] | None = None
    lang: Literal["en", "fr"] | None = None
    biography: dict[Literal["en", "fr"], shapes.Words] | None = None


@calls.call(
    "PATCH", "/api/v1/me", "Change my name, language, text", body=ProfileIn, answers={204: None}, signed_in=True
)
async def change_me(request: web.Request, body: ProfileIn) -> Answer:
    """Change one's profile. Passwords, sign-ins and tokens are changed in a browser alone."""
    person, db, at = signed_in(request), request.app[DB], now(request)
    if body.name is not None or body.lang is not None:
        await db.write(people.rename, at, person.id, body.name or person.name, body.lang or person.lang)
    if body.biography is not None:
        given: dict[str, str] = {str(k): v for k, v in body.biography.items()}
        await db.write(people.set_biography, at, person.id, given)
    return Answer(status=204)
