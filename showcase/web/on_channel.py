"""What a channel opens: a segment is served when its own time has come, whoever knows its address."""

from __future__ import annotations

from aiohttp import web

from showcase.core import schedule
from showcase.core.models import Asset
from showcase.errors import Gone, NotFound, NotOpenYet
from showcase.store.channels import SHOWABLE
from showcase.web.channels import CHANNELS
from showcase.web.keys import SHELF
from showcase.web.shelf import Shelved

pinned = schedule.pinned
doors_open = schedule.doors_open


def of_festival(number: int) -> str:
    """The key of a festival's channel; 0 is the network's."""
    return f"f{number}" if number else "n"


def of_screening(number: int) -> str:
    """The key of a premiere's own channel."""
    return f"s{number}"


async def shown(request: web.Request, key: str) -> tuple[Shelved, Asset]:
    """The work and the file that a segment's address names, while the channel has it on offer.

    Raises NotOpenYet before its time and after, Gone once its work was withdrawn, NotFound.
    """
    info, channels = request.match_info, request.app[CHANNELS]
    asset, rendition, file = info["asset"], info.get("rendition"), info.get("file", "")
    if rendition is None or not file:
        # Storyboards, peaks, whole playlists: they would tell of the work before its moment.
        raise NotFound()
    number = int(file[1:].partition(".")[0]) if file.startswith("s") else None
    if not await channels.offers(key, f"{asset}/{rendition}", number):
        raise NotOpenYet()
    shelved = await request.app[SHELF].work(await channels.owner(asset))
    if shelved.work.state == "withdrawn":
        raise Gone("withdrawn")
    found = shelved.assets.get(asset)
    if found is None or shelved.work.state not in SHOWABLE:
        raise NotFound()
    return shelved, found
