"""What a channel opens: a segment is served when its own time has come, whoever knows its address."""

from __future__ import annotations

from aiohttp import web

from showcase.core import rights, schedule
from showcase.core.models import SHOWABLE, Asset, Screening
from showcase.errors import Gone, NotFound, NotHere, NotOpenYet
from showcase.web import territory
from showcase.web.channels import CHANNELS
from showcase.web.keys import SHELF, now
from showcase.web.shelf import Shelved

pinned = schedule.pinned
doors_open = schedule.doors_open


def of_festival(number: int, territory: str | None = None) -> str:
    """The key of a festival's channel as one territory gets it; 0 is the network's."""
    return (f"f{number}" if number else "n") + (f"~{territory}" if territory else "")


def of_screening(number: int, territory: str | None = None) -> str:
    """The key of a premiere's own channel as one territory gets it."""
    return f"s{number}" + (f"~{territory}" if territory else "")


async def shown(request: web.Request, key: str) -> tuple[Shelved, Asset]:
    """The work and the file that a segment's address names, while the channel has it on offer.

    Raises NotOpenYet before its time and after, Gone once its work was withdrawn, NotHere where it is not for the
    territory, NotFound.
    """
    info, channels = request.match_info, request.app[CHANNELS]
    asset, rendition, file = info["asset"], info.get("rendition"), info.get("file", "")
    if rendition is None or not file:
        # Storyboards, peaks, whole playlists: they would tell of the work before its moment.
        raise NotFound()
    number = int(file[1:].partition(".")[0]) if file.startswith("s") else None
    offered = await channels.offers(key, f"{asset}/{rendition}", number)
    shelved = await request.app[SHELF].work(await channels.owner(asset))
    where = key.partition("~")[2]
    if not offered:
        # Elsewhere it would be there now: then it is the place, not the time.
        if where and not rights.open_in(shelved.work.rights, where):
            raise NotHere()
        raise NotOpenYet()
    # Its rights may have ended just now; and a permission that was handed on to another country opens nothing there.
    for place in {where or None, territory.known(request) or where or None}:
        verdict = rights.may_show(shelved.work.rights, "premiere", now(request), place)
        if verdict.code == "not-in-your-territory":
            raise NotHere()
        if not verdict.open:
            raise Gone("closed", case="rights")
    if shelved.work.state == "withdrawn":
        raise Gone("withdrawn")
    found = shelved.assets.get(asset)
    if found is None or shelved.work.state not in SHOWABLE:
        raise NotFound()
    return shelved, found


async def refuse_everything(request: web.Request, screening: Screening) -> None:
    """Raise NotHere where no work of a premiere may be shown: there would be nothing but slate."""
    here = territory.of(request)
    found = [(await request.app[SHELF].work(slot.work)).work.rights for slot in screening.slots]
    if found and not any(rights.open_in(one, here) for one in found):
        raise NotHere()
