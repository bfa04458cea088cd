"""`showcase demo`: a server with sample people and six sample works, made on the spot by FFmpeg's generative sources.

Everything is plainly labelled as a sample. What is there already is left as it is, so a second start is quick and a
stopped one goes on.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import sqlalchemy as sa
from aiohttp import web

from showcase import demo_programme
from showcase.app import TASKS
from showcase.core.models import Credit, Person, Window, Work
from showcase.errors import NotFound
from showcase.media import ffmpeg
from showcase.media.child import Limits
from showcase.settings import Settings
from showcase.store import access, assets, cities, people, screenings, works
from showcase.store.database import Database, migrate
from showcase.web.keys import DB, NOW, SETTINGS, STORAGE

log = logging.getLogger(__name__)

LINK_LASTS = timedelta(days=7)
LENGTH_S = 24
ENOUGH = 2
"""With so many works there can be a premiere; the others join later ones."""

KEPT_UP_S, AGAIN_S = 60, 5
"""The programme is looked at so often; sooner when that failed."""

MOST_TURNS = 30
"""Of changes to the programme, a handful each, in one go."""

# (address, name, role, city)
PEOPLE = (
    ("admin@example.org", "Sample Administrator", "administrator", None),
    ("linz@example.org", "Sample Staff Linz", "staff", "linz"),
    ("gwangju@example.org", "Sample Staff Gwangju", "staff", "gwangju"),
    ("artist@example.org", "Sample Artist One", "artist", "linz"),
    ("other-artist@example.org", "Sample Artist Two", "artist", "dakar"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One work: its texts, and the FFmpeg sources it is made of. `captions` by language: what is said, line by line."""

    titles: Mapping[str, str]
    statements: Mapping[str, str]
    cities: tuple[str, ...]
    medium: str
    year: int
    picture: str | None
    sound: str | None
    captions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    described: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    author: str = "artist@example.org"

    @property
    def original(self) -> tuple[str, str] | None:
        """A title in a third language."""
        return next(((k, v) for k, v in self.titles.items() if k not in ("en", "fr")), None)


