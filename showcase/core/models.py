"""What Showcase knows, as values: cities, people, works and the files of works.

Texts that people read are mappings from a BCP 47 language tag to the text. Moments are aware UTC, durations integer
microseconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from showcase.core import ladder
from showcase.core.rights import ANY, WorkRights

Texts = Mapping[str, str]
SITE_LANGUAGES = ("en", "fr")

RoleName = Literal["administrator", "staff", "artist"]
WorkState = Literal["draft", "submitted", "accepted", "published", "withdrawn"]
Medium = Literal["video", "audio", "image", "web", "360"]
AssetRole = Literal[
    "work", "documentation", "installation-view", "trailer", "captions", "audio-description", "audio-track", "poster"
]
AssetState = Literal["uploading", "queued", "processing", "ready", "failed", "cancelled"]

FestivalState = Literal["draft", "published", "archived"]
ScreeningKind = Literal["on_demand", "premiere", "live"]
SHOWABLE: tuple[WorkState, ...] = ("accepted", "published")
"""States in which a work may be shown in screenings and on channels."""

ScreeningState = Literal["draft", "published", "withdrawn"]

MEDIA: tuple[Medium, ...] = ("video", "audio", "image", "web", "360")
ASSET_ROLES: tuple[AssetRole, ...] = (
    "work",
    "documentation",
    "installation-view",
    "trailer",
    "captions",
    "audio-description",
    "audio-track",
    "poster",
)
# Roles of which one version at a time is shown; of the others all ready files are.
VERSIONED_ROLES: frozenset[str] = frozenset({"work", "captions", "audio-description", "audio-track", "trailer"})
# Sounds that play instead of the film's own, as long as it: in another language, or with what is seen described.
SOUND_ROLES: frozenset[str] = frozenset({"audio-description", "audio-track"})


@dataclass(frozen=True, slots=True)
class CityFestival:
    """A festival a city is known for: a fact with its source, not an edition."""

    name: str
    months: tuple[int, ...]
    frequency: str
    kind: str
    confidence: str
    source: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class City:
    """A member of the network. `hue` is its OKLCH hue in degrees, given when it joins and never recomputed."""

    slug: str
    name_en: str
    name_fr: str
    name_local: str
    lang_local: str
    country: str
    zone: str
    latitude: float
    longitude: float
    hue: float
    languages: tuple[str, ...]
    website: str | None
    joined_year: int | None
    retired_at: datetime | None
    festivals: tuple[CityFestival, ...] = ()

    def name(self, lang: str) -> str:
        """The city's name in a language of the site."""
        return self.name_fr if lang == "fr" else self.name_en


@dataclass(frozen=True, slots=True)
class Role:
    """What a person is: administrator of all, or staff or artist of a city."""

    role: RoleName
    city: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: int
    email: str
    name: str
    slug: str
    lang: str
    roles: tuple[Role, ...] = ()
    disabled: bool = False
    has_password: bool = False

    @property
    def administrator(self) -> bool:
        """Whether this person may do everything."""
        return any(r.role == "administrator" for r in self.roles)

    @property
    def staff_of(self) -> frozenset[str]:
        """The cities this person is staff of."""
        return frozenset(r.city for r in self.roles if r.role == "staff" and r.city)

    @property
    def artist_of(self) -> frozenset[str]:
        """The cities this person is an artist of."""
        return frozenset(r.city for r in self.roles if r.role == "artist" and r.city)


@dataclass(frozen=True, slots=True)
class Credit:
    """A name in a work's credits, perhaps of a person with an account."""

    name: str
    role: str
    city: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Rendition(ladder.Rendition):
    """One quality of an asset as it is stored: `folder` is its place in the storage."""

    folder: str

    @property
    def length_us(self) -> int:
        """The sum of its segments."""
        return sum(self.durations_us)


