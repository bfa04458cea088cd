"""What may be done with works, the music in them, and access codes of screenings, for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from showcase.core.models import Work
from showcase.core.rights import USES, Cue, Mode, Use, WorkRights
from showcase.errors import Invalid
from showcase.store.codes import AccessCode
from showcase.web import actions, codes, rights_actions
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import Line, moment

calls = Calls("rights")
WORK = "/api/v1/works/{slug:[a-z0-9-]+}"
CODES = "/api/v1/screenings/{slug:[a-z0-9-]+}/codes"
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class RightsOut(Shape):
    """What may be done with a work. `territories` are ISO 3166-1 alpha-2; an open end is null."""

    starts: str | None
    ends: str | None
    territories_mode: Mode
    territories: list[str]
    uses: list[Use]
    revision: str


class RightsIn(Model):
    """What may be done with a work, whole: what is left out is allowed.

    Half open in time. `territories_mode`: `everywhere`, or `only` or `except` in `territories` (ISO 3166-1 alpha-2).
    `revision`: refuse when somebody saved since that one.
    """

    starts: AwareDatetime | None = None
    ends: AwareDatetime | None = None
    territories_mode: Mode = "everywhere"
    territories: Annotated[list[Annotated[str, Field(max_length=2)]], Field(max_length=300, default_factory=list)]
    uses: Annotated[list[Use], Field(max_length=10, default_factory=lambda: list(USES))]
    revision: Revision | None = None


class CueShape(Model):
    """A piece of music in a work; `live` and `replay` are what it is cleared for (`live` also means premieres)."""

    title: Annotated[Line, Field(min_length=1)]
    composer: Line = ""
    publisher: Line = ""
    live: bool = False
    replay: bool = False


class CuesOut(Shape):
    """The music in a work, in order."""

    cues: list[CueShape]
    revision: str


class CuesIn(Model):
    """The music in a work, whole and in order. `revision`: refuse when somebody saved since that one."""

    cues: Annotated[list[CueShape], Field(max_length=rights_actions.CUES_LIMIT)]
    revision: Revision | None = None


class CodeOut(Shape):
    """An access code. `uses`: how often it opened something; `max_uses` null: as often as one likes."""

    id: int
    label: str
    uses: int
    max_uses: int | None
    created: str
    revoked: str | None


class NewCodeOut(CodeOut):
    """An access code with the code itself, which is told this once."""

    code: str


class CodeList(Shape):
    """The access codes of a screening, the oldest first."""

    codes: list[CodeOut]


class CodeIn(Model):
    """For whom it is, and how often it opens something; each start of a work counts."""

    label: Annotated[str, Field(min_length=1, max_length=codes.LABEL_LIMIT)]
    max_uses: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


def _rights_out(work: Work) -> dict[str, Any]:
    stated = work.rights
    return {
        "starts": moment(stated.starts),
        "ends": moment(stated.ends),
        "territories_mode": stated.mode,
        "territories": sorted(stated.territories),
        "uses": sorted(stated.uses),
        "revision": stated.revision,
    }


def _cues_out(work: Work) -> dict[str, Any]:
    listed = [
        {"title": c.title, "composer": c.composer, "publisher": c.publisher, "live": c.live, "replay": c.replay}
        for c in work.rights.cues
    ]
    return {"cues": listed, "revision": work.rights.revision}


def _utc(value: datetime | None, name: str) -> datetime | None:
    try:
        return value.astimezone(UTC) if value is not None else None
    except OverflowError:
        raise Invalid(fields={name: "bad-time"}) from None


@calls.call(
    "GET", WORK + "/rights", "What may be done with a work", answers={200: RightsOut}, errors=[404], signed_in=True
)
async def rights_of(request: web.Request) -> Answer:
    """For its artists and the staff of its cities."""
    _, work = await actions.work_for(request, "edit")
    return Answer(_rights_out(work))


@calls.call(
    "PUT",
    WORK + "/rights",
    "State what may be done with a work",
    body=RightsIn,
    answers={200: RightsOut},
    errors=[404, 409],
    signed_in=True,
)
async def state_rights(request: web.Request, body: RightsIn) -> Answer:
    """It counts at once, for who watches already, too."""
    _, work = await actions.work_for(request, "edit")
    stated = WorkRights(
        _utc(body.starts, "starts"),
        _utc(body.ends, "ends"),
        body.territories_mode,
        frozenset(t.upper() for t in body.territories),
        frozenset(body.uses),
    )
    return Answer(_rights_out(await rights_actions.state(request, work, stated, body.revision)))


@calls.call("GET", WORK + "/cues", "The music in a work", answers={200: CuesOut}, errors=[404], signed_in=True)
async def cues_of(request: web.Request) -> Answer:
    """For its artists and the staff of its cities."""
    _, work = await actions.work_for(request, "edit")
    return Answer(_cues_out(work))


@calls.call(
    "PUT",
    WORK + "/cues",
    "List the music in a work",
    body=CuesIn,
    answers={200: CuesOut},
    errors=[404, 409],
    signed_in=True,
)
async def list_cues(request: web.Request, body: CuesIn) -> Answer:
    """One piece that is not cleared closes the work for what it is not cleared for."""
    _, work = await actions.work_for(request, "edit")
    music = [Cue(c.title, c.composer, c.publisher, c.live, c.replay) for c in body.cues]
    return Answer(_cues_out(await rights_actions.set_cues(request, work, music, body.revision)))


def _code_out(code: AccessCode) -> dict[str, Any]:
    return {
        "id": code.id,
        "label": code.label,
        "uses": code.uses,
        "max_uses": code.max_uses,
        "created": moment(code.created_at),
        "revoked": moment(code.revoked_at),
    }


@calls.call("GET", CODES, "Access codes of a screening", answers={200: CodeList}, errors=[404], signed_in=True)
async def list_codes(request: web.Request) -> Answer:
    """For the staff of its festivals, with how often each was used."""
    return Answer({"codes": [_code_out(c) for c in await codes.listed(request)]})


@calls.call(
    "POST", CODES, "Make an access code", body=CodeIn, answers={201: NewCodeOut}, errors=[404, 409], signed_in=True
)
async def make_code(request: web.Request, body: CodeIn) -> Answer:
    """The code itself is in this answer alone."""
    made, code = await codes.make(request, body.label, body.max_uses)
    return Answer(_code_out(made) | {"code": code}, 201)


@calls.call(
    "DELETE", CODES + "/{id:\\d{1,12}}", "Revoke an access code", answers={204: None}, errors=[404], signed_in=True
)
async def revoke_code(request: web.Request) -> Answer:
    """It opens nothing more. What it opened already ends when its permission is to be renewed."""
    await codes.revoke(request, int(request.match_info["id"]))
    return Answer(status=204)