SAMPLES = (
    Sample(
        {"en": "Night Frequencies (sample)", "fr": "Fréquences de nuit (exemple)", "ja": "夜の周波数（見本）"},
        {
            "en": "A sample work for the ears: three tones that never quite agree, and the air between them.",
            "fr": "Œuvre d’exemple pour l’oreille : trois sons qui ne s’accordent jamais tout à fait, et l’air entre eux.",
        },
        ("sapporo", "dakar"),
        "audio",
        2026,
        None,
        "sine=f=174:r=48000[a];sine=f=175.3:r=48000[b];sine=f=262:r=48000,tremolo=f=0.1:d=0.9[c];"
        "[a][b][c]amix=inputs=3,afade=t=in:d=3,volume=0.7",
        captions={
            "en": ["[A tone, out of nothing]", "[Two tones, beating slowly]", "[A third one above them]", "[All three]"],
            "fr": ["[Un son, venu de rien]", "[Deux sons qui battent lentement]", "[Un troisième au-dessus]", "[Tous les trois]"],
        },
    ),
    Sample(
        {"en": "Without a Sound (sample)", "fr": "Sans un son (exemple)"},
        {
            "en": "A sample work that is silent on purpose: a slow fall into a set that has no end.",
            "fr": "Œuvre d’exemple, silencieuse à dessein : une chute lente dans un ensemble sans fin.",
        },
        ("toronto",),
        "video",
        2026,
        "mandelbrot=s=1280x720:r=25:start_scale=1.2:end_scale=0.02:end_pts=600:inner=black:maxiter=900",
        None,
        author="other-artist@example.org",
    ),
    Sample(
        {"en": "Four by Three (sample)", "fr": "Quatre tiers (exemple)"},
        {
            "en": "A sample work in the shape of old television. A rule of one dimension draws its own history, line by line.",
            "fr": "Œuvre d’exemple au format de l’ancienne télévision. Une règle à une dimension dessine sa propre histoire, ligne après ligne.",
        },
        ("kosice", "york"),
        "video",
        2025,
        "cellauto=s=320x240:r=25:rule=110:seed=5,scale=960:720:flags=neighbor,"
        "colorchannelmixer=rr=0.9:gg=0.75:bb=0.4",
        "sine=f=110:b=4:r=48000,volume=0.3",
        captions={
            "en": ["[A low hum]", "[A short beep, each second]", "[The hum goes on]", "[A last beep]"],
            "fr": ["[Un bourdonnement grave]", "[Un bip bref, chaque seconde]", "[Le bourdonnement continue]", "[Un dernier bip]"],
        },
        author="other-artist@example.org",
    ),
    Sample(
        {"en": "Standing Water (sample)", "fr": "Eau dormante (exemple)", "ko": "고인 물 (견본)"},
        {
            "en": "A sample work for an upright screen. Cells are born, meet and vanish; nothing is repeated.",
            "fr": "Œuvre d’exemple pour un écran vertical. Des cellules naissent, se rencontrent et disparaissent ; rien ne se répète.",
        },
        ("gwangju", "linz"),
        "video",
        2026,
        "life=s=90x160:r=12:mold=14:ratio=0.42:rule=B3/S23:death_color=#123a5a:life_color=#bfe9e2:mold_color=#071522:seed=23,"
        "scale=1080:1920:flags=neighbor,fps=24",
        "anoisesrc=color=brown:r=48000:a=0.35:seed=3,lowpass=f=420,tremolo=f=0.15:d=0.6",
        captions={
            "en": ["[Water against stone]", "[It rises]", "[Nearly silence]", "[Water again]"],
            "fr": ["[De l’eau contre la pierre]", "[Elle monte]", "[Presque le silence]", "[L'eau de nouveau]"],
        },
    ),
    Sample(
        {"en": "Error Lines (sample)", "fr": "Lignes d’erreur (exemple)"},
        {
            "en": "A sample work between two cities on two continents: what one sends, the other receives a little wrong.",
            "fr": "Œuvre d’exemple entre deux villes, sur deux continents : ce que l’une envoie, l’autre le reçoit un peu faux.",
        },
        ("guadalajara", "enghien-les-bains"),
        "video",
        2024,
        "gradients=s=1280x720:r=25:type=circular:n=6:c0=0x05121f:c1=0x00798c:c2=0xedae49:c3=0xd1495b:c4=0x003d5b:c5=0x05121f:"
        "speed=0.015:seed=12,rgbashift=rh=14:bh=-14",
        "aevalsrc='0.2*sin(2*PI*t*(220+40*sin(0.7*t)))|0.2*sin(2*PI*t*(222+40*sin(0.7*t)))':s=48000",
        captions={
            "en": ["[A hum that wavers]", "[It rises]", "[It sinks, a little out of tune]", "[It holds]"],
            "fr": ["[Un bourdonnement qui vacille]", "[Il monte]", "[Il descend, un peu faux]", "[Il tient]"],
        },
        notes={"en": "A low hum throughout", "fr": "Un bourdonnement grave, du début à la fin"},
        author="other-artist@example.org",
    ),
    Sample(
        {"en": "Tide Tables (sample)", "fr": "Tables des marées (exemple)"},
        {
            "en": "A sample work. Two harbours far apart are drawn as one slow field of colour; the low tone follows the "
            "water of one, the high tone the other.\n\nIt was made by a program to show how works look here.",
            "fr": "Œuvre d’exemple. Deux ports éloignés deviennent un seul champ de couleur, lent ; le son grave suit "
            "l’eau de l’un, le son aigu celle de l’autre.\n\nUn programme l’a faite pour montrer à quoi ressemblent "
            "les œuvres ici.",
        },
        ("linz", "dakar"),
        "video",
        2026,
        "gradients=s=1920x1080:r=25:c0=0x0b1d3a:c1=0x1f7a8c:c2=0xf2a65a:c3=0x0b1d3a:n=4:speed=0.012:seed=7",
        "sine=f=82:r=48000,volume=0.5[l];sine=f=247:r=48000,tremolo=f=0.2:d=0.8,volume=0.25[h];[l][h]amix=inputs=2",
        captions={
            "en": ["[A low tone, like a far ship]", "[A higher tone swells and ebbs]", "[Both tones, in step]", "[They fade]"],
            "fr": ["[Un son grave, comme un navire au loin]", "[Un son plus aigu enfle et reflue]", "[Les deux sons, ensemble]", "[Ils s’éteignent]"],
        },
        described="sine=f=440:r=48000,volume='if(lt(mod(t,4),0.6),0.5,0.02)':eval=frame",
    ),
)  # fmt: skip


def run(settings: Settings, serve: Callable[[Settings, Callable[[web.Application], None]], None]) -> None:
    """Make the people, print how to get in, then serve and fill."""
    _refuse_taken(settings)
    click.echo(f"Preparing the demo in {settings.data} …")
    migrate(settings.database_url)
    for line in asyncio.run(_prepare(settings)):
        click.echo(line)

    def also(app: web.Application) -> None:
        app.cleanup_ctx.append(_filling)

    serve(settings, also)
    click.echo("Stopped.")


