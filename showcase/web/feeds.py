"""The programme for calendars and search engines. Pure but for the zones' files: screenings in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup

from showcase.core.failures import N_
from showcase.core.feeds_xml import clean
from showcase.core.models import Screening, best_text
from showcase.web import words

PRODUCT = "-//Showcase//programme//EN"


def calendar(name: str, found: Sequence[Screening], lang: str, site: str, now: datetime) -> bytes:
    """An iCalendar (RFC 5545) with the zones that are used; the UID of a screening never changes, its SEQUENCE counts changes."""
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("name", name)
    made.add("x-wr-calname", name)
    made.add("refresh-interval", "PT1H", parameters={"value": "DURATION"}, encode=False)
    host = urlsplit(site).hostname or "localhost"
    for screening in found:
        zone = ZoneInfo(screening.zone)
        event = icalendar.Event()
        event.add("uid", f"screening-{screening.id}@{host}")
        event.add("dtstamp", screening.updated_at)
        event.add("last-modified", screening.updated_at)
        event.add("sequence", screening.revision)
        event.add("dtstart", screening.starts.astimezone(zone))
        event.add("dtend", screening.ends.astimezone(zone))
        event.add("summary", clean(screening.text("title", lang)) or screening.slug)
        event.add("description", clean(_described(screening, lang)))
        event.add("url", f"{site}/{lang}/screenings/{screening.slug}")
        event.add("location", f"{site}/{lang}/screenings/{screening.slug}")
        event.add("status", "CANCELLED" if screening.state == "withdrawn" else "CONFIRMED")
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _described(screening: Screening, lang: str) -> str:
    """What a calendar tells of a screening: its kind and festival, for whom it is, and its text."""
    kind = " · ".join(
        filter(None, (words.called("kind", screening.kind, lang), best_text(screening.festival_title, lang)))
    )
    closed = words.catalogue(lang).gettext(N_("Only with an access code.")) if screening.closed else ""
    return "\n".join(filter(None, (kind, closed, screening.text("text", lang))))


def event_data(screening: Screening, lang: str, site: str) -> Markup:
    """JSON-LD (schema.org ScreeningEvent), safe inside a script element."""
    zone = ZoneInfo(screening.zone)
    url = f"{site}/{lang}/screenings/{screening.slug}"
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "ScreeningEvent",
        "name": screening.text("title", lang),
        "startDate": screening.starts.astimezone(zone).isoformat(),
        "endDate": screening.ends.astimezone(zone).isoformat(),
        "eventStatus": "https://schema.org/"
        + ("EventCancelled" if screening.state == "withdrawn" else "EventScheduled"),
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": url},
        "url": url,
        "subtitleLanguage": list(screening.languages) or None,
        "isAccessibleForFree": True,
    }
    text = json.dumps({k: v for k, v in found.items() if v is not None}, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
