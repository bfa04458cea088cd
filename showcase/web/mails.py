"""The mails people get: plain text in their language, with one link."""

from __future__ import annotations

from aiohttp import web

from showcase.store import outbox
from showcase.web import words
from showcase.web.keys import DB, SETTINGS, now


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
