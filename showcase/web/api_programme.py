"""Festivals and screenings, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from showcase.core import rules, schedule
from showcase.core.models import Festival, Screening
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import festivals, history, screenings
from showcase.web import (
    channel_streams,
    codes,
    festival_channel,
    forms,
    on_channel,
    programme_actions,
    streams,
    territory,
    words,
)
from showcase.web.door import DOOR
from showcase.web.keys import DB, LANG, PERSON, SETTINGS, SHOWINGS, now
from showcase.web.limits import limit
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import PlayOut, Slug, TextIn

calls = Calls("programme")
FESTIVAL = "/api/v1/festivals/{slug:[a-z0-9-]+}"
SCREENING = "/api/v1/screenings/{slug:[a-z0-9-]+}"
Zone = Annotated[str, Field(min_length=1, max_length=60)]
Rooms = Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=festival_channel.ROOMS)]
Loop = Annotated[list[Slug], Field(max_length=festival_channel.LOOP)]


class FestivalOut(Shape):
    """One edition of a festival; `city` null: the network's. `rooms` are places beside the one on its channel.

    `loop` are the works that its channel shows between screenings, for those who may edit it.
    """

    slug: str
    city: str | None
    timezone: str
    title: dict[str, Any]
    starts_on: str
    ends_on: str
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
    starts_on: date
    ends_on: date
    rooms: Annotated[Rooms, Field(default_factory=list)]


class FestivalChange(Model):
    """What is to change; what is left out stays. A room that a screening has stays, too.

    With another `timezone`, its screenings keep what the clock shows and move. `loop` are works that the caller may
    preview, accepted or published, of a length of their own.
    """

    timezone: Zone | None = None
    title: TextIn | None = None
    text: TextIn | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    state: Literal["draft", "published", "archived"] | None = None
    rooms: Rooms | None = None
    loop: Loop | None = None
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class ConflictOut(Shape):
    """What stands against a screening (`error`) or is worth a look (`warning`)."""

    code: str
    severity: Literal["error", "warning"]
    detail: str


class ScreeningOut(Shape):
    """A screening. `conflicts` are for those who may edit it."""

    slug: str
    festival: str
    co_hosts: list[str]
    kind: Literal["on_demand", "premiere", "live"]
    state: Literal["draft", "published", "withdrawn"]
    phase: Literal["upcoming", "on_air", "replay", "ended"]
    title: dict[str, Any]
    starts: str
    ends: str
    timezone: str
    slots: list[dict[str, Any]]


class ScreeningList(Shape):
    """Screenings, by time."""

    screenings: list[ScreeningOut]


class SlotIn(Model):
    """A work; `version` null: the one that is taken when it opens. In a premiere `pause` seconds of slate follow it."""

    work: Slug
    version: Annotated[str, Field(pattern=r"^[0-9a-z]{1,32}$")] | None = None
    pause: Annotated[int, Field(ge=0, le=86_400)] = 0


class ScreeningIn(Model):
    """A screening. `starts` and `ends` are moments; they are kept as what the festival's clock shows then.

    A premiere without `ends` lasts as long as its works. `room` is one of the festival's; empty: the channel's.
    `closed`: only with an access code.
    """

    festival: Slug
    co_hosts: Annotated[list[Slug], Field(max_length=30, default_factory=list)]
    kind: Literal["on_demand", "premiere", "live"] = "on_demand"
    title: TextIn
    text: TextIn | None = None
    languages: TextIn | None = None
    notes: TextIn | None = None
    starts: AwareDatetime
    ends: AwareDatetime | None = None
    replay_until: AwareDatetime | None = None
    room: Annotated[str, Field(max_length=60)] = ""
    slots: Annotated[list[SlotIn], Field(max_length=100, default_factory=list)]
    minimum_age: Annotated[int, Field(ge=0, le=21)] | None = None
    closed: bool = False


class ScreeningChange(Model):
    """What is to change; what is left out stays. `revision`: refuse when somebody saved since that one."""

    co_hosts: Annotated[list[Slug], Field(max_length=30)] | None = None
    title: TextIn | None = None
    text: TextIn | None = None
    languages: TextIn | None = None
    notes: TextIn | None = None
    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    replay_until: AwareDatetime | None = None
    room: Annotated[str, Field(max_length=60)] | None = None
    slots: Annotated[list[SlotIn], Field(max_length=100)] | None = None
    minimum_age: Annotated[int, Field(ge=0, le=21)] | None = None
    closed: bool | None = None
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
        "state": festival.state,
        "revision": festival.revision,
        "rooms": list(festival.rooms),
    }
    if rules.allows_festival(request[PERSON], "edit", festival):
        found["loop"] = list(festival.loop)
    return found


def screening_out(
    request: web.Request, screening: Screening, conflicts: tuple[schedule.Conflict, ...] | None = None
) -> dict[str, Any]:
    """A screening as the API shows it; times carry the offset that its zone has then."""
    zone, site = words.zone(screening.zone), request.app[SETTINGS].public_url
    found: dict[str, Any] = {
        "slug": screening.slug,
        "url": {lang: f"{site}/{lang}/screenings/{screening.slug}" for lang in ("en", "fr")},
        "festival": screening.festival_slug,
        "co_hosts": list(screening.hosts),
        "kind": screening.kind,
        "state": screening.state,
        "phase": schedule.phase(screening, now(request)),
        "title": dict(screening.texts.get("title", {})),
        "text": dict(screening.texts.get("text", {})),
        "starts": screening.starts.astimezone(zone).isoformat(),
        "ends": screening.ends.astimezone(zone).isoformat(),
        "timezone": screening.zone,
        "captions": list(screening.languages),
        "minimum_age": screening.minimum_age,
        "languages": dict(screening.texts.get("languages", {})),
        "notes": dict(screening.texts.get("notes", {})),
        "slots": [{"work": s.work_slug, "version": s.version, "pause": s.pause_s} for s in screening.slots],
        "room": screening.room,
        "closed": screening.closed,
        "stage": None,
        "replay_until": screening.replay_until.astimezone(zone).isoformat() if screening.replay_until else None,
    }
    if conflicts is not None:
        found["revision"] = screening.revision
        found["conflicts"] = conflicts_out(request, conflicts)
    return found


def conflicts_out(request: web.Request, conflicts: Sequence[schedule.Conflict]) -> list[dict[str, str]]:
    """What stands against a screening, in the caller's language."""
    return [
        {"code": c.code, "severity": c.severity, "detail": words.sentence(c.code, c.params, request[LANG])}
        for c in conflicts
    ]


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
    made = await programme_actions.create_festival(
        request,
        fields=programme_actions.given(title=body.title, text=body.text),
        city=body.city,
        zone=str(forms.zone({"timezone": body.timezone}, "timezone")),
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        slug=body.slug,
        rooms=body.rooms,
    )
    return Answer(festival_out(request, made), 201, {"Location": f"/api/v1/festivals/{made.slug}"})


