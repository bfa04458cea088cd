"""The pages everybody sees: home, works, artists, cities, about; and what other sites ask for (embeds, oEmbed, maps)."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from aiohttp import web
from markupsafe import Markup

from showcase.core import feeds_sitemap, rights, rules, schedule
from showcase.core.models import MEDIA, SITE_LANGUAGES, Asset, Person, Work
from showcase.errors import NotFound
from showcase.store import festivals, people, screenings, works
from showcase.web import embeds, network, pictures, words
from showcase.web.keys import DB, LANG, PERSON, SETTINGS, now
from showcase.web.pages import public, render, turns_with
from showcase.web.shelf import PAGE_ROLES

PAGE = 24
HOME_WORKS = 9
HOME_SCREENINGS = 4
# Works, artists and screenings that the map names, of each: with them it stays below what its protocol allows.
MAPPED = 8_000


async def root(request: web.Request) -> web.Response:
    """`/` leads to the home page in the reader's language."""
    return web.Response(
        status=302,
        headers={"Location": f"/{request[LANG]}/", "Vary": "Accept-Language, Cookie", "Cache-Control": "no-cache"},
    )


async def without_slash(request: web.Request) -> web.Response:
    """`/en` is `/en/`."""
    return web.Response(status=308, headers={"Location": f"/{request[LANG]}/"})


@public
async def home(request: web.Request) -> web.Response:
    """What is on view, and the cities."""
    db, cities = request.app[DB], await network.all_cities(request)
    newest = await db.read(works.listed, works.Filter(("published",)), HOME_WORKS)
    counts = await db.read(works.counts_by_city)
    at = now(request)
    coming = await db.read(screenings.after, at, HOME_SCREENINGS)
    turns_with(request, coming)
    return render(
        request,
        "public/home.html",
        coming=coming,
        phases={s.id: schedule.phase(s, at) for s in coming},
        works=newest,
        cities=cities,
        active=network.active(cities),
        counts=counts,
        verdicts={w.id: verdict(w, at) for w in newest},
    )


def verdict(work: Work, at: Any) -> rights.Verdict:
    """Whether the audience may watch `work` at `at`. Pages are the same everywhere: in which country is for who plays."""
    main = work.main
    playable = main is not None and main.playable
    was_public = work.published_at is not None
    return rights.verdict(work.state, work.window, playable, at, was_public=was_public, rights=work.rights)


