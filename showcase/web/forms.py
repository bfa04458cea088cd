"""What people typed into forms: read once, checked field by field, and shown again when something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import BodyPartReader, hdrs, web
from multidict import MultiDict

from showcase.core.languages import normal_tag
from showcase.core.models import Credit, Texts, Window, Work
from showcase.errors import Invalid, Malformed, TooLarge, UnsupportedType
from showcase.web import words
from showcase.web.keys import PARTS, PERSON
from showcase.web.limits import limit
from showcase.web.shapes import TEXT_FIELDS, web_address

SEE_OTHER = 303
# Of one field of text in a form with files, in characters.
FIELD_LIMIT = 8_000


def is_form_with_files(request: web.Request) -> bool:
    """Whether the body is a form with files in it."""
    return request.content_type == "multipart/form-data"


async def parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """The fields of a form with files one by one, as they come; those before a part are gone when it comes.

    The first one, `csrf`, has been read before when it was asked for. Raises UnsupportedType, Malformed.
    """
    if not is_form_with_files(request):
        raise UnsupportedType()
    reader = request.get(PARTS)
    try:
        if reader is None:
            reader = request[PARTS] = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise Malformed()
            yield part
    except (ValueError, LookupError, UnicodeDecodeError, AssertionError):
        raise Malformed() from None


async def first_part(request: web.Request, name: str) -> str:
    """The text of the first field of a form with files, '' when it is not `name`: a token stands before what it is for."""
    async for part in parts(request):
        return (await whole(part, 200)).decode("utf-8", "replace") if part.name == name else ""
    return ""


async def whole(part: BodyPartReader, limit_bytes: int) -> bytes:
    """Everything in a part. Raises TooLarge as soon as it is more than `limit_bytes`."""
    found = bytearray()
    while chunk := await part.read_chunk(65_536):
        found += chunk
        if len(found) > limit_bytes:
            raise TooLarge()
    return bytes(found)


def is_form(request: web.Request) -> bool:
    """Whether the body is a plain form."""
    return request.content_type == "application/x-www-form-urlencoded"


async def form(request: web.Request) -> MultiDict[str]:
    """The fields of a form as text. Raises UnsupportedType for anything but a plain form, Malformed for a broken one."""
    if not is_form(request):
        raise UnsupportedType()
    if (person := request[PERSON]) is not None:
        limit(request, "api-write", str(person.id))
    try:
        posted = await request.post()
    except (UnicodeDecodeError, LookupError, ValueError):
        raise Malformed() from None
    found: MultiDict[str] = MultiDict()
    for key, value in posted.items():
        if isinstance(value, str):
            found.add(key, value.replace("\0", ""))
    return found


def back(location: str) -> web.Response:
    """After a form was taken: look at the result (RFC 9110 15.4.4)."""
    return web.Response(status=SEE_OTHER, headers={hdrs.LOCATION: location, hdrs.CACHE_CONTROL: "no-store"})


def inside(location: str, otherwise: str) -> str:
    """`location` when it is a path of this site, else `otherwise`: a link must not lead people elsewhere."""
    good = (
        location.startswith("/") and not location.startswith(("//", "/\\")) and all(32 < ord(c) < 127 for c in location)
    )
    return location if good else otherwise


def texts(fields: Mapping[str, str], original: str | None) -> dict[str, Texts]:
    """`title.en`, `title.fr`, `title.original` and so on, as field -> language -> text."""
    found: dict[str, Texts] = {}
    for name in TEXT_FIELDS:
        by_lang = {}
        for lang in ("en", "fr"):
            if (text := fields.get(f"{name}.{lang}")) is not None:
                by_lang[lang] = text.strip()
        if original is not None and original not in by_lang and (text := fields.get(f"{name}.original")) is not None:
            by_lang[original] = text.strip()
        if by_lang:
            found[name] = by_lang
    return found


def original_language(fields: Mapping[str, str]) -> str | None:
    """The third language of a work's texts. Raises Invalid (`bad-language`)."""
    given = fields.get("original_lang", "").strip()
    if not given:
        return None
    tag = normal_tag(given)
    if tag is None:
        raise Invalid(fields={"original_lang": "bad-language"})
    return tag


