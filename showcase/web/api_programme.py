"""Screenings, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from showcase.core import rules, schedule
from showcase.core.models import Screening
from showcase.errors import Invalid
from showcase.store import festivals, history, screenings
from showcase.web import (
    programme_texts,
    screening_actions,
    screening_checks,
    words,
)
from showcase.web.keys import DB, LANG, PERSON, SETTINGS, now
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import Slug, TextIn

calls = Calls("programme")
SCREENING = "/api/v1/screenings/{slug:[a-z0-9-]+}"


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
    made = await screening_actions.create(
        request,
        festival,
        kind=body.kind,
        starts_local=schedule.on_clock(utc(body.starts), zone),
        ends_local=schedule.on_clock(utc(body.ends), zone) if body.ends is not None else None,
        fields=programme_texts.given(title=body.title, text=body.text, languages=body.languages, notes=body.notes),
        shown=[(s.work, s.version, s.pause) for s in body.slots],
        hosts=body.co_hosts,
        minimum_age=body.minimum_age,
        room=body.room,
        closed=body.closed,
        replay_until_local=schedule.on_clock(utc(body.replay_until), zone) if body.replay_until is not None else None,
    )
    found = await screening_checks.conflicts(request, made)
    return Answer(screening_out(request, made, found), 201, {"Location": f"/api/v1/screenings/{made.slug}"})


@calls.call("GET", SCREENING, "One screening", answers={200: ScreeningOut}, errors=[404])
async def one_screening(request: web.Request) -> Answer:
    """A screening as the caller may see it."""
    screening = await screening_actions.screening_for(request, "see")
    inside = rules.allows_screening(request[PERSON], "edit", screening)
    found = await screening_checks.conflicts(request, screening) if inside else None
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
    screening = await screening_actions.screening_for(request, "edit")
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
    changed = await screening_actions.update(
        request,
        screening,
        values=values,
        fields=programme_texts.given(title=body.title, text=body.text, languages=body.languages, notes=body.notes),
        local=local,
        shown=[(s.work, s.version, s.pause) for s in body.slots] if body.slots is not None else None,
        hosts=body.co_hosts,
        revision=body.revision,
    )
    return Answer(screening_out(request, changed, await screening_checks.conflicts(request, changed)))


@calls.call(
    "DELETE", SCREENING, "Remove a draft or withdrawn screening", answers={204: None}, errors=[404, 409], signed_in=True
)
async def delete_screening(request: web.Request) -> Answer:
    """Remove it."""
    await screening_actions.delete(request)
    return Answer(status=204)


class PublishIn(Model):
    """`revision`: refuse when somebody saved since that one, so that nothing is public that was not looked at."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


@calls.call(
    "POST",
    SCREENING + "/publish",
    "Publish a screening",
    body=PublishIn,
    answers={200: ScreeningOut},
    errors=[404, 409],
    signed_in=True,
)
async def publish(request: web.Request, body: PublishIn) -> Answer:
    """Make it public; refused while errors stand."""
    made = await screening_actions.publish(request, body.revision)
    return Answer(screening_out(request, made, await screening_checks.conflicts(request, made)))


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
    made = await screening_actions.withdraw(request)
    return Answer(screening_out(request, made, await screening_checks.conflicts(request, made)))


class ChangeList(Shape):
    """Who changed what, the latest first: `id`, `at`, `person`, `action`, `before` and `after` of what differs."""

    changes: list[dict[str, Any]]


@calls.call("GET", SCREENING + "/history", "Who changed what", answers={200: ChangeList}, errors=[404], signed_in=True)
async def list_changes(request: web.Request) -> Answer:
    """For those who may edit it."""
    screening = await screening_actions.screening_for(request, "edit")
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
    """What it changed is again as it was before; refused when that was changed again since."""
    screening = await screening_actions.screening_for(request, "edit")
    made = await screening_actions.restore(request, screening, body.change)
    return Answer(screening_out(request, made, await screening_checks.conflicts(request, made)))