@public
async def work_list(request: web.Request) -> web.Response:
    """Published works, filtered by city, year and medium."""
    db, cities = request.app[DB], await network.all_cities(request)
    city, medium = request.query.get("city") or None, request.query.get("medium") or None
    year = words.whole(request.query.get("year"), 1900, 2200)
    page = words.whole(request.query.get("page"), 1, 100_000) or 1
    if city is not None and city not in cities:
        raise NotFound("no-such-city", city=city[:60])
    if medium is not None and medium not in MEDIA:
        raise NotFound()
    which = works.Filter(("published",), city, year, medium)
    found = await db.read(works.listed, which, PAGE, None, (page - 1) * PAGE)
    total = await db.read(works.count, which)
    at = now(request)

    def link(number: int) -> str:
        given = {"city": city, "medium": medium, "year": year, "page": number if number > 1 else None}
        query = urlencode({k: v for k, v in given.items() if v})
        return request.path + (f"?{query}" if query else "")

    return render(
        request,
        "public/works.html",
        works=found,
        total=total,
        cities=cities,
        active=network.active(cities),
        years=await db.read(works.years),
        media=MEDIA,
        chosen={"city": city, "year": year, "medium": medium},
        page=page,
        pages=max(1, -(-total // PAGE)),
        link=link,
        verdicts={w.id: verdict(w, at) for w in found},
    )


@public
async def work_page(request: web.Request) -> web.Response:
    """A work: the picture, and what is to be known about it."""
    work = await request.app[DB].read(works.work, request.match_info["slug"])
    rules.require(request[PERSON], "see", work)
    at = now(request)
    shown_in = await request.app[DB].read(screenings.of_work, work.id, at)
    turns_with(request, shown_in)
    cities = await network.all_cities(request)
    return render(
        request,
        "public/work.html",
        shown_in=shown_in,
        phases={s.id: schedule.phase(s, at) for s in shown_in},
        **work_context(request, work),
        cities=cities,
        work_cities=network.of_work(work, cities),
    )


def work_context(request: web.Request, work: Work) -> dict[str, Any]:
    """What the player and the texts of a work need."""
    lang, at, person = request[LANG], now(request), request[PERSON]
    found = verdict(work, at)
    inside = rules.allows(person, "preview", work)
    main = work.main
    still = main is not None and bool(main.details.get("images"))
    return {
        "work": work,
        "main": main,
        "verdict": found,
        "inside": inside,
        "still": still,
        "player": player(request, work, main) if main is not None and not still else None,
        "captions": [a for a in work.taken("captions") if a.state == "ready"],
        "descriptions": [a for a in work.taken("audio-description") if a.state == "ready"],
        "beside": [
            {
                "asset": a,
                "player": player(request, work, a) if a.duration_us else None,
                "picture": pictures.of_asset(work, a),
            }
            for role in sorted(PAGE_ROLES)
            for a in work.taken(role)  # type: ignore[arg-type]
            if a.state == "ready"
        ],
        "transcripts": [
            (a, a.details["transcript"])
            for a in work.taken("captions")
            if a.details.get("transcript") and (found.open or inside)
        ],
        "structured": structured(request, work),
        "description": words.excerpt(work.text("statement", lang)),
        "preview": pictures.preview(work),
    }


def player(request: web.Request, work: Work, asset: Asset) -> dict[str, Any]:
    """What `templates/parts/player.html` takes."""
    lang = request[LANG]
    picture = pictures.poster(work) if asset is work.main else pictures.of_asset(work, asset)
    source = asset.details.get("source", {})
    best = max((r for r in asset.renditions if r.kind == "video"), key=lambda r: r.height, default=None)
    notes = work.text("content_notes", lang)
    return {
        "play_url": f"/api/v1/works/{work.slug}/play"
        if asset is work.main
        else f"/api/v1/works/{work.slug}/play?asset={asset.id}",
        "asset": "" if asset is work.main else asset.id,
        "key": f"{work.slug}-{asset.id}",
        "title": work.text("title", lang),
        "title_lang": work.text_lang("title", lang),
        "lang": asset.lang if asset.lang != "und" else (work.original_lang or ""),
        "duration": (asset.duration_us or 0) / 1_000_000 or None,
        "medium": "audio" if best is None else ("360" if work.medium == "360" else "video"),
        "poster": picture.src if picture else None,
        "poster_srcset": picture.srcset if picture else None,
        "poster_alt": "",
        "width": best.width if best is not None else source.get("width"),
        "height": best.height if best is not None else source.get("height"),
        "placeholder": picture.placeholder if picture else None,
        "min_age": work.minimum_age,
        "notes": [notes] if notes and asset is work.main else [],
        "hue": None,
    }


def structured(request: web.Request, work: Work) -> Markup:
    """JSON-LD (schema.org) of a work, safe inside a script element."""
    site, lang = request.app[SETTINGS].public_url, request[LANG]
    kind = {"video": "VideoObject", "360": "VideoObject", "audio": "AudioObject", "image": "ImageObject"}.get(
        work.medium, "CreativeWork"
    )
    main = work.main
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": kind,
        "name": work.text("title", lang),
        "inLanguage": work.original_lang,
        "url": f"{site}/{lang}/works/{work.slug}",
        "description": words.excerpt(work.text("statement", lang), 400) or None,
        "creator": [
            {"@type": "Person", "name": c.name} for c in work.credits if c.role.lower() in ("artist", "artiste")
        ]
        or None,
        "dateCreated": str(work.year) if work.year else None,
        "uploadDate": work.published_at.isoformat() if work.published_at else None,
        "thumbnailUrl": site + preview[0] if (preview := pictures.preview(work)) else None,
        "embedUrl": f"{site}/embed/work/{work.slug}" if kind in ("VideoObject", "AudioObject") else None,
        "duration": f"PT{main.duration_us / 1_000_000:.0f}S" if main is not None and main.duration_us else None,
    }
    text = json.dumps({k: v for k, v in found.items() if v is not None}, ensure_ascii=False)
    # The three characters that could end the element or start another.
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


@public
async def artist_page(request: web.Request) -> web.Response:
    """An artist with a public work: name, text, works."""
    db, cities = request.app[DB], await network.all_cities(request)
    person: Person = await db.read(people.by_slug, request.match_info["slug"])
    found = await db.read(works.listed, works.Filter(("published",), person=person.id), 200)
    if person.disabled or (not found and not (request[PERSON] and request[PERSON].id == person.id)):  # type: ignore[union-attr]
        raise NotFound()
    at = now(request)
    return render(
        request,
        "public/artist.html",
        artist=person,
        biography=await db.read(people.biography, person.id),
        works=found,
        cities=cities,
        of_cities=[cities[s] for s in sorted(person.artist_of) if s in cities],
        verdicts={w.id: verdict(w, at) for w in found},
    )


@public
async def city_list(request: web.Request) -> web.Response:
    """The network, from west to east."""
    cities = await network.all_cities(request)
    counts = await request.app[DB].read(works.counts_by_city)
    return render(request, "public/cities.html", cities=cities, active=network.active(cities), counts=counts)


@public
async def city_page(request: web.Request) -> web.Response:
    """A city: where it is, its festivals, its works."""
    cities = await network.all_cities(request)
    city = cities.get(request.match_info["slug"])
    if city is None:
        raise NotFound()
    which = works.Filter(("published",), city.slug)
    found = await request.app[DB].read(works.listed, which, PAGE)
    at = now(request)
    return render(
        request,
        "public/city.html",
        city=city,
        works=found,
        total=await request.app[DB].read(works.count, which),
        online=await request.app[DB].read(
            festivals.listed, cities=frozenset({city.slug}), states=screenings.PUBLIC_FESTIVALS, network=False
        ),
        cities=cities,
        verdicts={w.id: verdict(w, at) for w in found},
    )


@public
async def about(request: web.Request) -> web.Response:
    """What this is, and who can take part."""
    cities = await network.all_cities(request)
    return render(request, "public/about.html", count=len(network.active(cities)))


async def embed(request: web.Request) -> web.Response:
    """`/embed/work/{slug}`: the player alone, for other sites; only what is public."""
    if (asked := request.query.get("lang")) in SITE_LANGUAGES:
        request[LANG] = asked
    request[PERSON] = None
    work = await request.app[DB].read(works.work, request.match_info["slug"])
    rules.require(None, "see", work)
    cities = await network.all_cities(request)
    page = render(
        request, "public/embed.html", **work_context(request, work), work_cities=network.of_work(work, cities)
    )
    return embeds.framed(page)


async def oembed(request: web.Request) -> web.Response:
    """oEmbed 1.0: `?url=` of a work's or a screening's page."""
    settings = request.app[SETTINGS]
    if request.query.get("format", "json") != "json":
        return web.Response(status=501, text="json only\n")
    try:
        url = urlsplit(request.query.get("url", ""))
        here = (url.scheme, url.netloc)
    except ValueError:
        raise NotFound() from None
    parts = url.path.strip("/").split("/")
    site = urlsplit(settings.public_url)
    if here != (site.scheme, site.netloc) or len(parts) != 3 or parts[0] not in SITE_LANGUAGES:
        raise NotFound()
    if parts[1] == "screenings":
        return await embeds.oembed(request, parts[0], parts[2])
    if parts[1] != "works":
        raise NotFound()
    work = await request.app[DB].read(works.work, parts[2])
    rules.require(None, "see", work)
    lang, main = parts[0], work.main
    best = (
        max((r for r in main.renditions if r.kind == "video"), key=lambda r: r.height, default=None) if main else None
    )
    ratio = best.width / best.height if best else 16 / 9
    width, height = embeds.size(request, ratio)
    title = work.text("title", lang)
    address = f"{settings.public_url}/embed/work/{work.slug}?lang={lang}"
    found: dict[str, Any] = {
        "version": "1.0",
        "type": "link",
        "title": title,
        "author_name": ", ".join(c.name for c in work.credits[:5]),
        "provider_name": settings.site_name,
        "provider_url": settings.public_url,
    }
    if work.medium in ("video", "audio", "360"):
        found |= embeds.frame(address, width, height, title)
    found |= embeds.thumbnail(request, pictures.preview(work, embeds.within(request)))
    return web.json_response(found, headers=embeds.FOR_ALL)


async def robots(request: web.Request) -> web.Response:
    """Where search engines need not go."""
    site = request.app[SETTINGS].public_url
    body = "User-agent: *\n" + "".join(
        f"Disallow: {p}\n" for p in ("/hls/", "/api/", "/en/studio", "/fr/studio", "/en/desk", "/fr/desk")
    )
    return web.Response(text=f"{body}Sitemap: {site}/sitemap.xml\n", content_type="text/plain")


async def sitemap(request: web.Request) -> web.Response:
    """`/sitemap.xml`: every public page, in both languages (sitemaps.org 0.9)."""
    cities = network.active(await network.all_cities(request))

    def read(tx: sa.Connection) -> list[str]:
        public = festivals.listed(tx, states=screenings.PUBLIC_FESTIVALS)
        return [
            *("", "programme", "festivals", "works", "cities", "about"),
            *(f"cities/{c.slug}" for c in cities),
            *(f"festivals/{f.slug}" for f in public),
            *(f"works/{slug}" for slug in works.slugs_public(tx, MAPPED)),
            *(f"artists/{slug}" for slug in people.slugs_public(tx, MAPPED)),
            *(f"screenings/{slug}" for slug in screenings.slugs_public(tx, MAPPED)),
        ]

    tails = await request.app[DB].read(read)
    # Some ten thousand addresses take a while to write.
    body = await asyncio.to_thread(feeds_sitemap.sitemap, request.app[SETTINGS].public_url, tails)
    return web.Response(body=body, content_type="application/xml", headers={"Cache-Control": "public, max-age=3600"})


async def favicon(request: web.Request) -> web.Response:
    """Browsers ask here whatever the page says."""
    from showcase.web.keys import ASSETS

    return web.Response(
        status=302, headers={"Location": request.app[ASSETS].url("icon.svg"), "Cache-Control": "public, max-age=3600"}
    )


def routes(app: web.Application) -> None:
    """Mount the public pages."""
    router, lang = app.router, "/{lang:en|fr}"
    router.add_get("/", root)
    router.add_get(lang, without_slash)
    router.add_get(f"{lang}/", home)
    router.add_get(f"{lang}/works", work_list)
    router.add_get(lang + "/works/{slug:[a-z0-9-]+}", work_page)
    router.add_get(lang + "/artists/{slug:[a-z0-9-]+}", artist_page)
    router.add_get(f"{lang}/cities", city_list)
    router.add_get(lang + "/cities/{slug:[a-z0-9-]+}", city_page)
    router.add_get(f"{lang}/about", about)
    router.add_get("/embed/work/{slug:[a-z0-9-]+}", embed)
    router.add_get("/oembed", oembed)
    router.add_get("/robots.txt", robots)
    router.add_get("/sitemap.xml", sitemap)
    router.add_get("/favicon.ico", favicon)