def credits(fields: MultiDict[str]) -> list[Credit]:
    """The rows of the credits, without the empty ones."""
    rows = zip(
        fields.getall("credit.name", []), fields.getall("credit.role", []), fields.getall("credit.city", []),
        fields.getall("credit.person", []), strict=False,
    )  # fmt: skip
    found = []
    for n, (name, role, city, person) in enumerate(rows):
        if not name.strip():
            continue
        if len(name) > 200 or len(role) > 100:
            raise Invalid(fields={f"credits.{n}.name": "too-long"})
        found.append(Credit(name.strip(), role.strip() or "artist", city.strip() or None, person.strip() or None))
    return found


def number(fields: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    """A whole number or nothing. Raises Invalid (`bad-number`)."""
    text = fields.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise Invalid(fields={name: "bad-number"})
    return int(text)


def address(fields: Mapping[str, str], name: str) -> str | None:
    """An address of the web or nothing. Raises Invalid (`bad-address`)."""
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        return web_address(text)
    except ValueError:
        raise Invalid(fields={name: "bad-address"}) from None


def email(fields: Mapping[str, str], name: str = "email") -> str:
    """An e-mail address. Raises Invalid (`bad-email`)."""
    text = fields.get(name, "").strip()
    local, at, host = text.rpartition("@")
    # 'İ' becomes two characters in lower case.
    if (
        not (local and at and host)
        or len(text.lower()) > 254
        or any(c.isspace() or ord(c) < 33 for c in text)
        or "@" in local
    ):
        raise Invalid(fields={name: "bad-email"})
    return text


def moment(fields: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime | None:
    """A local date and time in `zone`, as an aware moment in UTC, or nothing. Raises Invalid (`bad-time`).

    An hour that is skipped in spring is taken as the clock would show it after the jump, one that comes twice in
    autumn as the first.
    """
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is None:
            local = local.replace(tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(fields={name: "bad-time"}) from None


def zone(fields: Mapping[str, str], name: str = "zone") -> ZoneInfo:
    """A time zone by its IANA name. Raises Invalid (`bad-zone`)."""
    try:
        return words.zone(fields.get(name, "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(fields={name: "bad-zone"}) from None


def window(fields: Mapping[str, str]) -> Window | None:
    """When a work is on view: `view` is `no`, `always` or `between` with `from` and `until` in `zone`."""
    view = fields.get("view", "")
    dated = fields.get("from", "").strip() or fields.get("until", "").strip()
    if view in ("no", "always") and dated:
        # Somebody who types a date means it: nothing is to be thrown away unasked.
        raise Invalid(fields={"view": "dates-need-between"})
    if view == "no":
        return None
    if view == "always":
        return Window(None, None)
    if view != "between":
        raise Invalid(fields={"view": "choose-one"})
    if not dated:
        raise Invalid(fields={"from": "one-date-needed"})
    place = zone(fields)
    starts, ends = moment(fields, "from", place), moment(fields, "until", place)
    if starts and ends and ends <= starts:
        raise Invalid(fields={"until": "window-order"})
    return Window(starts, ends)


def typed(fields: MultiDict[str]) -> dict[str, Any]:
    """What was typed, for a form that is shown again; rows that repeat come as lists."""
    found: dict[str, Any] = {key: fields[key] for key in fields}
    found["cities"] = fields.getall("cities", [])
    found["credits"] = [
        Credit(*row)
        for row in zip(
            fields.getall("credit.name", []), fields.getall("credit.role", []), fields.getall("credit.city", []),
            fields.getall("credit.person", []), strict=False,
        )
    ]  # fmt: skip
    return found


def of_work(work: Work) -> dict[str, Any]:
    """A work as its form shows it."""
    found: dict[str, Any] = {
        "original_lang": work.original_lang or "",
        "year": str(work.year) if work.year is not None else "",
        "medium": work.medium,
        "link": work.link or "",
        "minimum_age": str(work.minimum_age) if work.minimum_age is not None else "",
        "levelled": work.levelled,
        "cities": list(work.cities),
        "credits": list(work.credits),
        "revision": str(work.revision),
    }
    for name in TEXT_FIELDS:
        by_lang = work.texts.get(name, {})
        for lang in ("en", "fr"):
            found[f"{name}.{lang}"] = by_lang.get(lang, "")
        original = work.original_lang
        found[f"{name}.original"] = by_lang.get(original, "") if original not in (None, "en", "fr") else ""
    return found
