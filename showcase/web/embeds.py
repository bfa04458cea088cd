"""What stands in frames on other sites: how a frame is answered and written, and what oEmbed tells of a screening."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from markupsafe import Markup

from showcase.core import rules
from showcase.core.models import Screening, Work
from showcase.store import screenings, works
from showcase.web import pictures, words
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


def preview(
    screening: Screening, shown: Mapping[int, Work], within: tuple[int, int] = pictures.ANY_SIZE
) -> pictures.Preview | None:
    """A picture of a screening: of the first of its works (by number) that is public and has one; none of a closed one."""
    if screening.closed:
        return None
    public = (w for s in screening.slots if (w := shown.get(s.work)) is not None and w.state == "published")
    return next((found for work in public if (found := pictures.preview(work, within)) is not None), None)


def within(request: web.Request) -> tuple[int, int]:
    """The most that the caller takes, of a frame and of its preview (oEmbed 2.2): width and height in pixels."""
    width, height = (words.whole(request.query.get(name), 1, 4000) or 4000 for name in ("maxwidth", "maxheight"))
    return width, height


def thumbnail(request: web.Request, preview: pictures.Preview | None) -> dict[str, Any]:
    """The parameters of a preview, all three or none (oEmbed 2.3.4)."""
    if preview is None:
        return {}
    path, width, height = preview
    site = request.app[SETTINGS].public_url
    return {"thumbnail_url": site + path, "thumbnail_width": width, "thumbnail_height": height}


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
        shown = await request.app[DB].read(works.by_ids, {s.work for s in screening.slots})
        found |= thumbnail(request, preview(screening, shown, within(request)))
    return web.json_response(found, headers=FOR_ALL)
