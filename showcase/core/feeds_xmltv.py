"""The programme as television guides read it: XMLTV, after its xmltv.dtd 0.5 and what tv_validate_file asks on top.

A channel of a guide is linear: one thing at a time. So what has a time of its own goes in (premieres, live), and what is
on view for days does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from showcase.core.feeds_xml import clean, document, line, put
from showcase.core.models import SITE_LANGUAGES, Billed, Screening, Texts, best_lang

LINEAR_KINDS = ("premiere", "live")
PREMIERES = frozenset({"premiere"})
# The DTD's order within <credits>, and the roles of our credits that are these: the others have no element there.
CREDITS: Mapping[str, frozenset[str]] = {
    "director": frozenset({"director", "artist", "artists", "réalisation", "réalisateur", "réalisatrice", "direction"}),
    "actor": frozenset({"actor", "performer", "dancer", "voice", "interprète", "danse", "voix"}),
    "writer": frozenset({"writer", "script", "text", "scénario", "texte"}),
    "producer": frozenset({"producer", "production", "producteur", "productrice"}),
    "composer": frozenset({"composer", "music", "sound", "musique", "son", "compositeur", "compositrice"}),
    "editor": frozenset({"editor", "editing", "montage"}),
}


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the guide: `slug` of its festival (None: the network), its names by language, what it shows."""

    slug: str | None
    name: Texts
    screenings: tuple[Screening, ...]

    @property
    def id(self) -> str:
        """Parts of letters, digits and hyphens with dots between, as tv_validate_file asks; different for each slug."""
        if self.slug is None:
            return "network.showcase"
        return f"{self.slug}.showcase" if self.slug != "network" else "network.festival.showcase"


def linear(screenings: Iterable[Screening]) -> list[Screening]:
    """What a channel can show, by time: of two that overlap the one that began first; of two at once the older one.

    What is left out here, as what is closed or in a room of its own, has its page, and stands in the calendars.
    """
    found: list[Screening] = []
    for screening in sorted(screenings, key=lambda s: (s.starts, s.id)):
        on_channel = screening.kind in LINEAR_KINDS and not screening.room and not screening.closed
        free = not found or found[-1].ends <= screening.starts
        if on_channel and free and screening.starts < screening.ends:
            found.append(screening)
    return found


def guide(
    channels: Sequence[Channel],
    works: Mapping[int, Billed],
    first_shown: Mapping[int, datetime],
    kinds: Callable[[str, str], str],
    site: str,
    product: tuple[str, str],
) -> bytes:
    """An XMLTV file of the first channel and of those others that show something.

    `works` are those that may be named, `first_shown` tells when each was shown first, `kinds(kind, lang)` what a kind
    is called; `site` is the server's address, `product` the program and its version. All times are UTC.
    """
    root = ET.Element(
        "tv",
        {
            "source-info-url": site,
            "source-info-name": line(next(iter(channels[0].name.values()), "")) if channels else "",
            "generator-info-name": "/".join(product),
        },
    )
    shown = [(channel, linear(channel.screenings)) for channel in channels]
    # A channel without a programme is an error to tv_validate_file.
    shown = [(channel, found) for n, (channel, found) in enumerate(shown) if found or n == 0]
    for channel, _ in shown:
        made = put(root, "channel", id=channel.id)
        for lang, name in _by_language(channel.name) or [("en", channel.slug or "")]:
            put(made, "display-name", name, lang=lang)
        tail = f"festivals/{channel.slug}" if channel.slug is not None else "programme"
        put(made, "url", f"{site}/en/{tail}")
    entries = [(screening, channel.id) for channel, found in shown for screening in found]
    for screening, id in sorted(entries, key=lambda e: (e[0].starts, e[1], e[0].id)):
        billed = [works[s.work] for s in screening.slots if s.work in works]
        _programme(root, id, screening, billed, first_shown, kinds, site)
    return document(root)


def _programme(
    root: ET.Element,
    channel: str,
    screening: Screening,
    billed: Sequence[Billed],
    first_shown: Mapping[int, datetime],
    kinds: Callable[[str, str], str],
    site: str,
) -> None:
    """One <programme>, its elements in the order of the DTD."""
    made = put(root, "programme", start=_time(screening.starts), stop=_time(screening.ends), channel=channel)
    titles = _by_language(screening.texts.get("title", {})) or [("en", screening.slug)]
    for lang, title in titles:
        put(made, "title", title, lang=lang)
    told = {title for _, title in titles}
    for lang in SITE_LANGUAGES:
        subtitle = line(" · ".join(dict.fromkeys(w.called(lang) for w in billed)))
        if subtitle and subtitle not in told:
            put(made, "sub-title", subtitle, lang=lang)
            told.add(subtitle)
    for lang, text in _by_language(screening.texts.get("text", {}), fold=clean):
        put(made, "desc", text, lang=lang)
    _credits(made, billed)
    years = {w.year for w in billed}
    if len(years) == 1 and (year := years.pop()) is not None:
        put(made, "date", f"{year:04}")
    for lang in SITE_LANGUAGES:
        put(made, "category", line(kinds(screening.kind, lang)), lang=lang)
    spoken = {w.original_lang for w in billed}
    if len(spoken) == 1 and (language := spoken.pop()):
        put(made, "language", language)
    for lang in SITE_LANGUAGES:
        put(made, "url", f"{site}/{lang}/screenings/{screening.slug}")
    seen = [(w.id in first_shown and first_shown[w.id] < screening.starts) for w in billed]
    if seen and all(seen):
        put(made, "previously-shown", start=_time(max(first_shown[w.id] for w in billed)))
    if screening.kind in PREMIERES and not any(seen):
        put(made, "premiere")
    for lang in screening.languages:
        # "'teletext' (sent digitally, and displayed at the viewer's request)": what captions are.
        put(put(made, "subtitles", type="teletext"), "language", lang)


def _credits(programme: ET.Element, billed: Iterable[Billed]) -> None:
    listed = [(line(c.name), c.role.strip().casefold()) for work in billed for c in work.credits]
    found = {
        tag: dict.fromkeys(name for name, role in listed if name and role in roles) for tag, roles in CREDITS.items()
    }
    if any(found.values()):
        made = put(programme, "credits")
        for tag, names in found.items():
            for name in names:
                put(made, tag, name)


def _by_language(texts: Texts, fold: Callable[[str], str] = line) -> list[tuple[str, str]]:
    """Language and text of the site's languages; when there is neither, of whichever there is. Without empty ones."""
    given = [lang for lang in SITE_LANGUAGES if texts.get(lang)] or [best_lang(texts, SITE_LANGUAGES[0])]
    return [(lang, text) for lang in given if (text := fold(texts.get(lang, "")).strip())]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S +0000")
