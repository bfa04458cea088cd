"""Atom (RFC 4287) of the programme: screenings in, bytes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from showcase.core.feeds_xml import clean, document, line, put
from showcase.core.models import SITE_LANGUAGES, Screening

ATOM = "http://www.w3.org/2005/Atom"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SUMMARY_LENGTH = 400
# A tag (RFC 4151) names a day on which the host was its owner's; this one stays, or readers would take all entries for new.
TAGGED = "2026"


@dataclass(frozen=True, slots=True)
class About:
    """Of what a feed is: its title, the public address of the server without a slash at the end, its language, the path of
    the page it stands for behind the language, its own behind the same, who writes it (name and version), and when it changed
    when it has no entry (aware UTC)."""

    title: str
    site: str
    lang: str
    page: str
    path: str
    product: tuple[str, str]
    changed: datetime


def feed(about: About, found: Sequence[Screening], kind: Callable[[str, str], str]) -> bytes:
    """The feed of public screenings in one language, in the order given. `kind` names a kind of screening in a language."""
    ET.register_namespace("", ATOM)
    host = urlsplit(about.site).hostname or "localhost"
    root = ET.Element(f"{{{ATOM}}}feed", {XML_LANG: about.lang})
    _put(root, "id", f"tag:{host},{TAGGED}:{about.lang}/{about.path}")
    _put(root, "title", line(about.title) or host)
    _put(root, "updated", _moment(max((s.updated_at for s in found), default=about.changed)))
    _put(root, "generator", about.product[0], version=about.product[1])
    if not found:
        # Each entry has its author; without one the feed has to (4.1.1).
        _put(_put(root, "author"), "name", line(about.title) or host)
    _put(
        root,
        "link",
        rel="self",
        type="application/atom+xml",
        href=f"{about.site}/{about.lang}/{about.path}",
    )
    _pages(root, about, about.page)
    for screening in found:
        _entry(root, about, screening, host, kind)
    return document(root)


def _entry(root: ET.Element, about: About, screening: Screening, host: str, kind: Callable[[str, str], str]) -> None:
    lang = about.lang
    entry = _put(root, "entry")
    _put(entry, "id", f"tag:{host},{TAGGED}:{lang}/screening-{screening.id}")
    title = _put(entry, "title", line(screening.text("title", lang)) or screening.slug)
    _in_its_language(title, screening.text_lang("title", lang), lang)
    _put(entry, "updated", _moment(screening.updated_at))
    festival = screening.festival_title
    author = _put(entry, "author")
    _put(author, "name", line(festival.get(lang) or next(iter(festival.values()), "")) or screening.festival_slug)
    _put(author, "uri", f"{about.site}/{lang}/festivals/{screening.festival_slug}")
    _pages(entry, about, f"screenings/{screening.slug}")
    _put(entry, "category", term=screening.kind, label=kind(screening.kind, lang))
    text = line(screening.text("text", lang))
    if len(text) > SUMMARY_LENGTH:
        text = text[:SUMMARY_LENGTH].rsplit(" ", 1)[0] + "…"
    when = f"{_clock(screening.starts_local)} – {_clock(screening.ends_local)} ({screening.zone})"
    summary = _put(entry, "summary", f"{when}. {text}" if text else when, type="text")
    if text:
        _in_its_language(summary, screening.text_lang("text", lang), lang)


def _pages(parent: ET.Element, about: About, tail: str) -> None:
    """The page in each language, this feed's first: two of one `rel` and `type` differ in `hreflang` (RFC 4287 4.1.1)."""
    for lang in sorted(SITE_LANGUAGES, key=lambda one: one != about.lang):
        _put(parent, "link", rel="alternate", type="text/html", hreflang=lang, href=f"{about.site}/{lang}/{tail}")


def _put(parent: ET.Element, tag: str, text: str = "", /, **attributes: str) -> ET.Element:
    return put(parent, f"{{{ATOM}}}{tag}", text, **attributes)


def _in_its_language(element: ET.Element, written: str, lang: str) -> None:
    if written != lang:
        element.set(XML_LANG, clean(written))


def _moment(at: datetime) -> str:
    """A Date construct (RFC 4287 3.3): RFC 3339 with an upper-case T and Z, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clock(local: datetime) -> str:
    return local.strftime("%Y-%m-%d %H:%M")