@calls.call("GET", FESTIVAL, "One festival", answers={200: FestivalOut}, errors=[404])
async def one_festival(request: web.Request) -> Answer:
    """A festival as the caller may see it."""
    return Answer(festival_out(request, await programme_actions.festival_for(request, "see")))


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
    festival = await programme_actions.festival_for(request, "edit")
    values: dict[str, Any] = {n: v for n in ("starts_on", "ends_on", "state") if (v := getattr(body, n)) is not None}
    if body.timezone is not None:
        values["zone"] = str(forms.zone({"timezone": body.timezone}, "timezone"))
    changed = await programme_actions.update_festival(
        request,
        festival,
        values=values,
        fields=programme_actions.given(title=body.title, text=body.text),
        revision=body.revision,
        rooms=body.rooms,
        loop=body.loop,
    )
    return Answer(festival_out(request, changed))


class ScreeningsQuery(Model):
    """Which: of one festival (its staff see drafts too), or all that touch a stretch of time (at most 62 days)."""

    festival: Slug | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


@calls.call(
    "GET",
    "/api/v1/screenings",
    "Screenings, by time",
    query=ScreeningsQuery,
    answers={200: ScreeningList},
    errors=[404],
)
async def list_screenings(request: web.Request, query: ScreeningsQuery) -> Answer:
    """A festival's programme, or the network's from now on for a month."""
    db, person = request.app[DB], request[PERSON]
    if query.festival is not None:
        festival = await db.read(festivals.festival, query.festival)
        rules.require_festival(person, "see", festival)
        inside = rules.allows_festival(person, "edit", festival)
        found = await db.read(screenings.of_festival, festival.id, public=not inside)
    else:
        since = utc(query.since) if query.since is not None else now(request)
        until = utc(query.until) if query.until is not None else since + timedelta(days=31)
        if not since < until <= since + timedelta(days=62):
            raise Invalid(fields={"until": "window-order"})
        found = await db.read(screenings.between, since, until)
    return Answer({"screenings": [screening_out(request, s) for s in found]})


def utc(moment: datetime) -> datetime:
    try:
        found = moment.astimezone(UTC)
    except OverflowError:
        raise Invalid(fields={"since": "bad-time"}) from None
    if not 1900 <= found.year <= 2200:
        raise Invalid(fields={"since": "bad-time"})
    return found


