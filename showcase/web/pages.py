"""Templates to pages: one environment, one context, and a cache of the pages that everybody sees alike."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import CodeType
from typing import Any
from urllib.parse import urlencode

import jinja2
from aiohttp import hdrs, web
from jinja2.bccache import Bucket
from markupsafe import Markup

from showcase.core import rules, schedule
from showcase.core.models import SITE_LANGUAGES, Person, Screening
from showcase.core.names import fold
from showcase.core.rules import allows, allows_site
from showcase.store.events import Event
from showcase.web import words
from showcase.web.keys import ASSETS, CHANGES, KEY, LANG, NOW, PAGES, PERSON, SESSION, now
from showcase.web.static import matches

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CACHED_PAGES = 500
# What pages know of a query.
QUERY = (
    "city", "day", "zoom", "kind", "year", "medium", "state", "page", "saved", "next", "lang", "captions", "spoken",
)  # fmt: skip
# Pages change through events; this is for what changes by the clock alone.
CACHED_SECONDS = 10


class Compiled(jinja2.BytecodeCache):
    """Templates as code, in memory: each is compiled once for all languages, which halves the longest step of the start."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template its code, if that was compiled from the same text."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


class Pages:
    """The Jinja environment and the cache of public pages."""

    def __init__(self, folder: Path, *, dev: bool = False, names: Mapping[str, Any] | None = None) -> None:
        """`names` are further functions that templates may call. Reads all templates: call it before the loop runs."""
        compiled = Compiled()
        self._by_lang = {lang: _environment(lang, folder, dev, names or {}, compiled) for lang in SITE_LANGUAGES}
        self._cache: OrderedDict[str, tuple[float, web.Response]] = OrderedDict()
        self.generation = 0
        if not dev:
            for env in self._by_lang.values():
                for name in env.list_templates(extensions=["html"]):
                    env.get_template(name)

    def text(self, name: str, lang: str, context: Mapping[str, Any]) -> str:
        """The template `name` in `lang`, filled in."""
        return self._by_lang[lang].get_template(name).render(context)

    def cached(self, key: str, at: float) -> web.Response | None:
        """A page as it was rendered lately."""
        found = self._cache.get(key)
        return found[1] if found is not None and at < found[0] else None

    def keep(self, key: str, until: float, page: web.Response, generation: int) -> None:
        """Keep a page for whoever asks next, unless something changed since it was begun at `generation`."""
        if generation != self.generation:
            return
        self._cache[key] = (until, page)
        self._cache.move_to_end(key)
        if len(self._cache) > CACHED_PAGES:
            self._cache.popitem(last=False)

    def changed(self, event: Event) -> None:
        """Something happened that pages may show: forget them all (making one again costs milliseconds)."""
        if event.topic in ("work", "asset", "city", "person", "festival", "screening"):
            self._cache.clear()
            self.generation += 1


def _environment(
    lang: str, folder: Path, dev: bool, names: Mapping[str, Any], compiled: Compiled
) -> jinja2.Environment:
    """The templates in one language. Not an overlay: overlays share their globals, and the last language would win."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=dev,
        bytecode_cache=compiled,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.globals.update(names)
    env.install_gettext_translations(words.catalogue(lang), newstyle=True)  # type: ignore[attr-defined]
    env.filters["size"] = _spoken(words.size, lang=lang)
    env.filters["number"] = _spoken(words.number, lang=lang)
    env.filters["length_of"] = words.length
    env.filters["excerpt"] = words.excerpt
    env.filters["paragraphs"] = paragraphs
    env.filters["truncated"] = _spoken(words.truncated, lang=lang)
    env.filters["language_in"] = words.language_name
    env.filters["month_name"] = words.month
    env.filters["named"] = lambda value, kind, lang: (value, words.called(kind, value, lang))
    env.filters["by_name"] = lambda cities, lang: sorted(cities, key=lambda c: fold(c.name(lang)))
    env.filters["city_choice"] = lambda city, lang: (city.slug, city.name(lang))
    env.filters["twice"] = lambda value: (value, value)
    env.filters["extract"] = lambda key, mapping: mapping[key]
    env.filters["translated"] = _spoken(words.catalogue(lang).gettext)
    env.filters["host"] = words.host
    env.filters["browser"] = words.browser
    env.globals.update(
        lang=lang,
        other_lang="en" if lang == "fr" else "fr",
        date=lambda m, zone="UTC": words.date(m, lang, words.zone(zone)),
        date_time=lambda m, zone="UTC": words.date_time(m, lang, words.zone(zone)),
        time_span=lambda starts, ends, zone: words.time_span(starts, ends, lang, words.zone(zone)),
        clock=lambda m, zone="UTC": words.clock(m, lang, words.zone(zone)),
        weekday=lambda day, width="full": words.weekday(day, lang, width),
        called=lambda kind, value: words.called(kind, value, lang),
        day_span=lambda first, last: words.day_span(first, last, lang),
        on_clock=lambda local: words.on_clock(local, lang),
        zone_city=lambda zone: words.zone_city(zone, lang),
        country=lambda code: words.country(code, lang),
        language_name=lambda tag: words.language_name(tag, lang),
        sentence=lambda code, params=None: words.sentence(code, params or {}, lang),
        allows=allows,
        allows_site=allows_site,
        may_invite=rules.may_invite,
    )
    return env


def _spoken(filter_: Callable[..., Any], **bound: Any) -> Callable[..., Any]:
    """A filter whose result depends on the language: never worked out when a template is compiled, for that is done once."""

    @jinja2.pass_context
    def spoken(_context: jinja2.runtime.Context, *args: Any, **kwargs: Any) -> Any:
        return filter_(*args, **bound, **kwargs)

    return spoken


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs; everything in it is escaped."""
    parts = [p.strip() for p in text.replace("\r\n", "\n").split("\n\n") if p.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(p) for p in parts)


