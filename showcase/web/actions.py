"""What people do to works, once for the pages and the API: who may, what must hold, and what is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from aiohttp import web

from showcase.core import checklist, rules
from showcase.core.models import Asset, Credit, Person, Texts, Window, Work
from showcase.errors import Conflict, Forbidden, Invalid, NotFound
from showcase.store import assets, jobs, people, works
from showcase.web import mails
from showcase.web.keys import DB, PERSON, SPOOL, now, signed_in
from showcase.web.limits import limit

log = logging.getLogger(__name__)

TEXT_LIMITS = {
    "title": 200,
    "statement": 8_000,
    "content_notes": 1_000,
    "technical_notes": 4_000,
    "edition_notes": 2_000,
}
NOTE_LIMIT = 2_000
WHILE_PRIVATE = ("draft", "submitted", "accepted", "withdrawn")


async def work_for(request: web.Request, action: rules.WorkAction) -> tuple[Person, Work]:
    """The work that the address names, for somebody who may do `action` to it. Raises what `rules.require` raises."""
    person, work = request[PERSON], await request.app[DB].read(works.work, request.match_info["slug"])
    rules.require(person, action, work)
    return signed_in(request), work


async def create(
    request: web.Request,
    *,
    fields: Mapping[str, Texts],
    medium: str,
    cities: Sequence[str],
    year: int | None,
    original_lang: str | None,
    credit: Sequence[Credit],
    link: str | None = None,
    minimum_age: int | None = None,
) -> Work:
    """Make a draft of the person who asks. Raises Invalid (`own-city-needed`) when none of the cities is theirs."""
    person = signed_in(request)
    rules.require_site(person, "create-work")
    _check_texts(fields)
    if not any(fields.get("title", {}).values()):
        raise Invalid(fields={"title": "required"})
    _check_cities(person, cities)
    work = await request.app[DB].write(
        works.create,
        now(request),
        person.id,
        fields=fields,
        medium=medium,
        in_cities=cities,
        year=year,
        original_lang=original_lang,
        credit=credit,
        link=link,
        minimum_age=minimum_age,
    )
    log.info("work %s begun by person %d", work.slug, person.id)
    return work


async def update(
    request: web.Request,
    work: Work,
    *,
    values: Mapping[str, Any],
    fields: Mapping[str, Texts],
    cities: Sequence[str] | None = None,
    credit: Sequence[Credit] | None = None,
    revision: int | None = None,
) -> Work:
    """Change what is given of a work the person may edit."""
    person = signed_in(request)
    _check_texts(fields)
    titles = {**work.texts.get("title", {}), **fields.get("title", {})}
    if "title" in fields and not any(t.strip() for t in titles.values()):
        raise Invalid(fields={"title": "required"})
    if cities is not None:
        # What a work has it may keep; the cities of others are not taken off or put on without one's own.
        _check_cities(person, cities, kept=work.cities)
    await request.app[DB].write(
        works.update,
        now(request),
        work.id,
        values=values,
        fields=fields,
        in_cities=cities,
        credit=credit,
        revision=revision,
    )
    return await request.app[DB].read(works.work_by_id, work.id)


def _check_texts(fields: Mapping[str, Texts]) -> None:
    for name, by_lang in fields.items():
        for lang, text in by_lang.items():
            if len(text) > TEXT_LIMITS[name]:
                raise Invalid(fields={f"{name}.{lang}": "too-long"})


def _check_cities(person: Person, cities: Sequence[str], kept: Sequence[str] = ()) -> None:
    own = rules.cities_for_work(person)
    if not cities:
        raise Invalid(fields={"cities": "no-city"})
    if own is not None and not own & set(cities) and not set(kept) & set(cities):
        raise Invalid("own-city-needed", fields={"cities": "own-city-needed"}, cities=", ".join(sorted(own)))


async def submit(request: web.Request) -> Work:
    """Hand a draft to the staff of its cities, who get a mail."""
    person, work = await work_for(request, "submit")
    await _to_state(request, work, "submitted", ("draft", "withdrawn"))
    staff = [p for city in work.cities for p in await request.app[DB].read(people.staff_of, city)]
    await mails.about_work(request, staff, work, mails.SUBMITTED, mails.SUBMITTED_BODY, who=person.name)
    return await _again(request, work)


async def accept(request: web.Request, *, accepted: bool, note: str = "") -> Work:
    """Take a submitted work, or send it back to its artists with a `note`; they get a mail."""
    person, work = await work_for(request, "accept")
    if len(note) > NOTE_LIMIT:
        raise Invalid(fields={"note": "too-long"})
    if accepted:
        await _to_state(request, work, "accepted", ("submitted", "draft"))
        subject, body = mails.ACCEPTED, mails.ACCEPTED_BODY
    else:
        await _to_state(request, work, "draft", ("submitted", "accepted"))
        subject, body = mails.SENT_BACK, mails.SENT_BACK_BODY
    given = {"staff_note": {"und": "" if accepted else note}}
    await request.app[DB].write(works.update, now(request), work.id, values={}, fields=given)
    artists = await request.app[DB].read(people.by_ids, work.authors)
    await mails.about_work(request, artists, work, subject, body, who=person.name, note=note)
    return await _again(request, work)


async def publish(request: web.Request, window: Window | None) -> Work:
    """Make the page public and set the window. Raises Conflict (`not-complete`) naming what is missing."""
    _, work = await _publishable(request)
    if window is not None and window.starts and window.ends and window.ends <= window.starts:
        raise Invalid(fields={"on_view.until": "window-order"})
    if work.state != "published" and (missing := checklist.missing(work)):
        raise Conflict("not-complete", missing=missing)

    def write(tx: sa.Connection, at: datetime) -> None:
        works.set_window(tx, at, work.id, window)
        works.set_state(tx, at, work.id, "published", (*WHILE_PRIVATE, "published"))

    await request.app[DB].write(write, now(request))
    log.info("work %s published", work.slug)
    return await _again(request, work)


async def _publishable(request: web.Request) -> tuple[Person, Work]:
    """As `work_for`; an artist whose work was not accepted yet is told so instead of being refused without a reason."""
    person, work = await work_for(request, "edit")
    if not rules.allows(person, "publish", work):
        raise Forbidden("not-accepted")
    return person, work


async def withdraw(request: web.Request) -> Work:
    """Take page and media back at once."""
    _, work = await work_for(request, "withdraw")
    # What never was public goes back to being a draft: nobody is to learn that it was there.
    state = "withdrawn" if work.published_at is not None else "draft"
    await _to_state(request, work, state, ("published", "accepted", "submitted"))
    log.info("work %s withdrawn", work.slug)
    return await _again(request, work)


async def delete(request: web.Request) -> None:
    """Remove a draft or a withdrawn work with all its files."""
    person, work = await work_for(request, "edit")
    rules.require_state(person, "delete", work)
    unfinished = await request.app[DB].read(assets.uploads_of, work.id)
    await request.app[DB].write(works.delete, now(request), work.id, ("draft", "withdrawn"))
    for upload in unfinished:
        await request.app[SPOOL].remove(upload.id)
    log.info("work %s deleted by person %d", work.slug, person.id)


async def _to_state(request: web.Request, work: Work, state: str, expected: Sequence[str]) -> None:
    await request.app[DB].write(works.set_state, now(request), work.id, state, expected)


async def _again(request: web.Request, work: Work) -> Work:
    return await request.app[DB].read(works.work_by_id, work.id)


async def file_for(request: web.Request, action: rules.WorkAction = "edit") -> tuple[Work, Asset]:
    """The file that the address names (`{slug}`, `{asset}`), for somebody who may do `action` to its work."""
    _, work = await work_for(request, action)
    found = next((a for a in work.assets if a.id == request.match_info["asset"]), None)
    if found is None:
        raise NotFound()
    return work, found


async def take(request: web.Request) -> None:
    """Let a version be what plays."""
    _, asset = await file_for(request)
    await request.app[DB].write(assets.take, now(request), asset.id)


async def leave(request: web.Request) -> None:
    """Show captions or a description no longer; they stay in the studio."""
    _, asset = await file_for(request)
    if asset.role == "work":
        raise Conflict("in-use")
    await request.app[DB].write(assets.drop_taken, now(request), asset.id)


async def cancel(request: web.Request) -> None:
    """Stop the processing of a file."""
    _, asset = await file_for(request)

    def write(tx: sa.Connection, at: datetime) -> None:
        if assets.asset(tx, asset.id).state not in ("queued", "processing"):
            raise Conflict("wrong-state")
        if not assets.cancel(tx, at, asset.id):
            # It waits, for its turn or to be tried again: no worker will say so.
            assets.report(tx, at, asset.id, state="cancelled", stage="cancelled")

    await request.app[DB].write(write, now(request))


async def retry(request: web.Request) -> None:
    """Process a file again that failed or was cancelled."""
    _, asset = await file_for(request)

    def write(tx: sa.Connection, at: datetime) -> None:
        if assets.asset(tx, asset.id).state not in ("failed", "cancelled"):
            raise Conflict("wrong-state")
        assets.report(tx, at, asset.id, state="queued", stage="queued", progress=0.0)
        assets.enqueue(tx, at, asset.id, asset.role)

    await request.app[DB].write(write, now(request))


async def remove(request: web.Request) -> None:
    """Remove a file for good."""
    _, asset = await file_for(request)
    await request.app[DB].write(assets.remove, now(request), asset.id)


async def label(request: web.Request, name: str) -> None:
    """Name a track for menus."""
    _, asset = await file_for(request)
    if len(name) > 120:
        raise Invalid(fields={"label": "too-long"})
    await request.app[DB].write(assets.set_label, now(request), asset.id, name)


async def level(request: web.Request, work: Work, *, levelled: bool) -> None:
    """Switch loudness levelling, and make the sound of what plays anew if that changes it."""
    if work.levelled == levelled:
        return
    main = work.main

    def write(tx: sa.Connection, at: datetime) -> None:
        works.update(tx, at, work.id, values={"levelled": levelled}, fields={})
        if main is not None:
            # What somebody plays now stays until the new one is whole. A file that is not ready yet is looked at then.
            jobs.enqueue(tx, at, "level", main.id)

    await request.app[DB].write(write, now(request))


async def poster_from(request: web.Request, asset: str, at_s: float) -> None:
    """Let a worker take the picture of a film at a moment as the work's poster."""
    _, work = await work_for(request, "edit")
    film = next((a for a in work.assets if a.id == asset), None)
    if film is None or film.duration_us is None or not any(r.kind == "video" for r in film.renditions):
        raise Conflict("not-ready")
    if not 0 <= at_s <= film.duration_us / 1_000_000:
        raise Invalid(fields={"at": "bad-number"})
    await request.app[DB].write(
        jobs.enqueue, now(request), "poster", film.id, {"at_us": round(at_s * 1_000_000)}, priority=15
    )


async def add_author(request: web.Request, email: str) -> Person:
    """Let one more person edit a work; returns them. Raises Invalid when there is nobody with this address."""
    asker, work = await work_for(request, "edit")
    limit(request, "invite", str(asker.id))
    person = await request.app[DB].read(people.by_email, email)
    if person is None:
        raise Invalid(fields={"email": "no-such-person"})
    await request.app[DB].write(works.add_author, now(request), work.id, person.id)
    return person


async def remove_author(request: web.Request, person: int) -> None:
    """Take a co-author off."""
    _, work = await work_for(request, "edit")
    await request.app[DB].write(works.remove_author, now(request), work.id, person)