def _refuse_taken(settings: Settings) -> None:
    """Say that the port is taken, as by a demo that runs already, before anything else is said."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise click.ClickException(
                f"Port {settings.port} cannot be taken ({error.strerror}): does a demo run already? "
                "Another port: SHOWCASE_PORT=8081 make demo"
            ) from None


async def _prepare(settings: Settings) -> list[str]:
    db = Database(settings.database_url)
    at = datetime.now(UTC)
    lines = ["", f"  {settings.public_url}/", "", "  Sign in as (each link works once, for a week):"]
    try:
        await db.write(cities.seed, at)
        for email, name, role, city in PEOPLE:
            person = await db.write(_person, at, email, name, role, city)
            token = await db.write(access.make_link, at, "signin", LINK_LASTS, person=person.id)
            what = f"{role} {city}" if city else role
            lines.append(f"    {what:<16} {email:<26} {settings.public_url}/en/sign-in/{token}")
    finally:
        await db.close()
    return [*lines, "", "  Sample works appear as they become ready. Ctrl-C stops.", ""]


def _person(tx: sa.Connection, at: datetime, email: str, name: str, role: str, city: str | None) -> Person:
    person = people.create(tx, at, email, name)
    people.give_role(tx, at, person.id, role, city)
    return person


async def _filling(app: web.Application) -> AsyncIterator[None]:
    app[TASKS].start(_fill(app), name="sample works")
    yield


async def _fill(app: web.Application) -> None:
    """Draw what is not there yet, one sample after the other; the programme begins as soon as there is ENOUGH."""
    shown: list[int] = []
    begun = False

    def begin(least: int) -> None:
        nonlocal begun
        if not begun and len(shown) >= least:
            app[TASKS].start(_keep_up(app, shown), name="sample programme")
            begun = True

    lacking: list[tuple[int, Sample]] = []
    for number, sample in enumerate(SAMPLES, 1):
        try:
            work = await _found(app, sample)
        except Exception:
            log.exception("sample %s", number)
            work = None
        if work is not None and work.state == "published" and work.main is not None and not _lacking(sample, work):
            shown.append(work.id)
        else:
            lacking.append((number, sample))
    begin(ENOUGH)
    for number, sample in lacking:
        title = f"  {number} of {len(SAMPLES)}  {sample.titles['en']}"
        try:
            ready = await _ready(app, sample, title)
        except Exception:
            # The others do not wait for it.
            log.exception("sample %s", number)
            ready = None
        if ready is None:
            click.echo(f"{title}: failed, see the studio and the log")
            continue
        shown.append(ready.id)
        begin(ENOUGH)
        click.echo(f"{title}: {app[SETTINGS].public_url}/en/works/{ready.slug}")
    begin(1)
    if len(shown) == len(SAMPLES):
        click.echo("  All sample works are public; the higher qualities follow.")
    else:
        click.echo(f"  {len(shown)} of {len(SAMPLES)} sample works are public.")


async def _ready(app: web.Application, sample: Sample, title: str) -> Work | None:
    """Make a sample and let it be public; None when it cannot be played."""
    work = await _found(app, sample) or await _work(app, sample)
    if lacking := _lacking(sample, work):
        click.echo(f"{title}: drawing …")
        await _files(app, sample, work, lacking)
    work = await _playable(app, work)
    if work.main is None or not work.main.playable:
        return None
    await app[DB].write(_publish, datetime.now(UTC), work.id)
    return work


async def _keep_up(app: web.Application, shown: Sequence[int]) -> None:
    """Fill the programme, at once and then each minute, with the works there are by then."""
    soon, known = True, 0
    while True:
        pause_s, count = KEPT_UP_S, len(shown)
        try:
            await _programme(app, shown[:count], soon=soon, grown=count != known)
            soon, known = False, count
        except Exception:
            log.exception("sample programme: trying again in %d s", AGAIN_S)
            pause_s = AGAIN_S
        await asyncio.sleep(pause_s)


async def _programme(app: web.Application, shown: Sequence[int], *, soon: bool, grown: bool) -> None:
    """Festivals around today with screenings that are over, on and to come; tells the first one when it is to be `soon`."""
    site = app[SETTINGS].public_url
    for turn in range(MOST_TURNS):
        at, first = app[NOW](), soon and turn == 0
        changed = await app[DB].write(demo_programme.fill, at, shown, soon=first, grown=grown)
        if first:
            for one in (await app[DB].read(screenings.on_channel, at, None))[:1]:
                begins = one.starts.astimezone().strftime("%H:%M")
                click.echo(f"  A sample premiere begins at {begins}: {site}/en/screenings/{one.slug}")
        if not changed:
            return


async def _found(app: web.Application, sample: Sample) -> Work | None:
    """A sample that was made before."""
    author = await app[DB].read(people.by_email, sample.author)
    if author is None:
        raise NotFound("no-such-person")
    for work in await app[DB].read(works.listed, works.Filter(author=author.id), 200):
        if work.texts.get("title", {}).get("en") == sample.titles["en"]:
            return await app[DB].read(works.work_by_id, work.id)
    return None


async def _work(app: web.Application, sample: Sample) -> Work:
    author = await app[DB].read(people.by_email, sample.author)
    if author is None:
        raise NotFound("no-such-person")
    fields: dict[str, Mapping[str, str]] = {"title": sample.titles, "statement": sample.statements}
    if sample.notes:
        fields["content_notes"] = sample.notes
    return await app[DB].write(
        works.create,
        datetime.now(UTC),
        author.id,
        fields=fields,
        medium=sample.medium,
        in_cities=sample.cities,
        year=sample.year,
        original_lang=sample.original[0] if sample.original else None,
        credit=[Credit(author.name, "artist", sample.cities[0], author.slug), Credit("FFmpeg", "image")],
    )


def _lacking(sample: Sample, work: Work) -> set[tuple[str, str]]:
    """The files of a sample that are not there yet, as role and language."""
    wanted = {("work", "und"), *(("captions", lang) for lang in sample.captions)}
    if sample.described is not None:
        wanted.add(("audio-description", "en"))
    return wanted - {(a.role, a.lang) for a in work.assets}


async def _files(app: web.Application, sample: Sample, work: Work, lacking: set[tuple[str, str]]) -> None:
    binary = await asyncio.to_thread(ffmpeg.binary, app[SETTINGS].ffmpeg)
    folder = app[SETTINGS].data / "samples" / str(work.id)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    try:
        if ("work", "und") in lacking:
            name = "sound.flac" if sample.picture is None else "film.mp4"
            sources = [source for source in (sample.picture, sample.sound) if source is not None]
            codecs = ["-c:a", "flac"]
            if sample.picture is not None:
                codecs = [
                    "-c:v",
                    "libx264",
                    "-preset",
                    "veryfast",
                    "-crf",
                    "18",
                    "-pix_fmt",
                    "yuv420p",
                    "-c:a",
                    "aac",
                    "-b:a",
                    "192k",
                ]
            await _draw(binary, folder, name, sources, codecs)
            await _add(app, work, folder / name, "work", "und")
        for lang, lines in sample.captions.items():
            if ("captions", lang) in lacking:
                path = folder / f"captions.{lang}.vtt"
                await asyncio.to_thread(path.write_text, _vtt(lines), "utf-8")
                await _add(app, work, path, "captions", lang)
        if sample.described is not None and ("audio-description", "en") in lacking:
            await _draw(binary, folder, "described.flac", [sample.described], ["-c:a", "flac"])
            # It is as long as its film, which has to be known first.
            await _playable(app, work)
            await _add(app, work, folder / "described.flac", "audio-description", "en")
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)


async def _draw(binary: str, folder: Any, name: str, sources: Sequence[str], codecs: Sequence[str]) -> None:
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    arguments = [*inputs, "-t", str(LENGTH_S), "-map_metadata", "-1", *codecs, "-shortest", "-y", name]
    result = await ffmpeg.run(binary, arguments, cwd=folder, limits=Limits(wall_s=900))
    if not result.ok:
        log.warning("sample %s: %s", name, result.errors[-800:])
        raise RuntimeError(f"FFmpeg could not draw {name}")


async def _add(app: web.Application, work: Work, path: Any, role: str, lang: str) -> None:
    id = assets.new_id()
    size = (await asyncio.to_thread(path.stat)).st_size
    await app[STORAGE].adopt(path, f"originals/{id}")
    await app[DB].write(
        assets.add,
        datetime.now(UTC),
        id,
        work.id,
        role=role,
        lang=lang,
        filename=path.name,
        size=size,
        person=work.made_by,
    )


def _vtt(lines: Sequence[str]) -> str:
    step = LENGTH_S // len(lines)
    cues = [
        f"00:00:{n * step:02d}.200 --> 00:00:{(n + 1) * step - 1:02d}.800\n{line}\n" for n, line in enumerate(lines)
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


async def _playable(app: web.Application, work: Work) -> Work:
    """Wait until its film can be played and its length is known, which a premiere needs, or until it has failed."""
    while True:
        found = await app[DB].read(works.work_by_id, work.id)
        if any(a.state in ("failed", "cancelled") for a in found.assets if a.role == "work"):
            return found
        if found.main is not None and found.main.playable and found.main.duration_us is not None:
            return found
        await asyncio.sleep(0.5)


def _publish(tx: sa.Connection, at: datetime, work: int) -> None:
    works.set_window(tx, at, work, Window(None, None))
    works.set_state(tx, at, work, "published", ("draft", "submitted", "accepted", "withdrawn", "published"))
