"""Asking to watch: a screening, a channel, and what is on now."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from showcase.core import rules, schedule
from showcase.core.models import Screening
from showcase.errors import Conflict, NotFound
from showcase.store import screenings
from showcase.web import (
    channel_streams,
    codes,
    on_channel,
    screening_actions,
    streams,
    territory,
    words,
)
from showcase.web.api_programme import SCREENING, screening_out
from showcase.web.door import DOOR
from showcase.web.keys import DB, PERSON, SHOWINGS, now
from showcase.web.limits import limit
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import PlayOut

calls = Calls("programme")


class ScreeningPlay(Model):
    """`slot`: which of its works, from 0. `code`: the access code of a closed screening."""

    slot: Annotated[int, Field(ge=0, le=10_000)] = 0
    code: Annotated[str, Field(max_length=200)] | None = None


async def _asked_for(request: web.Request) -> Screening:
    """The screening that the address names, for whoever may know of it. Raises NotFound."""
    number = await request.app[DB].read(screenings.number, request.match_info["slug"])
    screening: Screening = await request.app[SHOWINGS].screening(number)
    if not rules.allows_screening(request[PERSON], "see", screening):
        raise NotFound()
    return screening


@calls.call(
    "POST", SCREENING + "/play", "Ask to watch a screening", writes=False, body=ScreeningPlay, answers={200: PlayOut},
    errors=[401, 403, 404, 409, 410, 451, 503],
)  # fmt: skip
async def play(request: web.Request, body: ScreeningPlay) -> Answer:
    """A grant while the screening is open: for a closed one with an access code, which is counted."""
    limit(request, "play-together")
    screening = await _asked_for(request)
    at = now(request)
    streams.refuse_screening(screening, at)
    code = await codes.admitted(request, screening, body.code or request.query.get("code", ""))
    if schedule.pinned(screening, at):
        await on_channel.refuse_everything(request, screening)
        await codes.use(request, code)
        request.app[DOOR].enter()
        return Answer(channel_streams.permission(request, screening, schedule.phase(screening, at), code=code))
    limit(request, "play")
    slot = body.slot or int(words.whole(request.query.get("slot"), 0, 10_000) or 0)
    if slot >= len(screening.slots):
        raise NotFound()
    shelved, main = await screening_actions.playing(request, screening, slot)
    streams.refuse_rights(request, shelved.work, schedule.use(screening, at), at, territory.of(request))
    if not main.playable:
        raise Conflict("not-ready")
    # Counted only now that nothing else stands against it.
    await codes.use(request, code)
    request.app[DOOR].enter()
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


class CodeGiven(Model):
    """An access code as somebody typed it."""

    code: Annotated[str, Field(max_length=200)]


@calls.call(
    "POST", SCREENING + "/code", "Ask whether an access code is good", writes=False, body=CodeGiven, answers={204: None},
    errors=[401, 404, 410],
)  # fmt: skip
async def check_code(request: web.Request, body: CodeGiven) -> Answer:
    """Nothing is counted and nothing opened: that is for the call that plays. Wrong ones are few for each address."""
    limit(request, "play-together")
    screening = await _asked_for(request)
    if screening.state == "withdrawn" or schedule.phase(screening, now(request)) != "upcoming":
        streams.refuse_screening(screening, now(request))
    await codes.admitted(request, screening, body.code)
    return Answer(status=204)


@calls.call(
    "POST", "/api/v1/channels/{slug:[a-z0-9-]+}/play", "Ask to watch a channel", writes=False, answers={200: PlayOut}, errors=[404, 503],
)  # fmt: skip
async def play_channel(request: web.Request) -> Answer:
    """A grant for a festival's 24-hour channel; `network` is the channel of all festivals."""
    limit(request, "play-together")
    given = await channel_streams.channel_permission(request, request.match_info["slug"])
    request.app[DOOR].enter()
    return Answer(given)


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
