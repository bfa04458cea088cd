"""The desk: staff see the works of their cities and invite people; administrators care for cities, people and mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import web

from showcase.core import rules
from showcase.core.failures import N_
from showcase.core.languages import normal_tag
from showcase.core.models import City, Person
from showcase.core.names import slugify
from showcase.errors import Conflict, Forbidden, Invalid
from showcase.store import access, cities, jobs, outbox, people, works
from showcase.web import forms, mails, network, words
from showcase.web.forms import back, form
from showcase.web.keys import DB, LANG, SETTINGS, now, signed_in
from showcase.web.limits import limit
from showcase.web.pages import render

PRIVATE = {"Cache-Control": "private, no-store"}
PAGE = 50
SUBJECT = N_("You are invited to {site}")
BODY = N_("Hello,\n\n{who} invites you to {site}. Open this link within {days} days to begin:\n\n{link}\n")
ROLES = ("artist", "staff", "administrator")


def _staff(request: web.Request) -> Person:
    person = signed_in(request)
    rules.require_site(person, "see-desk")
    return person


def _administrator(request: web.Request, action: rules.SiteAction) -> Person:
    person = signed_in(request)
    rules.require_site(person, action)
    return person


def _cities(person: Person) -> frozenset[str] | None:
    return None if person.administrator else person.staff_of


async def index(request: web.Request) -> web.Response:
    """The works of one's cities, those that wait for an answer first."""
    person = _staff(request)
    state = request.query.get("state", "")
    states = (state,) if state in ("draft", "submitted", "accepted", "published", "withdrawn") else ()
    page = words.whole(request.query.get("page"), 1, 100_000) or 1
    db, own = request.app[DB], _cities(person)
    which = works.Filter(states=states, cities=own)
    found = await db.read(works.listed, which, PAGE, None, (page - 1) * PAGE)
    waiting = await db.read(works.listed, works.Filter(states=("submitted",), cities=own), PAGE)
    if page == 1 and not states:
        # Who waits for an answer stands on top, however long ago they asked.
        found = waiting + [w for w in found if w.state != "submitted"]
    total = await db.read(works.count, which)
    return render(
        request,
        "desk/index.html",
        headers=PRIVATE,
        works=found,
        state=state,
        waiting=await db.read(works.count, works.Filter(states=("submitted",), cities=own)),
        cities=await network.all_cities(request),
        own=own,
        page=page,
        pages=max(1, -(-total // PAGE)),
    )


async def people_page(request: web.Request) -> web.Response:
    """Who has a role in one's cities, and who is invited."""
    return await _people(request, _staff(request))


async def _people(
    request: web.Request, person: Person, *, status: int = 200, typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None, link: str | None = None, mailed: str | None = None,
) -> web.Response:  # fmt: skip
    own, db = _cities(person), request.app[DB]
    known = await network.all_cities(request)
    mine = [c for c in network.active(known) if own is None or c.slug in own]
    return render(
        request,
        "desk/people.html",
        status=status,
        headers=PRIVATE,
        people=await db.read(people.everybody, own),
        invitations=await db.read(access.invitations, own),
        cities=known,
        own=own,
        choices=mine,
        roles=ROLES if person.administrator else ROLES[:2],
        typed=typed or {},
        errors=errors or {},
        link=link,
        mailed=mailed,
        has_server=request.app[SETTINGS].smtp is not None,
    )


async def invite(request: web.Request) -> web.Response:
    """Invite somebody as artist or staff of a city. The link is shown once, and mailed when there is an address."""
    person, fields = _staff(request), await form(request)
    role, city = fields.get("role", ""), fields.get("city", "") or None
    try:
        if role not in ROLES:
            raise Invalid(fields={"role": "bad-choice"})
        if role == "administrator":
            city = None
        elif city is None or city not in await network.all_cities(request):
            raise Invalid(fields={"city": "no-city"})
        address = forms.email(fields) if fields.get("email", "").strip() else None
    except Invalid as error:
        return await _people(request, person, status=422, typed=dict(fields), errors=error.fields)
    if not rules.may_invite(person, role, city):
        raise Forbidden()
    link = await send_invitation(request, person, role, city, address)
    if address is not None:
        # Whoever has the link is taken for the owner of the address: it goes there and is not shown.
        return await _people(request, person, mailed=address)
    return await _people(request, person, link=link)


async def send_invitation(
    request: web.Request, person: Person, role: str, city: str | None, address: str | None
) -> str:
    """Make an invitation, mail it when there is an address, and return its link. The caller has asked the rules."""
    settings, at = request.app[SETTINGS], now(request)
    limit(request, "invite", str(person.id))
    secret = await request.app[DB].write(
        access.make_link,
        at,
        "invitation",
        timedelta(days=settings.invitation_days),
        email=address,
        role=role,
        city=city,
        made_by=person.id,
    )
    link = f"{settings.public_url}/{request[LANG]}/invitation/{secret}"
    if address is not None:
        days = settings.invitation_days
        await mails.post(request, address, request[LANG], SUBJECT, BODY, link=link, who=person.name, days=days)
    return link


async def revoke(request: web.Request) -> web.Response:
    """Take an invitation back."""
    person, fields = _staff(request), await form(request)
    found = await request.app[DB].read(access.find_invitation, fields.get("invitation", ""))
    if not rules.may_invite(person, found.role or "", found.city):
        raise Forbidden()
    await request.app[DB].write(access.revoke, now(request), found.public_id)
    return back(f"/{request[LANG]}/desk/people")


async def take_role(request: web.Request) -> web.Response:
    """End a role that one may give."""
    person, fields = _staff(request), await form(request)
    role, city = fields.get("role", ""), fields.get("city", "") or None
    if not rules.may_invite(person, role, city):
        raise Forbidden()
    target = forms.number(fields, "person", 1, 2**31 - 1) or 0
    if role == "administrator" and target == person.id:
        # Somebody must be left who can open the door again.
        raise Conflict("own-role")
    await request.app[DB].write(people.take_role, now(request), target, role, city)
    return back(f"/{request[LANG]}/desk/people")


async def disable(request: web.Request) -> web.Response:
    """Close an account, or open it again."""
    person, fields = _administrator(request, "see-administration"), await form(request)
    target = forms.number(fields, "person", 1, 2**31 - 1) or 0
    if target == person.id:
        raise Conflict("own-role")
    closed = fields.get("disabled") == "1"
    await request.app[DB].write(people.set_disabled, now(request), target, disabled=closed)
    if closed:
        await request.app[DB].write(access.close_sessions, target)
    return back(f"/{request[LANG]}/desk/people")


async def cities_page(request: web.Request) -> web.Response:
    """The cities, and a form for one that joins."""
    _administrator(request, "manage-cities")
    return await _city_form(request)


async def _city_form(
    request: web.Request, *, status: int = 200, typed: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None,
    **params: object,
) -> web.Response:  # fmt: skip
    return render(
        request, "desk/cities.html", status=status, headers=PRIVATE, cities=await network.all_cities(request),
        typed=typed or {}, errors=errors or {}, error_params=params,
    )  # fmt: skip


async def add_city(request: web.Request) -> web.Response:
    """Let a city join."""
    _administrator(request, "manage-cities")
    fields = await form(request)
    try:
        await request.app[DB].write(cities.add, now(request), _city(fields))
    except Invalid as error:
        return await _city_form(request, status=422, typed=dict(fields), errors=error.fields)
    except Conflict as error:
        return await _city_form(request, status=409, typed=dict(fields), errors={"name_en": error.code}, **error.params)
    return back(f"/{request[LANG]}/desk/cities")


def _city(fields: Mapping[str, str]) -> City:
    errors: dict[str, str] = {}

    def text(name: str, limit: int = 120) -> str:
        value = fields.get(name, "").strip()
        if not value:
            errors[name] = "required"
        elif len(value) > limit:
            errors[name] = "too-long"
        return value

    def degrees(name: str, most: float) -> float:
        try:
            value = float(fields.get(name, "").replace(",", "."))
        except ValueError:
            value = float("nan")
        if not -most <= value <= most:
            errors[name] = "bad-number"
            return 0.0
        return value

    name_en, name_fr, local = text("name_en"), text("name_fr"), text("name_local")
    tags = [normal_tag(t) for t in re.split(r"[\s,;]+", fields.get("languages", "")) if t]
    if not tags or not all(t is not None and words.is_language(t) for t in tags):
        errors["languages"] = "bad-language"
    country = fields.get("country", "").strip().upper()
    if not words.is_country(country):
        errors["country"] = "bad-country"
    try:
        zone = str(forms.zone(fields))
    except Invalid:
        errors["zone"], zone = "bad-zone", "UTC"
    website = fields.get("website", "").strip() or None
    latitude, longitude = degrees("latitude", 90), degrees("longitude", 180)
    year = None
    try:
        year = forms.number(fields, "joined_year", 2004, 2200)
    except Invalid as error:
        errors |= error.fields
    if website and not re.fullmatch(r"(https?://)?[\w-]+(\.[\w-]+)+(/\S*)?", website[:300]):
        errors["website"] = "bad-address"
    if errors:
        raise Invalid(fields=errors)
    languages = tuple(t for t in tags if t is not None)
    return City(
        slug=slugify(name_en, "city")[:60].rstrip("-"), name_en=name_en, name_fr=name_fr, name_local=local, lang_local=languages[0], country=country,
        zone=zone, latitude=latitude, longitude=longitude, hue=0.0, languages=languages, website=website, joined_year=year,
        retired_at=None,
    )  # fmt: skip


async def retire_city(request: web.Request) -> web.Response:
    """Take a city out of the lists, or bring it back."""
    _administrator(request, "manage-cities")
    fields = await form(request)
    await request.app[DB].write(
        cities.retire, now(request), fields.get("city", ""), retired=fields.get("retired") == "1"
    )
    return back(f"/{request[LANG]}/desk/cities")


async def outbox_page(request: web.Request) -> web.Response:
    """Mails that were not sent by a mail server: where none is set, they are read here."""
    _administrator(request, "read-outbox")
    db = request.app[DB]
    return render(
        request,
        "desk/outbox.html",
        headers=PRIVATE,
        mails=await db.read(outbox.newest, 100),
        has_server=request.app[SETTINGS].smtp is not None,
    )


async def jobs_page(request: web.Request) -> web.Response:
    """How much waits, and what failed and why."""
    _administrator(request, "see-administration")
    db = request.app[DB]
    return render(
        request,
        "desk/jobs.html",
        headers=PRIVATE,
        counts=await db.read(jobs.counts),
        failed=await db.read(jobs.failed, 100),
    )


def routes(app: web.Application) -> None:
    """Mount the desk."""
    router, base = app.router, "/{lang:en|fr}/desk"
    router.add_get(base, index)
    router.add_get(f"{base}/people", people_page)
    router.add_post(f"{base}/people/invite", invite)
    router.add_post(f"{base}/people/revoke", revoke)
    router.add_post(f"{base}/people/role", take_role)
    router.add_post(f"{base}/people/disable", disable)
    router.add_get(f"{base}/cities", cities_page)
    router.add_post(f"{base}/cities", add_city)
    router.add_post(f"{base}/cities/retire", retire_city)
    router.add_get(f"{base}/outbox", outbox_page)
    router.add_get(f"{base}/jobs", jobs_page)
