"""The API: everything a person can do on the pages, for programs (RFC 9457, RFC 9110, OpenAPI 3.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from showcase.core import grants, rules, schedule
from showcase.core.models import Window, Work
from showcase.errors import Conflict, Gone, Invalid, NotFound
from showcase.store import assets, cities, works
from showcase.web import actions, channel_streams, codes, shapes, streams, territory
from showcase.web.door import DOOR
from showcase.web.keys import DB, KEY, PERSON, SHELF, SHOWINGS, now, signed_in
from showcase.web.limits import limit
from showcase.web.openapi import Answer, Calls, Model, Shape
from showcase.web.shapes import CityList, CityOut, NewWork, PlayOut, WindowIn, WorkChange, WorkList, WorkOut
from showcase.web.shelf import Shelved

calls = Calls("works")
WORK = "/api/v1/works/{slug:[a-z0-9-]+}"
FILE = WORK + "/assets/{asset:[a-z0-9]+}"
PAGE = 50


class TimeOut(Shape):
    """Milliseconds since 1970 (UTC) on the clock that everything is scheduled by."""

    now_ms: int


@calls.call("GET", "/api/v1/time", "The server's clock", answers={200: TimeOut})
async def time(request: web.Request) -> Answer:
    """Milliseconds of the clock everything is scheduled by."""
    return Answer({"now_ms": round(now(request).timestamp() * 1000)})


@calls.call("GET", "/api/v1/cities", "The cities of the network", answers={200: CityList})
async def all_cities(request: web.Request) -> Answer:
    """The cities from west to east."""
    found = await request.app[DB].read(cities.all_cities)
    return Answer({"cities": [shapes.city_out(c) for c in found]}, headers={"Cache-Control": "public, max-age=60"})


@calls.call("GET", "/api/v1/cities/{slug:[a-z0-9-]+}", "One city", answers={200: CityOut}, errors=[404])
async def one_city(request: web.Request) -> Answer:
    """One city, retired or not."""
    return Answer(shapes.city_out(await request.app[DB].read(cities.city, request.match_info["slug"])))


class WorksQuery(Model):
    """Which works: public ones, or with `mine` those that the caller may edit."""

    limit: Annotated[int, Field(ge=1, le=200)] = PAGE
    after: Annotated[str, Field(pattern=r"^[0-9a-z]{1,12}$")] | None = None
    city: shapes.Slug | None = None
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    medium: Literal["video", "audio", "image", "web", "360"] | None = None
    mine: bool = False


@calls.call("GET", "/api/v1/works", "Works, newest first", query=WorksQuery, answers={200: WorkList}, errors=[401])
async def list_works(request: web.Request, query: WorksQuery) -> Answer:
    """A page of works; `Link: rel="next"` and `next` lead on (RFC 8288)."""
    states: tuple[str, ...] = ("published",)
    author = None
    if query.mine:
        states, author = (), signed_in(request).id
    which = works.Filter(states, query.city, query.year, query.medium, author=author)
    after = int(query.after, 36) if query.after else None
    if after is not None and after >= 2**63:
        raise Invalid(fields={"after": "bad-number"})
    found = await request.app[DB].read(works.listed, which, query.limit + 1, after)
    more = found[: query.limit]
    following = _base36(more[-1].id) if len(found) > query.limit else None
    headers = {}
    if following is not None:
        headers["Link"] = f'<{request.url.update_query(after=following, limit=query.limit).path_qs}>; rel="next"'
    return Answer({"works": [shapes.work_out(request, w) for w in more], "next": following}, headers=headers)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"


@calls.call(
    "POST", "/api/v1/works", "Begin a work", body=NewWork, answers={201: WorkOut}, signed_in=True,
    headers={"Location": "the work's address in the API"},
)  # fmt: skip
async def create_work(request: web.Request, body: NewWork) -> Answer:
    """A draft of the caller."""
    work = await actions.create(
        request,
        fields=body.fields(),
        medium=body.medium,
        cities=body.cities,
        year=body.year,
        original_lang=body.original_lang(),
        credit=[c.credit() for c in body.credits],
        link=body.link,
        minimum_age=body.minimum_age,
    )
    return Answer(shapes.work_out(request, work), 201, {"Location": f"/api/v1/works/{work.slug}"})


@calls.call("GET", WORK, "One work", answers={200: WorkOut}, errors=[404])
async def one_work(request: web.Request) -> Answer:
    """A work as the caller may see it."""
    return Answer(shapes.work_out(request, await _seen(request)))


async def _seen(request: web.Request) -> Work:
    work = await request.app[DB].read(works.work, request.match_info["slug"])
    if not rules.allows(request[PERSON], "see", work):
        raise NotFound()
    return work


@calls.call("PATCH", WORK, "Change a work", body=WorkChange, answers={200: WorkOut}, errors=[404, 409], signed_in=True)
async def change_work(request: web.Request, body: WorkChange) -> Answer:
    """Change what is given."""
    _, work = await actions.work_for(request, "edit")
    given = body.model_fields_set
    values: dict[str, Any] = {n: getattr(body, n) for n in ("year", "link", "minimum_age") if n in given}
    if body.medium is not None:
        values["medium"] = body.medium
    if (original := body.original_lang()) is not None:
        values["original_lang"] = original
    work = await actions.update(
        request,
        work,
        values=values,
        fields=body.fields(),
        cities=body.cities,
        credit=[c.credit() for c in body.credits] if body.credits is not None else None,
        revision=body.revision,
    )
    if body.levelled is not None:
        await actions.level(request, work, levelled=body.levelled)
        work = await request.app[DB].read(works.work_by_id, work.id)
    return Answer(shapes.work_out(request, work))


@calls.call("DELETE", WORK, "Remove a draft or withdrawn work", answers={204: None}, errors=[404, 409], signed_in=True)
async def delete_work(request: web.Request) -> Answer:
    """Remove a work with its files."""
    await actions.delete(request)
    return Answer(status=204)


class Publication(Model):
    """`on_view` null: the page alone becomes public."""

    on_view: WindowIn | None = None


@calls.call(
    "POST",
    WORK + "/publish",
    "Make the page public",
    body=Publication,
    answers={200: WorkOut},
    errors=[404, 409],
    signed_in=True,
)
async def publish(request: web.Request, body: Publication) -> Answer:
    """Publish, with the window in which the media is open by itself."""
    window = Window(_utc(body.on_view.starts), _utc(body.on_view.until)) if body.on_view is not None else None
    return Answer(shapes.work_out(request, await actions.publish(request, window)))


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return moment.astimezone(UTC) if moment is not None else None
    except OverflowError:
        raise Invalid(fields={"on_view": "bad-time"}) from None


@calls.call(
    "POST", WORK + "/withdraw", "Take page and media back", answers={200: WorkOut}, errors=[404, 409], signed_in=True
)
async def withdraw(request: web.Request) -> Answer:
    """Withdraw at once."""
    return Answer(shapes.work_out(request, await actions.withdraw(request)))


@calls.call(
    "POST", WORK + "/submit", "Hand a draft to the staff", answers={200: WorkOut}, errors=[404, 409], signed_in=True
)
async def submit(request: web.Request) -> Answer:
    """Submit."""
    return Answer(shapes.work_out(request, await actions.submit(request)))


class Decision(Model):
    """Whether a work is taken, or sent back."""

    accepted: bool = True
    note: Annotated[str, Field(max_length=2_000)] = ""


@calls.call(
    "POST",
    WORK + "/accept",
    "Take a submitted work",
    body=Decision,
    answers={200: WorkOut},
    errors=[404, 409],
    signed_in=True,
)
async def accept(request: web.Request, body: Decision) -> Answer:
    """Accept or send back."""
    return Answer(shapes.work_out(request, await actions.accept(request, accepted=body.accepted, note=body.note)))


class PosterIn(Model):
    """A moment of a film, in seconds."""

    asset: Annotated[str, Field(pattern=r"^[0-9a-z]{1,32}$")]
    at: Annotated[float, Field(ge=0, le=200_000, allow_inf_nan=False)]


@calls.call(
    "POST",
    WORK + "/poster",
    "Choose the poster from the film",
    body=PosterIn,
    answers={202: None},
    errors=[404, 409],
    signed_in=True,
)
async def poster(request: web.Request, body: PosterIn) -> Answer:
    """A worker takes the picture; the work's event tells when it is there."""
    await actions.poster_from(request, body.asset, body.at)
    return Answer(status=202)


