"""The studio: artists (and the staff of their cities) upload works, describe them and see them become ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web
from multidict import MultiDict

from showcase.core import checklist, rules
from showcase.core.models import ASSET_ROLES, MEDIA, City, Person, Work
from showcase.core.rights import USES
from showcase.errors import Conflict, Invalid, NotFound
from showcase.store import assets, people, works
from showcase.web import actions, forms, network, pictures, public, rights_actions, sentences, streams, territory, words
from showcase.web.forms import back, form
from showcase.web.keys import DB, LANG, SETTINGS, SPOOL, STORAGE, signed_in
from showcase.web.pages import render
from showcase.web.sendfile import answer

PRIVATE = {"Cache-Control": "private, no-store"}
PAGE = 50


def place(request: web.Request, work: Work, anchor: str = "") -> str:
    """The address of a work's page in the studio."""
    return f"/{request[LANG]}/studio/works/{work.slug}" + (f"#{anchor}" if anchor else "")


async def index(request: web.Request) -> web.Response:
    """One's own works."""
    person = signed_in(request)
    rules.require_site(person, "see-studio")
    page = words.whole(request.query.get("page"), 1, 100_000) or 1
    which = works.Filter(author=person.id)
    found = await request.app[DB].read(works.listed, which, PAGE, None, (page - 1) * PAGE)
    total = await request.app[DB].read(works.count, which)
    return render(
        request,
        "studio/index.html",
        headers=PRIVATE,
        works=found,
        cities=await network.all_cities(request),
        missing={w.id: checklist.missing(w) for w in found},
        page=page,
        pages=max(1, -(-total // PAGE)),
    )


async def new_page(request: web.Request) -> web.Response:
    """The form for a new work: a title, a medium, cities. The rest comes later."""
    person = signed_in(request)
    rules.require_site(person, "create-work")
    own = rules.cities_for_work(person)
    given = {"cities": sorted(own) if own is not None and len(own) == 1 else [], "medium": "video"}
    return await _new(request, given, {})


async def _new(
    request: web.Request, given: Mapping[str, Any], errors: Mapping[str, str], status: int = 200, **params: object
) -> web.Response:
    cities = await network.all_cities(request)
    return render(
        request, "studio/new.html", status=status, headers=PRIVATE, typed=given, errors=errors, error_params=params,
        active=network.active(cities), media=MEDIA, own=rules.cities_for_work(signed_in(request)),
    )  # fmt: skip


async def create(request: web.Request) -> web.Response:
    """Make a draft and go to its page."""
    fields = await form(request)
    try:
        medium = fields.get("medium", "")
        if medium not in MEDIA:
            raise Invalid(fields={"medium": "bad-choice"})
        original = forms.original_language(fields)
        work = await actions.create(
            request,
            fields=forms.texts(fields, original),
            medium=medium,
            cities=fields.getall("cities", []),
            year=forms.number(fields, "year", 1900, 2200),
            original_lang=original,
            credit=(),
        )
    except Invalid as error:
        return await _new(request, forms.typed(fields), error.fields, 422, **error.params)
    return back(place(request, work))


async def work_page(request: web.Request) -> web.Response:
    """Everything about one work."""
    _, work = await actions.work_for(request, "edit")
    return await _page(request, work)


async def _page(
    request: web.Request,
    work: Work,
    *,
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    problem: str | None = None,
    status: int = 200,
    params: Mapping[str, object] | None = None,
    stated: MultiDict[str] | None = None,
) -> web.Response:
    db, person = request.app[DB], signed_in(request)
    cities = await network.all_cities(request)
    uploads = []
    for upload in await db.read(assets.uploads_of, work.id):
        try:
            uploads.append((upload, await request.app[SPOOL].offset(upload.id)))
        except NotFound:
            uploads.append((upload, 0))
    main = work.main
    settings = request.app[SETTINGS]
    return render(
        request,
        "studio/work.html",
        status=status,
        headers=PRIVATE,
        work=work,
        typed=given if given is not None else forms.of_work(work),
        errors=errors or {},
        problem=problem,
        error_params=params or {},
        items=checklist.checklist(work),
        note=work.texts.get("staff_note", {}).get("und", ""),
        labels=checklist.LABELS,
        missing=checklist.missing(work),
        cities=cities,
        active=network.active(cities),
        work_cities=network.of_work(work, cities),
        zones=[
            *((c.zone, f"{c.name(request[LANG])} ({c.zone})") for c in network.of_work(work, cities)),
            ("UTC", "UTC"),
        ],
        media=MEDIA,
        roles=ASSET_ROLES,
        uploads=uploads,
        authors=await db.read(people.by_ids, work.authors),
        player=public.player(request, work, main) if main is not None and not main.details.get("images") else None,
        main=main,
        pictures={a.id: pictures.of_asset(work, a) for a in work.assets},
        may={name: rules.allows(person, name, work) for name in ("submit", "accept", "publish", "withdraw", "delete")},
        quota=settings.upload_quota,
        kept=await db.read(assets.kept_bytes, person.id),
        upload_max=settings.upload_max,
        view=_view(work, given, _clock(person, work, cities)),
        stated=rights_actions.view(work, stated, _clock(person, work, cities), request[LANG]),
        uses=USES,
        countries=territory.countries(request),
        empty_cues=rights_actions.EMPTY_CUES,
        states={k: words.called("file-state", k, request[LANG]) for k in sentences.NAMES["file-state"]},
        stages={k: words.called("stage", k, request[LANG]) for k in (*sentences.NAMES["stage"], "v")},
        units=words.units(request[LANG]),
    )


def _view(work: Work, given: Mapping[str, Any] | None, zone: str) -> dict[str, Any]:
    """The window as its form shows it, on the clock of `zone`."""
    if given is not None and ("view" in given or "from" in given):
        return {name: given.get(name, "") for name in ("view", "from", "until", "zone")}
    if work.window is None:
        # Nobody has chosen yet, so nothing is chosen for them.
        return {"view": "no" if work.published_at else "", "from": "", "until": "", "zone": zone}
    if work.window.starts is None and work.window.ends is None:
        return {"view": "always", "from": "", "until": "", "zone": zone}
    place = words.zone(zone)
    shown = [
        m.astimezone(place).strftime("%Y-%m-%dT%H:%M") if m is not None else ""
        for m in (work.window.starts, work.window.ends)
    ]
    return {"view": "between", "from": shown[0], "until": shown[1], "zone": zone}


def _clock(person: Person, work: Work, cities: Mapping[str, City]) -> str:
    """The clock somebody means when they write a time: of their own city, if the work is from there, else of the work's."""
    own = person.staff_of | person.artist_of
    of = network.of_work(work, cities)
    found = next((c for c in of if c.slug in own), of[0] if of else None)
    return found.zone if found is not None else "UTC"


async def save(request: web.Request) -> web.Response:
    """Take the description: texts, credits, notes. What was typed stays when something is wrong."""
    _, work = await actions.work_for(request, "edit")
    fields = await form(request)
    try:
        original = forms.original_language(fields)
        medium = fields.get("medium", work.medium)
        if medium not in MEDIA:
            raise Invalid(fields={"medium": "bad-choice"})
        values = {
            "original_lang": original,
            "medium": medium,
            "year": forms.number(fields, "year", 1900, 2200),
            "link": forms.address(fields, "link"),
            "minimum_age": forms.number(fields, "minimum_age", 0, 21),
        }
        await actions.update(
            request,
            work,
            values=values,
            fields=forms.texts(fields, original),
            cities=fields.getall("cities", []),
            credit=forms.credits(fields),
            revision=forms.number(fields, "revision", 1, 2**31 - 1),
        )
    except Invalid as error:
        return await _page(
            request,
            work,
            given=forms.typed(fields),
            errors=error.fields,
            problem="invalid",
            status=422,
            params=error.params,
        )
    except Conflict as error:
        # The typed text is shown with the newer revision: sending it again is then on purpose.
        given = forms.typed(fields) | {"revision": str(work.revision)}
        return await _page(request, work, given=given, problem=error.code, status=409)
    return back(place(request, work, "saved"))


async def publish(request: web.Request) -> web.Response:
    """Make the page public, with its window."""
    _, work = await actions.work_for(request, "publish")
    fields = await form(request)
    try:
        await actions.publish(request, forms.window(fields))
    except Invalid as error:
        return await _page(
            request, work, given=forms.of_work(work) | dict(fields), errors=error.fields, problem="invalid", status=422
        )
    except Conflict as error:
        return await _page(request, work, problem=error.code, status=409, params=error.params)
    return back(place(request, work, "view"))


async def save_rights(request: web.Request) -> web.Response:
    """Take what may be done with the work."""
    return await _stated(request, "rights")


async def save_cues(request: web.Request) -> web.Response:
    """Take the list of its music."""
    return await _stated(request, "cues")


async def _stated(request: web.Request, what: str) -> web.Response:
    _, work = await actions.work_for(request, "edit")
    fields = await form(request)
    revision = fields.get("revision") or None
    try:
        if what == "rights":
            await rights_actions.state(request, work, rights_actions.rights_typed(fields), revision)
        else:
            await rights_actions.set_cues(request, work, rights_actions.cues_typed(fields), revision)
    except Invalid as error:
        return await _page(
            request, work, errors=error.fields, problem="invalid", status=422, params=error.params, stated=fields
        )
    except Conflict as error:
        # Shown with the newer revision, as for the texts.
        return await _page(request, work, problem=error.code, status=409, stated=fields)
    return back(place(request, work, what))


async def submit(request: web.Request) -> web.Response:
    """Hand it to the staff."""
    return back(place(request, await actions.submit(request), "view"))


async def accept(request: web.Request) -> web.Response:
    """Take it, or send it back."""
    fields = await form(request)
    accepted, note = fields.get("accepted") == "1", fields.get("note", "").strip()
    return back(place(request, await actions.accept(request, accepted=accepted, note=note), "view"))


async def withdraw(request: web.Request) -> web.Response:
    """Take page and media back."""
    return back(place(request, await actions.withdraw(request), "view"))


async def delete(request: web.Request) -> web.Response:
    """Remove the work."""
    await actions.delete(request)
    return back(f"/{request[LANG]}/studio")


async def level(request: web.Request) -> web.Response:
    """Switch loudness levelling."""
    _, work = await actions.work_for(request, "edit")
    fields = await form(request)
    await actions.level(request, work, levelled=fields.get("levelled") == "1")
    return back(place(request, work, "sound"))


async def poster(request: web.Request) -> web.Response:
    """Choose the poster from the film."""
    _, work = await actions.work_for(request, "edit")
    fields = await form(request)
    try:
        seconds = float(fields.get("at", ""))
    except ValueError:
        raise Invalid(fields={"at": "bad-number"}) from None
    await actions.poster_from(request, fields.get("asset", ""), seconds)
    return back(place(request, work, "poster"))


async def add_author(request: web.Request) -> web.Response:
    """Let one more person edit."""
    _, work = await actions.work_for(request, "edit")
    fields = await form(request)
    try:
        await actions.add_author(request, forms.email(fields))
    except Invalid as error:
        errors = {"author": "no-such-account" if "no-such-person" in error.fields.values() else "bad-email"}
        return await _page(
            request, work, given=forms.of_work(work) | {"author": fields.get("email", "")}, errors=errors, status=422
        )
    return back(place(request, work, "people"))


async def remove_author(request: web.Request) -> web.Response:
    """Take a co-author off."""
    _, work = await actions.work_for(request, "edit")
    fields = await form(request)
    await actions.remove_author(request, forms.number(fields, "person", 1, 2**31 - 1) or 0)
    return back(place(request, work, "people"))


_ON_FILES = {
    "take": actions.take,
    "leave": actions.leave,
    "cancel": actions.cancel,
    "retry": actions.retry,
    "remove": actions.remove,
}


async def on_file(request: web.Request) -> web.Response:
    """Take, leave, cancel, retry or remove a file."""
    _, work = await actions.work_for(request, "edit")
    await _ON_FILES[request.match_info["act"]](request)
    return back(place(request, work, "files"))


async def label(request: web.Request) -> web.Response:
    """Name a track."""
    _, work = await actions.work_for(request, "edit")
    fields: MultiDict[str] = await form(request)
    await actions.label(request, fields.get("label", ""))
    return back(place(request, work, "files"))


async def original(request: web.Request) -> web.StreamResponse:
    """The file as it was uploaded."""
    _, asset = await actions.file_for(request, "original")
    path = request.app[STORAGE].local(f"originals/{asset.id}")
    name = quote(asset.filename)
    headers = {
        "Content-Type": "application/octet-stream",
        # RFC 6266 with RFC 8187: any script, and never shown in the page.
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if asset.sha256 is not None:
        headers["ETag"] = f'"{asset.sha256}"'
    if path is None:
        return web.Response(body=await request.app[STORAGE].get(f"originals/{asset.id}"), headers=headers)
    return answer(request, request.app[streams.DESCRIPTORS].get(path), headers)


def routes(app: web.Application) -> None:
    """Mount the studio."""
    router, base = app.router, "/{lang:en|fr}/studio"
    one = base + "/works/{slug:[a-z0-9-]+}"
    file = one + "/assets/{asset:[0-9a-z]+}"
    router.add_get(base, index)
    router.add_get(f"{base}/new", new_page)
    router.add_post(f"{base}/new", create)
    router.add_get(one, work_page)
    router.add_post(one, save)
    router.add_post(f"{one}/rights", save_rights)
    router.add_post(f"{one}/cues", save_cues)
    router.add_post(f"{one}/publish", publish)
    router.add_post(f"{one}/submit", submit)
    router.add_post(f"{one}/accept", accept)
    router.add_post(f"{one}/withdraw", withdraw)
    router.add_post(f"{one}/delete", delete)
    router.add_post(f"{one}/level", level)
    router.add_post(f"{one}/poster", poster)
    router.add_post(f"{one}/authors", add_author)
    router.add_post(f"{one}/authors/remove", remove_author)
    router.add_post(file + "/{act:take|leave|cancel|retry|remove}", on_file)
    router.add_post(f"{file}/label", label)
    router.add_get(f"{file}/original", original)
