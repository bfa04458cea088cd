"""The mails people get: plain text in their language, with one link."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from showcase.core.failures import N_
from showcase.core.models import SITE_LANGUAGES, Person, Work
from showcase.store import outbox
from showcase.web import words
from showcase.web.keys import DB, PERSON, SETTINGS, now


async def post(request: web.Request, recipient: str, lang: str, subject: str, body: str, **params: object) -> None:
    """Put a mail into the outbox; with a mail server a worker sends it, without one the administrator reads it there.

    `subject` and `body` are messages of the catalogue (`N_`) with `{placeholders}`.
    """
    settings = request.app[SETTINGS]
    text = words.catalogue(lang).gettext
    given = {"site": settings.site_name, **params}
    await request.app[DB].write(
        outbox.post,
        now(request),
        recipient,
        text(subject).format(**given),
        text(body).format(**given),
        send=settings.smtp is not None,
    )


SUBMITTED = N_("A work for you to look at: {title}")
SUBMITTED_BODY = N_("Hello,\n\n{who} hands in “{title}”. Look at it here, and accept it or send it back:\n\n{link}\n")
ACCEPTED = N_("Accepted: {title}")
ACCEPTED_BODY = N_("Hello,\n\n{who} accepted “{title}”. Its page can be made public now:\n\n{link}\n")
SENT_BACK = N_("Sent back: {title}")
SENT_BACK_BODY = N_("Hello,\n\n{who} sends “{title}” back to you.\n\n{note}\n\n{link}\n")


async def about_work(
    request: web.Request, people: Iterable[Person], work: Work, subject: str, body: str, **params: object
) -> None:
    """Tell several people of a work, each in their language, but not whoever did it."""
    asker = request[PERSON]
    site = request.app[SETTINGS].public_url
    for person in {p.id: p for p in people if not p.disabled and (asker is None or p.id != asker.id)}.values():
        lang = person.lang if person.lang in SITE_LANGUAGES else SITE_LANGUAGES[0]
        link = f"{site}/{lang}/studio/works/{work.slug}"
        await post(request, person.email, lang, subject, body, title=work.text("title", lang), link=link, **params)
