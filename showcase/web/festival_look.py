"""How a festival looks: the colour it chose, and its picture."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from showcase.core.models import City, Festival, Texts
from showcase.errors import Invalid, TooLarge
from showcase.media import pictures
from showcase.store import festivals
from showcase.web import forms, streams, words
from showcase.web.keys import DB, LANG, PERSON, SETTINGS, STORAGE, now
from showcase.web.limits import limit

log = logging.getLogger(__name__)

Hue = Annotated[float, Field(strict=True, ge=0, le=360, allow_inf_nan=False)]
"""An OKLCH hue in degrees, as cities have them."""

NO_CITY = 200
PICTURE_LIMIT = 15_000_000
ALT_LENGTH = 300
# One picture at a time is made into its sizes: that takes a processor for seconds, and up to a gigabyte.
MAKING: web.AppKey[asyncio.Semaphore] = web.AppKey("MAKING")


def hue_typed(fields: Mapping[str, str], festival: Festival) -> float | None:
    """The colour as it is typed: `colour` is `city` (its city's) or `own` (`hue`, 0 to 360); without it, it stays.

    Raises Invalid (`bad-number`, `bad-choice`).
    """
    colour = fields.get("colour")
    if colour is None:
        return festival.hue
    if colour == "city":
        return None
    if colour != "own":
        raise Invalid(fields={"hue": "bad-choice"})
    typed = forms.number(fields, "hue", 0, 360)
    if typed is None:
        raise Invalid(fields={"hue": "required"})
    # The form knows whole degrees; a finer one that nobody touched stays what it is.
    return festival.hue if festival.hue is not None and round(festival.hue) == typed else float(typed)


def hue_shown(fields: Mapping[str, Any], city: City | None) -> int:
    """Where the slider stands, in degrees: at what was typed, else at its city's colour."""
    typed = str(fields.get("hue", ""))
    if typed.isascii() and typed.isdigit() and len(typed) < 4 and int(typed) <= 360:
        return int(typed)
    return round(city.hue) if city is not None else NO_CITY


def alt_shown(festival: Festival, typed: Mapping[str, str] | None = None) -> dict[str, str]:
    """The alternative texts as the form shows them: what was typed, else what is kept."""
    kept = festival.texts.get("picture_alt", {})
    return {lang: (typed or {}).get(f"picture_alt.{lang}", kept.get(lang, "")) for lang in ("en", "fr")}


async def picture_typed(request: web.Request, typed: dict[str, str]) -> bytes:
    """The file of the picture's form, b"" when none was chosen; its texts go into `typed` as they come.

    Raises TooLarge (`file-too-large`) as soon as it is; the texts stand before the file, so they are there then.
    """
    data = b""
    async for part in forms.parts(request):
        if part.name == "picture":
            try:
                data = await forms.whole(part, PICTURE_LIMIT)
            except TooLarge:
                raise too_large(request) from None
        elif part.name in ("picture_alt.en", "picture_alt.fr"):
            text = (await forms.whole(part, 4 * forms.FIELD_LIMIT)).decode("utf-8", "replace")
            typed[part.name] = text.replace("\0", "").strip()
    return data


def alt_typed(typed: Mapping[str, str]) -> Texts:
    """What is to be seen on the picture, by language. Raises Invalid (`too-long`)."""
    for name, text in typed.items():
        if len(text) > ALT_LENGTH:
            raise Invalid(fields={name: "too-long"})
    return {name.rpartition(".")[2]: text for name, text in typed.items()}


async def picture_sent(request: web.Request) -> bytes:
    """A body that is a picture, whole. Raises TooLarge as soon as it is too large."""
    if (request.content_length or 0) > PICTURE_LIMIT:
        raise too_large(request)
    found = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        found += chunk
        if len(found) > PICTURE_LIMIT:
            raise too_large(request)
    return bytes(found)


def too_large(request: web.Request) -> TooLarge:
    """What is said of a picture that is too large."""
    return TooLarge("file-too-large", limit=words.size(PICTURE_LIMIT, request[LANG]))


async def set_picture(request: web.Request, festival: Festival, data: bytes, alt: Texts | None = None) -> None:
    """Make `data` the picture of a festival that the caller may edit. Raises Invalid as `media.pictures.make` does."""
    person = request[PERSON]
    limit(request, "upload", str(person.id) if person is not None else None)
    async with request.app[MAKING]:
        scratch = request.app[SETTINGS].data / "scratch"
        made = await pictures.make(request.app[STORAGE], scratch, f"festival-{festival.id}", data)
    await _keep(request, festival, made, alt)
    log.info("festival %s has another picture of %d bytes", festival.slug, len(data))


async def remove_picture(request: web.Request, festival: Festival) -> None:
    """Take the picture of a festival away, and what was to be seen on it."""
    await _keep(request, festival, None, {"en": "", "fr": ""})
    log.info("festival %s has no picture any more", festival.slug)


async def _keep(request: web.Request, festival: Festival, made: Mapping[str, Any] | None, alt: Texts | None) -> None:
    gone = await request.app[DB].write(festivals.set_picture, now(request), festival.id, made, alt=alt)
    if gone is not None:
        request.app[streams.DESCRIPTORS].forget(gone)
