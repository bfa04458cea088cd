"""Works, files and cities as the API shows them, and what it takes for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pydantic
from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, Field

from showcase.core import checklist, rights, rules
from showcase.core.languages import normal_tag
from showcase.core.models import Asset, City, Credit, Medium, Person, Texts, Work
from showcase.web import words
from showcase.web.keys import LANG, PERSON, SETTINGS, now
from showcase.web.openapi import Model, Shape

TEXT_FIELDS = ("title", "statement", "content_notes", "technical_notes", "edition_notes")


def _no_nul(value: str) -> str:
    # PostgreSQL keeps no NUL in a text, and nobody means one.
    if "\0" in value:
        raise ValueError("bad-choice")
    return value


def _tag(value: str) -> str:
    tag = normal_tag(value)
    if tag is None:
        raise ValueError("bad-language")
    return tag


def web_address(value: str) -> str:
    """An address of the web, or ValueError (`bad-address`)."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        good = False
    if not good or any(c.isspace() or ord(c) < 32 for c in value):
        raise ValueError("bad-address")
    return value


Words = Annotated[str, AfterValidator(_no_nul), Field(max_length=8_000)]
Line = Annotated[str, AfterValidator(_no_nul), Field(max_length=200)]
Tag = Annotated[str, AfterValidator(_tag), Field(min_length=2, max_length=35)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
Address = Annotated[str, AfterValidator(web_address), Field(max_length=2_000)]


class OriginalText(Model):
    """A text in the language it was written in."""

    lang: Tag
    text: Words


class TextIn(Model):
    """A text by language; `original` is in any language (BCP 47). An empty text removes that language."""

    en: Words | None = None
    fr: Words | None = None
    original: OriginalText | None = None

    def texts(self) -> dict[str, str]:
        """Language -> text, with only what was given."""
        found = {lang: text for lang in ("en", "fr") if (text := getattr(self, lang)) is not None}
        if self.original is not None:
            found[self.original.lang] = self.original.text
        return found


class CreditIn(Model):
    """A name in the credits; `city` and `person` are slugs."""

    name: Annotated[Line, Field(min_length=1)]
    role: Annotated[str, AfterValidator(_no_nul), Field(max_length=100)] = "artist"
    city: Slug | None = None
    person: Slug | None = None

    def credit(self) -> Credit:
        """The value it stands for."""
        return Credit(self.name, self.role, self.city, self.person)


class WorkBase(Model):
    """What making and changing a work have in common."""

    statement: TextIn | None = None
    content_notes: TextIn | None = None
    technical_notes: TextIn | None = None
    edition_notes: TextIn | None = None
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    link: Address | None = None
    minimum_age: Annotated[int, Field(ge=0, le=21)] | None = None

    def fields(self) -> dict[str, Texts]:
        """Field -> language -> text, with only what was given."""
        found: dict[str, Texts] = {}
        for name in TEXT_FIELDS:
            text = getattr(self, name, None)
            if text is not None:
                found[name] = text.texts()
        return found

    def original_lang(self) -> str | None:
        """The language of the first original text that was given."""
        texts = (getattr(self, name, None) for name in TEXT_FIELDS)
        return next((t.original.lang for t in texts if t is not None and t.original is not None), None)


class NewWork(WorkBase):
    """A draft."""

    title: TextIn
    medium: Medium = "video"
    cities: Annotated[list[Slug], Field(max_length=50)]
    credits: Annotated[list[CreditIn], Field(max_length=100, default_factory=list)]


class WorkChange(WorkBase):
    """What is to change; what is left out stays. `revision`: refuse when somebody saved since that one."""

    title: TextIn | None = None
    medium: Medium | None = None
    cities: Annotated[list[Slug], Field(max_length=50)] | None = None
    credits: Annotated[list[CreditIn], Field(max_length=100)] | None = None
    levelled: bool | None = None
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class WindowIn(Model):
    """When a work is on view by itself; an open end is null. `from` stands for the beginning."""

    model_config = pydantic.ConfigDict(extra="forbid", populate_by_name=True)

    starts: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = None


class WorkOut(Shape):
    """A work. `on_view`, `assets` in full and `checklist` are for those who may edit it."""

    slug: str
    state: Literal["draft", "submitted", "accepted", "published", "withdrawn"]
    title: dict[str, Any]
    year: int | None
    medium: Medium
    cities: list[str]
    credits: list[dict[str, Any]]
    assets: list[dict[str, Any]]
    on_view: dict[str, Any] | None


class WorkList(Shape):
    """A page of works."""

    works: list[WorkOut]
    next: str | None


class CityOut(Shape):
    """A city of the network; `hue` is its OKLCH hue in degrees."""

    slug: str
    name: dict[str, str]
    country: str
    timezone: str
    latitude: float
    longitude: float
    hue: float


class CityList(Shape):
    """The cities from west to east."""

    cities: list[CityOut]


class PlayOut(Shape):
    """Where to watch, until when this permission lasts, and where to renew it."""

    hls: str
    whep: None
    phase: Literal["upcoming", "on_air", "replay", "ended"]
    starts: str | None
    ends: str | None
    expires: str
    renew: str


def text_out(texts: Texts, original: str | None) -> dict[str, Any]:
    """A text by language, with the original marked."""
    found: dict[str, Any] = dict(texts)
    if original is not None and original in texts:
        found["original"] = {"lang": original, "text": texts[original]}
    return found


def moment(value: Any) -> str | None:
    """RFC 3339 with an offset."""
    return value.isoformat() if value is not None else None


def city_out(city: City) -> dict[str, Any]:
    """A city."""
    return {
        "slug": city.slug,
        "name": {"en": city.name_en, "fr": city.name_fr, city.lang_local: city.name_local},
        "country": city.country,
        "timezone": city.zone,
        "latitude": city.latitude,
        "longitude": city.longitude,
        "hue": city.hue,
        "languages": list(city.languages),
        "joined": city.joined_year,
    }


def work_out(request: web.Request, work: Work) -> dict[str, Any]:
    """A work as the person who asks may see it."""
    person: Person | None = request[PERSON]
    inside = rules.allows(person, "preview", work)
    site = request.app[SETTINGS].public_url
    shown = [a for a in work.assets if inside or _public(work, a)]
    found: dict[str, Any] = {
        "slug": work.slug,
        "state": work.state,
        "url": {lang: f"{site}/{lang}/works/{work.slug}" for lang in ("en", "fr")},
        "title": text_out(work.texts.get("title", {}), work.original_lang),
        "year": work.year,
        "medium": work.medium,
        "cities": list(work.cities),
        "credits": [{"name": c.name, "role": c.role, "city": c.city, "person": c.person} for c in work.credits],
        "link": work.link,
        "minimum_age": work.minimum_age,
        "spherical": work.spherical,
        "published": moment(work.published_at),
        "poster": poster_out(work),
        "on_view": {"from": moment(work.window.starts), "until": moment(work.window.ends)} if work.window else None,
        "phase": _phase(work, now(request)),
        "assets": [asset_out(a, request[LANG], inside=inside) for a in shown],
    }
    for name in TEXT_FIELDS[1:]:
        found[name] = text_out(work.texts.get(name, {}), work.original_lang)
    if inside:
        found["revision"] = work.revision
        found["levelled"] = work.levelled
        found["checklist"] = [
            {"code": i.code, "done": i.done, "required": i.required} for i in checklist.checklist(work)
        ]
    return found


def _phase(work: Work, at: datetime) -> str:
    was_public = work.published_at is not None
    found = rights.verdict(work.state, work.window, True, at, was_public=was_public, rights=work.rights)
    return "upcoming" if found.code == "not-found" else rights.phase(found)


def _public(work: Work, asset: Asset) -> bool:
    return asset in work.taken(asset.role)


def asset_out(asset: Asset, lang: str, *, inside: bool) -> dict[str, Any]:
    """A file; its name, hash and errors are for those who may edit the work."""
    found: dict[str, Any] = {
        "id": asset.id,
        "role": asset.role,
        "version": asset.version,
        "lang": None if asset.lang == "und" else asset.lang,
        "label": asset.label,
        "state": asset.state,
        "taken": asset.taken,
        "duration": asset.duration_us / 1_000_000 if asset.duration_us is not None else None,
        "playable": asset.playable,
        "renditions": [
            {
                "name": r.name,
                "width": r.width,
                "height": r.height,
                "bandwidth": r.bandwidth,
                "average": r.average,
                "ready": True,
            }
            for r in asset.renditions
            if r.kind == "video"
        ],
        "tracks": [
            {"name": r.name, "kind": r.kind, "lang": r.lang, "bandwidth": r.bandwidth, "ready": True}
            for r in asset.renditions
            if r.kind != "video"
        ],
    }
    # The audience gets the same shape without what is not its business.
    return found | {
        "filename": asset.filename if inside else None,
        "size": asset.size if inside else None,
        "sha256": asset.sha256 if inside else None,
        "stage": asset.stage,
        "progress": asset.progress,
        "error": error_out(asset.error, lang) if inside else None,
        "created": moment(asset.created_at) if inside else None,
    }


def error_out(error: Mapping[str, Any] | None, lang: str) -> dict[str, Any] | None:
    """Why a file failed: a stable code and a sentence in the reader's language."""
    if error is None:
        return None
    return {"code": error["code"], "detail": words.sentence(error["code"], error.get("params", {}), lang)}


def poster_out(work: Work) -> dict[str, Any] | None:
    """The pictures for lists: addresses by width, and the placeholder."""
    if not work.poster:
        return None
    return {
        "thumbhash": work.poster.get("thumbhash", ""),
        "images": [
            {
                "url": picture_url(work, f["name"]),
                "type": f["type"],
                "width": f["width"],
                "height": f["height"],
            }
            for f in work.poster["files"]
        ],
    }


def picture_url(work: Work, name: str, asset: str | None = None) -> str:
    """The address of a picture of a work: of its poster, or of another file of it."""
    owner = asset if asset is not None else (work.poster or {}).get("asset", "")
    return f"/pictures/{work.id}/{owner}/{name}"