@dataclass(frozen=True, slots=True)
class Asset:
    """One version of an uploaded file. `details` holds what processing found out (see `worker`)."""

    id: str
    work: int
    role: AssetRole
    lang: str
    label: str
    version: int
    taken: bool
    filename: str
    size: int
    sha256: str | None
    state: AssetState
    stage: str
    progress: float
    error: Mapping[str, Any] | None
    duration_us: int | None
    details: Mapping[str, Any]
    made_by: int | None
    created_at: datetime
    renditions: tuple[Rendition, ...] = ()

    @property
    def playable(self) -> bool:
        """Whether something of it can be shown already (a low rung before all of them)."""
        if self.details.get("images"):
            return self.state == "ready"
        videos = any(r.kind == "video" for r in self.renditions)
        sound = any(r.kind == "audio" for r in self.renditions)
        return (videos and sound) or (sound and self.state == "ready")

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear in it, as far as is known: no sound in the file, or one that is silence."""
        source, loudness = self.details.get("source"), self.details.get("loudness")
        no_sound = source is not None and not source.get("audio")
        return no_sound or (loudness is not None and loudness["integrated"] is None)


@dataclass(frozen=True, slots=True)
class Window:
    """When a work is on view by itself; an open end is None."""

    starts: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Work:
    """A work with its texts, credits and files."""

    id: int
    slug: str
    state: WorkState
    medium: Medium
    year: int | None
    original_lang: str | None
    link: str | None
    minimum_age: int | None
    levelled: bool
    spherical: bool
    window: Window | None
    poster: Mapping[str, Any] | None
    made_by: int | None
    revision: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    texts: Mapping[str, Texts] = field(default_factory=dict)
    cities: tuple[str, ...] = ()
    authors: frozenset[int] = frozenset()
    credits: tuple[Credit, ...] = ()
    assets: tuple[Asset, ...] = ()
    rights: WorkRights = ANY

    def text(self, name: str, lang: str) -> str:
        """The text of `name` in `lang`, else in the other site language, else as it was written; '' when missing."""
        return best_text(self.texts.get(name, {}), lang, self.original_lang)

    def text_lang(self, name: str, lang: str) -> str:
        """The language that `text` answers in."""
        return best_lang(self.texts.get(name, {}), lang, self.original_lang)

    def taken(self, role: AssetRole) -> Sequence[Asset]:
        """The versions that are shown for `role`: the taken ones, or all ready ones where there is no choice to make."""
        if role in VERSIONED_ROLES:
            return [a for a in self.assets if a.role == role and a.taken]
        return [a for a in self.assets if a.role == role and a.state == "ready"]

    @property
    def main(self) -> Asset | None:
        """The version of the work itself that plays."""
        return next(iter(self.taken("work")), None)


@dataclass(frozen=True, slots=True)
class Billed:
    """A work as a programme names it: what it is called and whose it is; nothing of its media."""

    id: int
    slug: str
    state: WorkState
    year: int | None
    original_lang: str | None
    title: Texts
    credits: tuple[Credit, ...] = ()

    def called(self, lang: str) -> str:
        """The title in `lang`, else in the other site language, else as it was written; the slug when it has none."""
        return best_text(self.title, lang, self.original_lang) or self.slug


@dataclass(frozen=True, slots=True)
class Festival:
    """One edition of a festival, of a city or (`city` None) of the network. `zone` is the clock its staff write in.

    `rooms` are places beside the one that feeds the channel; `loop` are the works its channel shows between screenings.
    `picture` is None, or `folder` (where its files lie under `pictures/`), `files` (name, type, width and height in
    pixels) and `thumbhash`; what is to be seen on it is the text `picture_alt`.
    """

    id: int
    slug: str
    city: str | None
    zone: str
    starts_on: date
    ends_on: date
    hue: float | None
    state: FestivalState
    revision: int
    created_at: datetime
    updated_at: datetime
    rooms: Sequence[str] = ()
    texts: Mapping[str, Texts] = field(default_factory=dict)
    loop: tuple[str, ...] = ()
    picture: Mapping[str, Any] | None = None

    def text(self, name: str, lang: str) -> str:
        """The text of `name` in `lang`, else in another language; '' when missing."""
        return best_text(self.texts.get(name, {}), lang)


@dataclass(frozen=True, slots=True)
class Slot:
    """A work inside a screening. `version` is the file that plays; None: the version that is taken when it opens.

    In a premiere `pause_s` seconds of slate follow it.
    """

    work: int
    work_slug: str
    version: str | None
    pause_s: int = 0


@dataclass(frozen=True, slots=True)
class Screening:
    """Works shown for a time, in the programme of its host festival and of co-hosts.

    `starts_local` and `ends_local` are what stands on the clock of `zone`; `starts` and `ends` are the moments that
    follow from the zone's rules as they are known now (aware UTC). Half open: at `ends` it is over. Until `replay_until`
    its works may then be watched on demand. `languages` are those of captions, `spoken` those its works are said in. `room` empty: the room that feeds its festival's channel.
    `closed`: only with an access code (a jury's, the press's).
    """

    id: int
    slug: str
    festival: int
    festival_slug: str
    festival_state: FestivalState
    festival_title: Texts
    city: str | None
    hosts: tuple[str, ...]
    host_cities: frozenset[str]
    kind: ScreeningKind
    state: ScreeningState
    zone: str
    starts_local: datetime
    ends_local: datetime
    starts: datetime
    ends: datetime
    minimum_age: int | None
    revision: int
    created_at: datetime
    updated_at: datetime
    texts: Mapping[str, Texts] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    languages: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()
    replay_until_local: datetime | None = None
    replay_until: datetime | None = None
    room: str = ""
    closed: bool = False
    festival_hue: float | None = None

    def text(self, name: str, lang: str) -> str:
        """The text of `name` in `lang`, else in another language; '' when missing."""
        return best_text(self.texts.get(name, {}), lang)

    def text_lang(self, name: str, lang: str) -> str:
        """The language that `text` answers in."""
        return best_lang(self.texts.get(name, {}), lang)

    @property
    def public(self) -> bool:
        """Whether its page is public: it is published, and so is its festival."""
        return self.state in ("published", "withdrawn") and self.festival_state != "draft"


def best_lang(texts: Texts, lang: str, original: str | None = None) -> str:
    """The language to show `texts` in: the asked one, the other site languages, the original, any; `lang` when empty."""
    for candidate in (lang, *SITE_LANGUAGES, original):
        if candidate and texts.get(candidate):
            return candidate
    return next((k for k, v in texts.items() if v), lang)


def best_text(texts: Texts, lang: str, original: str | None = None) -> str:
    """The text in `best_lang`, '' when there is none."""
    return texts.get(best_lang(texts, lang, original), "")
