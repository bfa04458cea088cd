"""Where the parts of a server meet: opens what the process owns, mounts the routes, closes in reverse."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

from aiohttp import web

from showcase.children import Children
from showcase.core.languages import direction
from showcase.media.spool import Spool
from showcase.media.storage import Storage
from showcase.settings import Settings, shipped
from showcase.store import channels as channel_rows
from showcase.store import cities, jobs, screenings
from showcase.store.database import Database
from showcase.store.events import Event
from showcase.store.feed import Feed
from showcase.tasks import Tasks
from showcase.web import (
    account,
    api_docs,
    channel_streams,
    channels,
    desk,
    desk_festivals,
    desk_screenings,
    door,
    events,
    feeds_programme,
    keys,
    network,
    openapi,
    operator,
    pictures,
    programme,
    programme_pages,
    public,
    rooms,
    streams,
    studio,
    uploads,
    words,
)
from showcase.web.limits import Limits
from showcase.web.middleware import outermost, same_site, who
from showcase.web.pages import Pages
from showcase.web.passwords import Passwords
from showcase.web.sendfile import Descriptors
from showcase.web.shelf import Shelf, Showings
from showcase.web.static import Assets
from showcase.web.territory import Territories

log = logging.getLogger(__name__)

TASKS: web.AppKey[Tasks] = web.AppKey("TASKS")


def make(settings: Settings, *, clock: Callable[[], datetime] | None = None, workers: bool = True) -> web.Application:
    """Build the server. Blocks (templates, static files): call it before the loop runs. Raises OSError for a data folder
    and ValueError for a key or a territory database that cannot be used.

    `clock` is what the whole server goes by (the tests turn it); `workers` False starts no worker children.
    """
    app = web.Application(
        middlewares=[outermost, who, same_site],
        client_max_size=openapi.BODY_LIMIT,
        handler_args={"keepalive_timeout": 75},
    )
    words.preload()
    db = Database(settings.database_url)
    app[keys.SETTINGS] = settings
    app[keys.DB] = db
    app[keys.KEY] = settings.signing_key()
    app[keys.NOW] = clock or (lambda: datetime.now(UTC))
    app[keys.STORAGE] = Storage(settings.data / "files")
    app[keys.SPOOL] = Spool(settings.data / "uploads", reserve=settings.disk_reserve)
    app[keys.LIMITS] = Limits()
    app[keys.ASSETS] = Assets(dev=settings.dev)
    app[keys.PAGES] = Pages(
        shipped("templates"),
        dev=settings.dev,
        names={
            "poster": pictures.poster,
            "picture_of": pictures.of_asset,
            "festival_picture": pictures.of_festival,
            "festival_preview": pictures.festival_preview,
            "cities_of": network.of_work,
            "direction": direction,
            "site": settings.public_url,
            "site_name": settings.site_name,
        },
    )
    app[keys.PASSWORDS] = Passwords()
    app[keys.TERRITORIES] = Territories(settings.territory_database)
    app[keys.TERRITORIES].open()
    app[events.STREAMS] = events.Streams()
    app[keys.SHELF] = Shelf(db)
    app[keys.SHOWINGS] = Showings(db)
    app[door.DOOR] = door.Door(settings.viewer_cap, settings.bandwidth_budget * 1e6, time.monotonic)
    app[channels.CHANNELS] = channels.Channels(db, app[keys.NOW], settings.publish_ahead)
    app[network.NETWORK] = network.Network(db)
    app[streams.DESCRIPTORS] = Descriptors()
    app[TASKS] = Tasks()
    feed = app[keys.FEED] = Feed(db)
    db.changed = feed.wake
    caches = [
        app[keys.SHELF].changed,
        app[keys.SHOWINGS].changed,
        app[channels.CHANNELS].changed,
        app[network.NETWORK].changed,
        app[keys.PAGES].changed,
        _forget_files(app),
    ]
    for changed in caches:
        feed.watch(changed)

    def committed(emitted: Sequence[Event]) -> None:
        for event in emitted:
            for changed in caches:
                changed(event)

    # What this process wrote its caches know at once; from other processes they hear through the feed.
    db.committed = committed
    _mount(app)
    app.cleanup_ctx.append(_opened)
    if workers and settings.workers:
        app.cleanup_ctx.append(_working)
    return app


def _forget_files(app: web.Application) -> Callable[[Event], None]:
    def changed(event: Event) -> None:
        if event.topic == "asset":
            app[streams.DESCRIPTORS].forget(str(event.data.get("asset")))

    return changed


def _mount(app: web.Application) -> None:
    router = app.router
    router.add_get("/static/{hash}/{path:.*}", app[keys.ASSETS].serve)
    router.add_get("/api/openapi.json", api_docs.openapi)
    router.add_get("/api/docs", api_docs.docs)
    router.add_get("/api/v1/events", events.stream)
    openapi.mount(app, api_docs.LISTS)
    for part in (
        operator,
        channel_streams,
        streams,
        pictures,
        uploads,
        public,
        programme,
        programme_pages,
        rooms,
        feeds_programme,
        account,
        studio,
        desk,
        desk_festivals,
        desk_screenings,
    ):
        part.routes(app)


async def _opened(app: web.Application) -> AsyncIterator[None]:
    db, at = app[keys.DB], app[keys.NOW]()
    added = await db.write(cities.seed, at)
    if added:
        log.info("%d cities added", added)
    await db.write(jobs.enqueue, at, "sweep", "")
    await db.write(channel_rows.ask_for_slate, at, None)
    # The rules of time zones may have changed with an update of the machine.
    if moved := await db.write(screenings.moved, at):
        log.warning("%d screenings moved: the rules of their time zones have changed", moved)
    app[TASKS].start(app[keys.FEED].run(), name="feed")
    app[TASKS].start(app[keys.TERRITORIES].watch(), name="territory database")
    yield
    await app[channels.CHANNELS].close()
    await app[TASKS].close()
    app[keys.TERRITORIES].close()
    app[streams.DESCRIPTORS].close()
    await db.close()


async def _working(app: web.Application) -> AsyncIterator[None]:
    settings, feed = app[keys.SETTINGS], app[keys.FEED]
    children = Children(settings, feed.wake)

    def changed(event: Event) -> None:
        if event.topic in ("job", "asset"):
            children.wake()

    feed.watch(changed)
    app[TASKS].start(children.run(), name="worker children")
    yield
    await children.close()