def csrf_token(request: web.Request) -> str:
    """What forms of this sign-in carry; '' for nobody."""
    session = request[SESSION]
    if session is None:
        return ""
    return hmac.new(request.app[KEY], f"csrf {session.public_id}".encode(), hashlib.sha256).hexdigest()[:32]


def known_query(request: web.Request) -> str:
    """The part of the query that pages know: whatever else stands there does not make another page."""
    return urlencode([(k, v[:60]) for k in QUERY if (v := request.query.get(k, ""))])


def context(request: web.Request, person: Person | None = None) -> dict[str, Any]:
    """What every page knows."""
    lang = request[LANG]
    tail = request.path.removeprefix(f"/{lang}/") if request.path.startswith(f"/{lang}/") else ""
    query = f"?{known}" if (known := known_query(request)) else ""
    return {
        "person": person if person is not None else request[PERSON],
        "asset_url": request.app[ASSETS].url,
        "path": request.path,
        "tail": tail,
        "translated": {code: f"/{code}/{tail}{query}" for code in SITE_LANGUAGES},
        "csrf": csrf_token(request),
        "now": request.app[NOW](),
        "day_long": timedelta(days=1),
    }


class Given(dict[str, Any]):
    """What was typed, or what is wrong with it: a field that is not there is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def render(
    request: web.Request, name: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **more: Any
) -> web.Response:
    """Answer with a template, in the language of the request."""
    for key in ("typed", "errors"):
        if key in more:
            more[key] = Given(more[key])
    text = request.app[PAGES].text(name, request[LANG], context(request) | more)
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={"Content-Language": request[LANG], **(headers or {})},
    )


def public(handler: Handler) -> Handler:
    """A page that everybody who is not signed in sees alike: rendered once, kept for a few seconds."""

    @functools.wraps(handler)
    async def serve(request: web.Request) -> web.StreamResponse:
        if request[PERSON] is not None or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            response = await handler(request)
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response
        pages, at = request.app[PAGES], asyncio.get_running_loop().time()
        key = f"{request.path}?{known_query(request)}"
        page = pages.cached(key, at)
        if page is None:
            generation = pages.generation
            made = await handler(request)
            assert isinstance(made, web.Response)  # noqa: S101 - pages are whole
            if made.status != 200:
                return made
            body = made.body
            assert isinstance(body, bytes)  # noqa: S101
            made.headers["ETag"] = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            made.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
            # The cookie decides whether a page is the public one.
            made.headers["Vary"] = "Cookie"
            lasts: float = CACHED_SECONDS
            if (changes := request.get(CHANGES)) is not None:
                lasts = min(lasts, (changes - request.app[NOW]()).total_seconds())
            pages.keep(key, at + lasts, made, generation)
            page = made
        if matches(request.headers.get(hdrs.IF_NONE_MATCH, ""), page.headers["ETag"]):
            return web.Response(status=304, headers={k: page.headers[k] for k in ("ETag", "Cache-Control", "Vary")})
        return web.Response(body=page.body, headers=page.headers)

    return serve


def turns_with(request: web.Request, shown: Iterable[Screening]) -> None:
    """Keep this page no longer than the phases that it tells of these are true."""
    if (turns := schedule.next_change(shown, now(request))) is not None:
        request[CHANGES] = turns


def named_language(request: web.Request) -> bool:
    """Whether the address, or the browser, names a language of the site."""
    return _first(request) in SITE_LANGUAGES or words.negotiate(request) is not None


def language(request: web.Request) -> str:
    """The language of a request: its address's, else what the browser likes best. Who signs in has one, too (`who`)."""
    first = _first(request)
    return first if first in SITE_LANGUAGES else words.negotiate(request) or SITE_LANGUAGES[0]


def _first(request: web.Request) -> str:
    return request.path.lstrip("/").partition("/")[0]