@calls.call(
    "POST", "/api/v1/screenings", "Make a screening", body=ScreeningIn, answers={201: ScreeningOut}, errors=[404], signed_in=True,
    headers={"Location": "the screening's address in the API"},
)  # fmt: skip
async def create_screening(request: web.Request, body: ScreeningIn) -> Answer:
    """A draft, always, with what stands against it."""
    festival = await request.app[DB].read(festivals.festival, body.festival)
    rules.require_festival(request[PERSON], "edit", festival)
    zone = words.zone(festival.zone)
    made = await programme_actions.create_screening(
        request,
        festival,
        kind=body.kind,
        starts_local=schedule.on_clock(utc(body.starts), zone),
        ends_local=schedule.on_clock(utc(body.ends), zone) if body.ends is not None else None,
        fields=programme_actions.given(title=body.title, text=body.text, languages=body.languages, notes=body.notes),
        shown=[(s.work, s.version, s.pause) for s in body.slots],
        hosts=body.co_hosts,
        minimum_age=body.minimum_age,
        room=body.room,
        closed=body.closed,
        replay_until_local=schedule.on_clock(utc(body.replay_until), zone) if body.replay_until is not None else None,
    )
    found = await programme_actions.conflicts(request, made)
    return Answer(screening_out(request, made, found), 201, {"Location": f"/api/v1/screenings/{made.slug}"})


@calls.call("GET", SCREENING, "One screening", answers={200: ScreeningOut}, errors=[404])
async def one_screening(request: web.Request) -> Answer:
    """A screening as the caller may see it."""
    screening = await programme_actions.screening_for(request, "see")
    inside = rules.allows_screening(request[PERSON], "edit", screening)
    found = await programme_actions.conflicts(request, screening) if inside else None
    return Answer(screening_out(request, screening, found))


@calls.call(
    "PATCH",
    SCREENING,
    "Change a screening",
    body=ScreeningChange,
    answers={200: ScreeningOut},
    errors=[404, 409],
    signed_in=True,
)
async def change_screening(request: web.Request, body: ScreeningChange) -> Answer:
    """Change what is given."""
    screening = await programme_actions.screening_for(request, "edit")
    zone = words.zone(screening.zone)
    local = None
    if body.model_fields_set & {"starts", "ends", "replay_until"}:
        starts = schedule.on_clock(utc(body.starts), zone) if body.starts is not None else screening.starts_local
        ends = schedule.on_clock(utc(body.ends), zone) if body.ends is not None else screening.ends_local
        replay = screening.replay_until_local
        if "replay_until" in body.model_fields_set:
            replay = schedule.on_clock(utc(body.replay_until), zone) if body.replay_until is not None else None
        local = (starts, ends, replay, screening.zone)
    values: dict[str, Any] = {n: v for n in ("room", "closed") if (v := getattr(body, n)) is not None}
    if "minimum_age" in body.model_fields_set:
        values["minimum_age"] = body.minimum_age
    changed = await programme_actions.update_screening(
        request,
        screening,
        values=values,
        fields=programme_actions.given(title=body.title, text=body.text, languages=body.languages, notes=body.notes),
        local=local,
        shown=[(s.work, s.version, s.pause) for s in body.slots] if body.slots is not None else None,
        hosts=body.co_hosts,
        revision=body.revision,
    )
    return Answer(screening_out(request, changed, await programme_actions.conflicts(request, changed)))


@calls.call(
    "DELETE", SCREENING, "Remove a draft or withdrawn screening", answers={204: None}, errors=[404, 409], signed_in=True
)
async def delete_screening(request: web.Request) -> Answer:
    """Remove it."""
    await programme_actions.delete(request)
    return Answer(status=204)


@calls.call(
    "POST",
    SCREENING + "/publish",
    "Publish a screening",
    answers={200: ScreeningOut},
    errors=[404, 409],
    signed_in=True,
)
async def publish(request: web.Request) -> Answer:
    """Make it public; refused while errors stand."""
    made = await programme_actions.publish(request)
    return Answer(screening_out(request, made, await programme_actions.conflicts(request, made)))


@calls.call(
    "POST",
    SCREENING + "/withdraw",
    "Withdraw a screening",
    answers={200: ScreeningOut},
    errors=[404, 409],
    signed_in=True,
)
async def withdraw(request: web.Request) -> Answer:
    """Close it at once, everywhere."""
    made = await programme_actions.withdraw(request)
    return Answer(screening_out(request, made, await programme_actions.conflicts(request, made)))


class ChangeList(Shape):
    """Who changed what, the latest first: `id`, `at`, `person`, `action`, `before` and `after` of what differs."""

    changes: list[dict[str, Any]]


