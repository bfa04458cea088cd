"""What stands in frames on other sites: how a frame is answered and written, and what oEmbed tells of a screening."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from markupsafe import Markup

from showcase.core import rules
from showcase.store import screenings
from showcase.web import words
from showcase.web.keys import DB, SETTINGS
from showcase.web.middleware import EMBED_POLICY

FOR_ALL = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=60"}
WIDEST, KEPT_S = 960, 60
_FRAME = Markup('<iframe src="{}" width="{}" height="{}" title="{}" allow="fullscreen; picture-in-picture"></iframe>')


def framed(page: web.Response, seconds: int = KEPT_S) -> web.Response:
    """Let other sites frame a page, and caches keep it for so long (0: not at all)."""
    page.headers["Content-Security-Policy"] = EMBED_POLICY
    page.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    page.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds > 0 else "no-store"
    return page


def size(request: web.Request, ratio: float) -> tuple[int, int]:
    """Width and height in pixels of a frame for a picture of `ratio`, within `?maxwidth=` and `?maxheight=`."""
    width = min(words.whole(request.query.get("maxwidth"), 100, 4000) or WIDEST, WIDEST)
    height = min(words.whole(request.query.get("maxheight"), 60, 4000) or 4000, round(width / ratio))
    return min(width, round(height * ratio)), height


def frame(address: str, width: int, height: int, title: str) -> dict[str, Any]:
    """The parameters of oEmbed's type "video" (2.3.4.2)."""
    html = str(_FRAME.format(address, width, height, title))
    return {"type": "video", "width": width, "height": height, "html": html}


async def oembed(request: web.Request, lang: str, slug: str) -> web.Response:
    """What oEmbed tells of a public screening; 401 for one with access codes (oEmbed 2.3.4: it is private)."""
    settings = request.app[SETTINGS]
    screening = await request.app[DB].read(screenings.screening, slug)
    rules.require_screening(None, "see", screening)
    if screening.closed:
        return web.json_response({"code": "code-needed"}, status=401, headers=FOR_ALL)
    title = screening.text("title", lang)
    festival = screening.festival_title
    found: dict[str, Any] = {
        "version": "1.0",
        "type": "link",
        "title": title,
        "author_name": festival.get(lang) or next(iter(festival.values()), ""),
        "author_url": f"{settings.public_url}/{lang}/festivals/{screening.festival_slug}",
        "provider_name": settings.site_name,
        "provider_url": settings.public_url,
    }
    if screening.state == "published":
        address = f"{settings.public_url}/embed/screening/{screening.slug}?lang={lang}"
        found |= frame(address, *size(request, 16 / 9), title)
    return web.json_response(found, headers=FOR_ALL)
