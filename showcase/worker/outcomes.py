"""What is kept of a file that is being prepared: its rows and details, and what comes next when all of it is stored."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from showcase.core import ladder
from showcase.core.ladder import Rendition as Made
from showcase.core.models import SOUND_ROLES, Asset, Work
from showcase.errors import Unavailable
from showcase.media import stills, transcode
from showcase.store import assets, jobs, works
from showcase.worker.filler import for_the_ears


def playable(tx: sa.Connection, at: datetime, id: str) -> None:
    """All that `process` makes is stored: what is left is the ladder's."""
    asset = assets.asset(tx, id)
    found = ladder.as_kept(asset.details.get("probe"))
    high = ladder.plan(found).high if found is not None else ()
    if {r.name for r in high} <= {r.name for r in asset.renditions}:
        ready(tx, at, id)
    else:
        assets.report(tx, at, id, stage="ladder")
        assets.climb(tx, at, id)


def ready(tx: sa.Connection, at: datetime, id: str) -> None:
    """All of a file is stored: whatever waited for that comes next."""
    assets.report(tx, at, id, state="ready", stage="ready", progress=1.0)
    assets.take_if_first(tx, at, id)
    asset = assets.asset(tx, id)
    work = works.work_by_id(tx, asset.work)
    if gain(asset, work) != asset.details.get("gain", 0.0):
        jobs.enqueue(tx, at, "level", id)
    if for_the_ears(asset):
        jobs.enqueue(tx, at, "still", id)
    assets.fit_sounds(tx, at, asset.work)


def gain(asset: Asset, work: Work) -> float:
    """Decibels to add to the sound of a file, as the artist of the work switched it."""
    return ladder.levelling_db(asset.details.get("loudness")) if work.levelled and asset.role == "work" else 0.0


def length_us(asset: Asset, work: Work) -> int | None:
    """How long a sound that plays with a film must be; None for what is as long as it is.

    Raises Unavailable `film-not-ready` as long as the film's length may still become known.
    """
    if asset.role not in SOUND_ROLES:
        return None
    if work.main is not None and work.main.duration_us is not None:
        return work.main.duration_us
    if any(a.role == "work" and a.state in ("queued", "processing") for a in work.assets):
        raise Unavailable("film-not-ready")
    return None


def new_prefix(asset: Asset) -> str:
    """A folder in the storage that nothing was stored in before."""
    return f"media/{asset.id}/{secrets.token_hex(4)}"


def likeness(images: tuple[stills.Image, ...]) -> tuple[stills.Image, ...]:
    """The smallest of each format."""
    least = min(i.width for i in images)
    return tuple(i for i in images if i.width == least)


def fields(made: Made) -> dict[str, Any]:
    """A rendition that was made as the store's takes it, but for its folder."""
    return {name: getattr(made, name) for name in Made.__dataclass_fields__}


def image(image: stills.Image) -> dict[str, Any]:
    """A picture as the details of a file, and a work's poster, have it."""
    return {
        "name": image.path.name,
        "type": image.media_type,
        "width": image.width,
        "height": image.height,
        "size": image.size_bytes,
    }


def source(outcome: transcode.Outcome) -> dict[str, Any]:
    """What the original is, for its page."""
    video = outcome.probe.video
    found: dict[str, Any] = {"container": outcome.probe.container}
    if video is not None:
        width, height = video.displayed
        found |= {"width": width, "height": height, "fps": round(float(video.fps), 3), "codec": video.codec}
    if outcome.probe.audio:
        found["audio"] = outcome.probe.audio[0].codec
        found["channels"] = outcome.probe.audio[0].channels
    return found
