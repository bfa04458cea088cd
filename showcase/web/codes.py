"""Access codes: who is let into a closed screening, and what staff do with its codes, once for the pages and the API."""

from __future__ import annotations

import logging

from aiohttp import web

from showcase.core import rules
from showcase.core.models import Screening
from showcase.errors import Invalid, NotFound, Unauthenticated
from showcase.store import codes
from showcase.store.codes import AccessCode
from showcase.web import screening_actions
from showcase.web.keys import DB, PERSON, now, signed_in
from showcase.web.limits import allowed, limit

log = logging.getLogger(__name__)

LABEL_LIMIT = 120
STAFF = 1 << 40
"""Stands in the grant of somebody who needed no code, so that a screening that is closed later stays open to them alone."""

CODES_LIMIT = 500


async def admitted(request: web.Request, screening: Screening, code: str) -> int:
    """The number of the access code that lets somebody into `screening`; 0 where none is needed, `STAFF` for its staff.

    Raises Unauthenticated: `code-needed` without one, `code-wrong`, `code-over`; TooMany for whoever tries many wrong
    ones. A hall in which everybody has the right one comes in through one address.
    """
    if not screening.closed:
        return 0
    if rules.allows_screening(request[PERSON], "preview", screening):
        return STAFF
    if not code.strip():
        raise Unauthenticated("code-needed")
    allowed(request, "code")
    try:
        found = await request.app[DB].read(codes.given, screening.id, code)
    except NotFound:
        limit(request, "code")
        raise Unauthenticated("code-wrong") from None
    if not found.good:
        raise Unauthenticated("code-over")
    return found.id


async def use(request: web.Request, code: int) -> None:
    """Count that a code opens something. Raises Unauthenticated (`code-over`) when somebody else was faster."""
    if code and code != STAFF and not await request.app[DB].write(codes.use, code):
        raise Unauthenticated("code-over")


async def renewed(request: web.Request, screening: Screening, code: int) -> int:
    """What stands for `code` in a renewed grant. Raises Unauthenticated unless what it opened may stay open: one that was
    revoked renews nothing."""
    if not screening.closed:
        return code
    if rules.allows_screening(request[PERSON], "preview", screening):
        return STAFF
    if not code:
        raise Unauthenticated("code-needed")
    try:
        found = await request.app[DB].read(codes.by_id, code)
    except NotFound:
        raise Unauthenticated("code-over") from None
    if found.screening != screening.id or found.revoked_at is not None:
        raise Unauthenticated("code-over")
    return code


async def listed(request: web.Request) -> list[AccessCode]:
    """The codes of the screening that the address names, for its staff."""
    screening = await screening_actions.screening_for(request, "edit")
    return await request.app[DB].read(codes.of_screening, screening.id)


async def make(request: web.Request, label: str, max_uses: int | None) -> tuple[AccessCode, str]:
    """Make a code for the screening that the address names; returns it with the code itself, which is told once."""
    screening = await screening_actions.screening_for(request, "edit")
    label = label.strip()
    if not label:
        raise Invalid(fields={"label": "required"})
    if len(label) > LABEL_LIMIT:
        raise Invalid(fields={"label": "too-long"})
    if len(await request.app[DB].read(codes.of_screening, screening.id)) >= CODES_LIMIT:
        raise Invalid(fields={"label": "too-long"})
    made = await request.app[DB].write(codes.make, now(request), screening.id, label, max_uses)
    log.info("screening %s: access code %d made by person %d", screening.slug, made[0].id, signed_in(request).id)
    return made


async def revoke(request: web.Request, id: int) -> None:
    """Let a code open nothing more. What it opened already ends when its grant is to be renewed."""
    screening = await screening_actions.screening_for(request, "edit")
    await request.app[DB].write(codes.revoke, now(request), screening.id, id)
    log.info("screening %s: access code %d revoked", screening.slug, id)