def _file_call(name: str, summary: str, act: Any) -> None:
    @calls.call("POST", f"{FILE}/{name}", summary, answers={204: None}, errors=[404, 409], signed_in=True)
    async def handle(request: web.Request) -> Answer:
        await act(request)
        return Answer(status=204)


_file_call("take", "Let this version be what plays", actions.take)
_file_call("leave", "Show this track no longer", actions.leave)
_file_call("cancel", "Stop the processing of a file", actions.cancel)
_file_call("retry", "Process a file again", actions.retry)


@calls.call("DELETE", FILE, "Remove a file", answers={204: None}, errors=[404, 409], signed_in=True)
async def remove_file(request: web.Request) -> Answer:
    """Remove a file for good."""
    await actions.remove(request)
    return Answer(status=204)


class LabelIn(Model):
    """The name of a track in menus."""

    label: shapes.Line


@calls.call("PATCH", FILE, "Name a track", body=LabelIn, answers={204: None}, errors=[404], signed_in=True)
async def label(request: web.Request, body: LabelIn) -> Answer:
    """Name a track."""
    await actions.label(request, body.label)
    return Answer(status=204)


class PlayIn(Model):
    """`asset`: one file of the work (a version in the studio, a trailer on the page)."""

    asset: Annotated[str, Field(pattern=r"^[0-9a-z]{1,32}$")] | None = None
    slot: Annotated[int, Field(ge=0, le=10_000)] | None = None
    code: Annotated[str, Field(max_length=200)] | None = None