@calls.call("GET", SCREENING + "/history", "Who changed what", answers={200: ChangeList}, errors=[404], signed_in=True)
async def list_changes(request: web.Request) -> Answer:
    """For those who may edit it."""
    screening = await programme_actions.screening_for(request, "edit")
    found = await request.app[DB].read(history.of_screening, screening.id)
    return Answer(
        {
            "changes": [
                {
                    "id": c.id,
                    "at": c.at.isoformat(),
                    "person": c.person,
                    "action": c.action,
                    "before": dict(c.before),
                    "after": dict(c.after),
                }
                for c in found
            ]
        }
    )


class RestoreIn(Model):
    """The change to take back."""

    change: Annotated[int, Field(ge=1, le=2**63 - 1)]


@calls.call(
    "POST", SCREENING + "/restore", "Take a change back", body=RestoreIn, answers={200: ScreeningOut}, errors=[404, 409],
    signed_in=True,
)  # fmt: skip
async def restore(request: web.Request, body: RestoreIn) -> Answer:
    """What it changed is again as it was before."""
    screening = await programme_actions.screening_for(request, "edit")
    made = await programme_actions.restore(request, screening, body.change)
    return Answer(screening_out(request, made, await programme_actions.conflicts(request, made)))


class ScreeningPlay(Model):
    """`slot`: which of its works, from 0. `code`: the access code of a closed screening."""

    slot: Annotated[int, Field(ge=0, le=10_000)] = 0
    code: Annotated[str, Field(max_length=200)] | None = None


@calls.call(
    "POST", SCREENING + "/play", "Ask to watch a screening", writes=False, body=ScreeningPlay, answers={200: PlayOut},
    errors=[401, 403, 404, 409, 410, 451, 503],
)  # fmt: skip
async def play(request: web.Request, body: ScreeningPlay) -> Answer:
    """A grant while the screening is open: for a closed one with an access code, which is counted."""
    limit(request, "play-together")
    number = await request.app[DB].read(screenings.number, request.match_info["slug"])
    screening = await request.app[SHOWINGS].screening(number)
    if not rules.allows_screening(request[PERSON], "see", screening):
        raise NotFound()
    at = now(request)
    streams.refuse_screening(screening, at)
    code = await codes.admitted(request, screening, body.code or request.query.get("code", ""))
    if schedule.pinned(screening, at):
        await on_channel.refuse_everything(request, screening)
    request.app[DOOR].enter()
    if schedule.pinned(screening, at):
        await codes.use(request, code)
        return Answer(channel_streams.permission(request, screening, schedule.phase(screening, at), code=code))
    limit(request, "play")
    slot = body.slot or int(words.whole(request.query.get("slot"), 0, 10_000) or 0)
    if slot >= len(screening.slots):
        raise NotFound()
    shelved, main = await programme_actions.playing(request, screening, slot)
    streams.refuse_rights(request, shelved.work, schedule.use(screening, at), at, territory.of(request))
    if not main.playable:
        raise Conflict("not-ready")
    # Counted only now that nothing else stands against it.
    await codes.use(request, code)
    return Answer(
        streams.permission(
            request,
            shelved,
            main,
            "screening",
            screening.id,
            screening.starts,
            schedule.closes(screening),
            phase=schedule.phase(screening, at),
            code=code,
        )
    )


@calls.call(
    "POST", "/api/v1/channels/{slug:[a-z0-9-]+}/play", "Ask to watch a channel", writes=False, answers={200: PlayOut}, errors=[404, 503],
)  # fmt: skip
async def play_channel(request: web.Request) -> Answer:
    """A grant for a festival's 24-hour channel; `network` is the channel of all festivals."""
    limit(request, "play-together")
    request.app[DOOR].enter()
    return Answer(await channel_streams.channel_permission(request, request.match_info["slug"]))


class OnAir(Shape):
    """What is on now and next, per festival."""

    festivals: list[dict[str, Any]]


@calls.call("GET", "/api/v1/on-air", "What is on now and next", answers={200: OnAir})
async def on_air(request: web.Request) -> Answer:
    """Per festival: what is on, and what comes next."""
    at = now(request)
    found = await request.app[DB].read(screenings.after, at, 500)
    by_festival: dict[str, dict[str, Any]] = {}
    for screening in found:
        entry = by_festival.setdefault(
            screening.festival_slug, {"festival": screening.festival_slug, "now": [], "next": None}
        )
        if schedule.phase(screening, at) == "on_air":
            entry["now"].append(screening_out(request, screening))
        elif entry["next"] is None:
            entry["next"] = screening_out(request, screening)
    return Answer({"festivals": list(by_festival.values())})
