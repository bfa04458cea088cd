"""The two languages of the site: catalogues, dates, sizes, and how a sentence is said."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import date as calendar_day
from datetime import date as day
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal

from showcase.core.failures import FAILURES, N_
from showcase.core.models import SITE_LANGUAGES, best_text
from showcase.web.sentences import ERRORS, NAMES


def called(kind: str, value: str, lang: str) -> str:
    """What `value` of `kind` is called in `lang`; the value itself when it has no name (a rung, as v360)."""
    name = NAMES[kind].get(value)
    if name is None and kind == "stage" and value.startswith("v"):
        return catalogue(lang).gettext(N_("preparing the first quality"))
    return catalogue(lang).gettext(name) if name is not None else value


def is_country(code: str) -> bool:
    """Whether `code` is a country's (ISO 3166-1, two capital letters)."""
    from babel import Locale

    # Codes of the whole world, of unions and of nowhere stand in the table, too.
    return len(code) == 2 and code.isalpha() and code in Locale.parse("en").territories and code not in _NO_COUNTRY


_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "XX"})


def is_language(tag: str) -> bool:
    """Whether the language of a tag has a name, so that a slip of the pen is told."""
    from babel import Locale

    return tag.split("-")[0].lower() in Locale.parse("en").languages


def country(code: str, lang: str) -> str:
    """A country's name in `lang`."""
    from babel import Locale

    return str(Locale.parse(lang).territories.get(code, code))


def language_name(tag: str, lang: str) -> str:
    """A language's name in `lang`: 'fr-CA' -> 'French (Canada)'; the tag itself when it has none."""
    from babel import Locale, UnknownLocaleError

    if "-" not in tag:
        # From what is loaded already; a locale of its own would be read from a file.
        return str(Locale.parse(lang).languages.get(tag, tag))
    try:
        return Locale.parse(tag, sep="-").get_display_name(lang) or tag
    except (UnknownLocaleError, ValueError):
        return tag


@cache
def catalogue(lang: str) -> NullTranslations:
    """The translations into `lang`; English is the language of the sources."""
    path = resources.files("showcase").joinpath(f"locale/{lang}/LC_MESSAGES/showcase.po")
    if lang == "en" or not path.is_file():
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(path.read_bytes()), locale=lang))
    compiled.seek(0)
    return GNUTranslations(compiled)


def preload() -> None:
    """Read all that formatting reads from files at its first use (some 50 ms), before the loop runs."""
    now = datetime.now(UTC)
    for lang in SITE_LANGUAGES:
        catalogue(lang)
        date_time(now, lang, zone("UTC"))
        date(now, lang, zone("UTC"))
        day_span(now.date(), now.date() + timedelta(days=1), lang)
        on_clock(now, lang)
        clock(now, lang, zone("UTC"))
        weekday(now.date(), lang, "full")
        weekday(now.date(), lang, "short")
        size(1500, lang)
        country("AT", lang)
        month(1, lang)
        language_name("fr-CA", lang)
        _value(0.5, lang)


