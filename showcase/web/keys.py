"""What handlers find in the application and in a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import MultipartReader, web

from showcase.core.models import Person
from showcase.media.spool import Spool
from showcase.media.storage import Storage
from showcase.settings import Settings
from showcase.store.access import Session
from showcase.store.database import Database
from showcase.store.feed import Feed

if TYPE_CHECKING:
    from showcase.web.limits import Limits
    from showcase.web.pages import Pages
    from showcase.web.passwords import Passwords
    from showcase.web.shelf import Shelf, Showings
    from showcase.web.static import Assets
    from showcase.web.territory import Territories

SETTINGS: web.AppKey[Settings] = web.AppKey("SETTINGS")
DB: web.AppKey[Database] = web.AppKey("DB")
FEED: web.AppKey[Feed] = web.AppKey("FEED")
STORAGE: web.AppKey[Storage] = web.AppKey("STORAGE")
SPOOL: web.AppKey[Spool] = web.AppKey("SPOOL")
KEY: web.AppKey[bytes] = web.AppKey("KEY")
NOW: web.AppKey[Callable[[], datetime]] = web.AppKey("NOW")
PAGES: web.AppKey[Pages] = web.AppKey("PAGES")
ASSETS: web.AppKey[Assets] = web.AppKey("ASSETS")
SHELF: web.AppKey[Shelf] = web.AppKey("SHELF")
SHOWINGS: web.AppKey[Showings] = web.AppKey("SHOWINGS")
LIMITS: web.AppKey[Limits] = web.AppKey("LIMITS")
TERRITORIES: web.AppKey[Territories] = web.AppKey("TERRITORIES")
PASSWORDS: web.AppKey[Passwords] = web.AppKey("PASSWORDS")

# Who asks, by which sign-in (None: a program's token, or nobody), and in which language the answer is.
PERSON: web.RequestKey[Person | None] = web.RequestKey("PERSON")
SESSION: web.RequestKey[Session | None] = web.RequestKey("SESSION")
LANG: web.RequestKey[str] = web.RequestKey("LANG")
# A form with files that is being read: its token comes first, the rest is for the handler.
PARTS: web.RequestKey[MultipartReader] = web.RequestKey("PARTS")
# When a page that everybody sees alike will be another one by the clock alone; it is kept no longer than that.
CHANGES: web.RequestKey[datetime] = web.RequestKey("CHANGES")


def now(request: web.Request) -> datetime:
    """The moment that everything in this request goes by, aware UTC."""
    return request.app[NOW]()


def signed_in(request: web.Request) -> Person:
    """Who asks. Raises Unauthenticated when nobody is signed in."""
    from showcase.errors import Unauthenticated

    person = request[PERSON]
    if person is None:
        raise Unauthenticated()
    return person