@calls.call(
    "POST",
    WORK + "/play",
    "Ask to watch a work",
    writes=False,
    body=PlayIn,
    answers={200: PlayOut},
    errors=[401, 403, 404, 409, 410, 451, 503],
)
async def play(request: web.Request, body: PlayIn) -> Answer:
    """A grant for the audience while the window is open, for artists and staff at any time."""
    limit(request, "play")
    found = await request.app[DB].read(works.work, request.match_info["slug"])
    return Answer(
        _permission(request, await request.app[SHELF].work(found.id), body.asset or request.query.get("asset", ""))
    )


def _permission(request: web.Request, shelved: Shelved, asset_id: str) -> dict[str, Any]:
    work, at = shelved.work, now(request)
    where = territory.of(request)
    verdict = shelved.verdict(at, where)
    inside = rules.allows(request[PERSON], "preview", work)
    main = work.main
    if asset_id and (main is None or asset_id != main.id):
        asset = shelved.assets.get(asset_id)
        on_page = asset is not None and work.state == "published" and streams.on_page(shelved, asset)
        if asset is None or not (inside or on_page):
            raise NotFound()
        kind = "preview" if inside else "page"
    elif verdict.open:
        asset, kind = main, "work"
    elif inside:
        asset, kind = main, "preview"
    else:
        streams.refuse(shelved, at, where)
        raise NotFound()
    if asset is None or not asset.playable:
        raise Conflict("not-ready")
    if kind != "preview" and not inside:
        request.app[DOOR].enter()
    narrowed = asset.id if kind == "page" or asset_id else ""
    return streams.permission(request, shelved, asset, kind, work.id, verdict.opens, verdict.closes, narrowed=narrowed)


class RenewIn(Model):
    """The address that was granted."""

    hls: Annotated[str, Field(max_length=600)]