@lru_cache(600)
def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises what ZoneInfo raises. At its first use a file of some kilobytes is read."""
    return ZoneInfo(name)


def sentence(code: str, params: Mapping[str, Any], lang: str) -> str:
    """What an error code means, in `lang`. Unknown codes get the general sentence.

    A code may have words of their own for a case, which a parameter of that name tells: `rights-closed/dates`.
    """
    own = ERRORS.get(f"{code}/{params['case']}") if "case" in params else None
    text = catalogue(lang).gettext(own or ERRORS.get(code) or FAILURES.get(code) or ERRORS["internal"])
    try:
        return text.format(**{k: _value(v, lang) for k, v in params.items()})
    except (KeyError, IndexError, ValueError):
        return text


def _value(value: Any, lang: str) -> str:
    if isinstance(value, Mapping):
        return best_text(value, lang)
    if isinstance(value, float):
        return format_decimal(value, locale=lang, format="#,##0.#")
    return str(value)


def negotiate(request: web.Request) -> str | None:
    """The site language that the caller likes best (`Accept-Language`, RFC 9110 12.5.4), None when it names none."""
    best, weight = None, 0.0
    for part in request.headers.get("Accept-Language", "").split(","):
        tag, _, parameter = part.strip().partition(";")
        lang = tag.strip().lower().split("-")[0]
        try:
            q = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if lang in SITE_LANGUAGES and q > weight:
            best, weight = lang, q
    return best


def date(moment: datetime, lang: str, zone: tzinfo) -> str:
    """A day as it is written out in `lang`: '22 November 2026'."""
    return format_date(moment.astimezone(zone).date(), "long", locale=_locale(lang))


def weekday(day: calendar_day, lang: str, width: str) -> str:
    """A day with its weekday: 'Wednesday 25 November 2026' (`width` "full"), 'Wed 25 Nov' ("short")."""
    return format_date(day, "full" if width == "full" else "EEE d MMM", locale=_locale(lang))


def date_time(moment: datetime, lang: str, zone: tzinfo) -> str:
    """A day and a time of day."""
    return format_datetime(moment, "d MMMM yyyy, HH:mm", tzinfo=zone, locale=_locale(lang))


def time_span(starts: datetime, ends: datetime, lang: str, zone: tzinfo) -> str:
    """From one moment to another, the day once when it is the same: '25 November 2026, 14:00–14:40'."""
    if starts.astimezone(zone).date() == ends.astimezone(zone).date():
        return f"{date_time(starts, lang, zone)}–{clock(ends, lang, zone)}"
    return f"{date_time(starts, lang, zone)} – {date_time(ends, lang, zone)}"


def day_span(first: day, last: day, lang: str) -> str:
    """Two days as they are written out: '3–7 September 2026'."""
    from babel.dates import format_interval

    if first == last:
        return format_date(first, "long", locale=_locale(lang))
    return str(format_interval(first, last, "yMMMMd", locale=_locale(lang)))


def on_clock(local: datetime, lang: str) -> str:
    """What stands on a clock, which has its zone beside it."""
    return format_datetime(local, "EEE d MMM, HH:mm", locale=_locale(lang))


def zone_city(zone: str, lang: str) -> str:
    """The place that a zone is called after: 'Europe/Vienna' -> 'Vienna', in French 'Vienne'."""
    from babel import Locale

    known = Locale.parse(lang).time_zones.get(zone, {}).get("city")
    return str(known or zone.rpartition("/")[2].replace("_", " "))


def clock(moment: datetime, lang: str, zone: tzinfo) -> str:
    """A time of day, in 24 hours."""
    return format_time(moment, "HH:mm", tzinfo=zone, locale=_locale(lang))


def length(us: int) -> str:
    """A duration as players write it: `1:02:03` or `4:05`."""
    seconds = round(us / 1_000_000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def truncated(names: Sequence[str], most: int, lang: str) -> str:
    """Names in a row; beyond `most` how many more there are."""
    if len(names) <= most:
        return ", ".join(names)
    rest = catalogue(lang).gettext(N_("and %(num)s more")) % {"num": len(names) - most}
    return f"{', '.join(names[:most])} {rest}"


def excerpt(text: str, limit: int = 200) -> str:
    """The first sentences of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0] + "…"


def month(number: int, lang: str) -> str:
    """A month's name."""
    from babel.dates import get_month_names

    return str(get_month_names("wide", "stand-alone", locale=_locale(lang))[number])


def host(address: str) -> str:
    """The part of an address that people know."""
    return (urlsplit(address).hostname or address).removeprefix("www.")


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser(user_agent: str) -> str:
    """What a browser calls itself, in two words; '' when it cannot be told."""
    found = [next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(f for f in found if f)


def size(count: int, lang: str) -> str:
    """Bytes in the unit that people read: '1.2 GB', in French '1,2 Go'."""
    names = units(lang)
    value, n = float(count), 0
    while value >= 1000 and n < len(names) - 1:
        value, n = value / 1000, n + 1
    form = "#,##0.#" if n and value < 100 else "#,##0"
    return f"{format_decimal(value, locale=_locale(lang), format=form)} {names[n]}"


def units(lang: str) -> tuple[str, ...]:
    """The units of sizes, each a thousand of the one before."""
    return ("o", "ko", "Mo", "Go", "To") if lang == "fr" else ("B", "kB", "MB", "GB", "TB")


def whole(text: str | None, low: int, high: int) -> int | None:
    """A whole number between two bounds, None for anything else."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    value = int(text)
    return value if low <= value <= high else None


def number(value: float, lang: str) -> str:
    """A number with the separators of `lang`."""
    return format_decimal(value, locale=_locale(lang))


def _locale(lang: str) -> str:
    # British forms: 22 November, 24-hour clocks.
    return "en_GB" if lang == "en" else "fr_FR"