@calls.call(
    "POST", "/api/v1/grants", "Renew a permission to watch", writes=False, body=RenewIn, answers={200: PlayOut},
    errors=[401, 403, 404, 409, 410, 451],
)  # fmt: skip
async def renew(request: web.Request, body: RenewIn) -> Answer:
    """A new grant for what the old one opened, if that is still open to the caller."""
    parts = body.hls.split("/")
    grant = grants.parse(request.app[KEY], parts[2]) if len(parts) > 3 and parts[1] == "hls" else None
    limit(request, "play-together" if grant is not None and grant.kind in ("channel", "screening") else "play")
    if grant is None:
        raise NotFound()
    at, id, where = now(request), parts[3], territory.of(request)
    if grant.kind == "channel":
        slug = await channel_streams.slug_of(request, grant.subject)
        return Answer(await channel_streams.channel_permission(request, slug, grant.territory))
    if grant.kind == "screening":
        screening = await request.app[SHOWINGS].screening(grant.subject)
        streams.refuse_screening(screening, at)
        code = await codes.renewed(request, screening, grant.code)
        if schedule.pinned(screening, at):
            phase = schedule.phase(screening, at)
            return Answer(channel_streams.permission(request, screening, phase, code=code, where=grant.territory))
        if id == "channel":
            # Its moment is over; a replay is asked for by itself.
            raise Gone("closed")
        shelved, asset = await streams.shown_in(request, screening, id)
        streams.refuse_rights(request, shelved.work, schedule.use(screening, at), at, where)
        return Answer(
            streams.permission(
                request,
                shelved,
                asset,
                grant.kind,
                screening.id,
                screening.starts,
                schedule.closes(screening),
                phase=schedule.phase(screening, at),
                code=code,
            )
        )
    shelved = await request.app[SHELF].work(grant.subject)
    if grant.kind == "work":
        streams.refuse(shelved, at, where)
    elif grant.kind == "preview":
        rules.require(request[PERSON], "preview", shelved.work)
    elif shelved.work.state != "published":
        raise Gone("withdrawn")
    found = shelved.assets.get(id)
    if found is None or not streams.may_fetch(grant, shelved, found):
        raise NotFound()
    verdict = shelved.verdict(at, where)
    return Answer(
        streams.permission(
            request, shelved, found, grant.kind, grant.subject, verdict.opens, verdict.closes, narrowed=grant.asset
        )
    )


class UploadOut(Shape):
    """An unfinished upload; go on at `url` (tus 1.0.0)."""

    url: str
    filename: str
    role: str
    size: int
    offset: int


class UploadList(Shape):
    """The unfinished uploads of a work."""

    uploads: list[UploadOut]


@calls.call("GET", WORK + "/uploads", "Unfinished uploads", answers={200: UploadList}, errors=[404], signed_in=True)
async def unfinished(request: web.Request) -> Answer:
    """What was begun and not finished, by anybody who may edit the work."""
    from showcase.web.keys import SPOOL

    _, work = await actions.work_for(request, "edit")
    found = []
    for upload in await request.app[DB].read(assets.uploads_of, work.id):
        try:
            offset = await request.app[SPOOL].offset(upload.id)
        except NotFound:
            offset = 0
        found.append(
            {
                "url": f"/uploads/{upload.id}",
                "filename": upload.filename,
                "role": upload.role,
                "size": upload.size,
                "offset": offset,
                "expires": shapes.moment(upload.expires_at),
            }
        )
    return Answer({"uploads": found})


class MeOut(Shape):
    """Who the caller is."""

    email: str
    name: str
    roles: list[dict[str, Any]]


@calls.call("GET", "/api/v1/me", "Who I am", answers={200: MeOut}, signed_in=True)
async def me(request: web.Request) -> Answer:
    """The account of the caller."""
    person = signed_in(request)
    return Answer(
        {
            "email": person.email,
            "name": person.name,
            "slug": person.slug,
            "roles": [{"role": r.role, "city": r.city} for r in person.roles],
        }
    )
