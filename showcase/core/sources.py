"""What a channel shows of a work: a choice of its renditions for each rendition of the channel, and empty captions
where it has none (the master playlist of a channel is fixed, and works differ).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from showcase.core.channel import LEAST_LEAD, Slate, Source
from showcase.core.ladder import Rendition as Measured
from showcase.core.models import Asset, Rendition, Work
from showcase.core.timeline import Segments

RUNGS = ("v240", "v360", "v480", "v720", "v1080")
SOUNDS = ("main", "ad")
CAPTIONS = ("en", "fr")
NAMES = (*RUNGS, *SOUNDS, *CAPTIONS)
"""The renditions of every channel, in the order of `Source.tracks`. The first, the lowest picture, is what times go by."""

STILL = "still"
"""The kind of a rendition that shows a picture for as long as a work for the ears sounds."""

NO_CAPTIONS = "c-none"


def of_work(work: Work, main: Asset) -> Source | None:
    """The source that shows `main`, a version of `work`; None while it has no picture or no sound to show.

    Addresses are relative to a playlist of the channel (`/hls/<grant>/channel/<name>/index.m3u8`).
    """
    pictures = _pictures(main)
    sound = _newest(main)
    if not pictures or sound is None:
        return None
    described = next((r for a in work.taken("audio-description") if (r := _newest(a)) is not None), sound)
    beside = {a.lang: a for a in work.taken("captions") if any(r.kind == "captions" for r in a.renditions)}
    tracks = [_segments(main.id, _nearest(pictures, int(name[1:]))) for name in RUNGS]
    owner = {r.name: a.id for a in (main, *work.taken("audio-description")) for r in a.renditions}
    tracks.append(_segments(main.id, sound))
    tracks.append(tracks[-1] if described is sound else _segments(owner[described.name], described))
    for lang in CAPTIONS:
        found = next((a for tag, a in sorted(beside.items()) if tag.partition("-")[0] == lang), None)
        name = f"c-{found.id}" if found is not None else NO_CAPTIONS
        tracks.append(Segments.of(f"../../{main.id}/{name}/", tracks[0].durations_us, "vtt"))
    return Source(main.id, tuple(tracks))


def picture(main: Asset) -> Segments | None:
    """The lowest picture of a version, by whose segments a channel's captions are cut; None when it has none."""
    found = _pictures(main)
    return _segments(main.id, _nearest(found, int(RUNGS[0][1:]))) if found else None


def _pictures(main: Asset) -> list[Rendition]:
    # Of each size the newest: a still that was made anew stands beside the old one, which somebody may be seeing still.
    by_size = {min(r.width, r.height): r for r in main.renditions if r.kind == ("video" if _films(main) else STILL)}
    return [by_size[size] for size in sorted(by_size)]


def _films(asset: Asset) -> bool:
    return any(r.kind == "video" for r in asset.renditions)


def _newest(asset: Asset) -> Rendition | None:
    return next((r for r in reversed(asset.renditions) if r.kind == "audio"), None)


def _nearest(pictures: Sequence[Rendition], short: int) -> Rendition:
    """The largest picture that is not above a rung, or the lowest there is."""
    fitting = [r for r in pictures if min(r.width, r.height) <= short]
    return fitting[-1] if fitting else pictures[0]


def _segments(asset: str, rendition: Rendition) -> Segments:
    return Segments.of(f"../../{asset}/{rendition.name}/", rendition.durations_us)


def of_slate(design: str, body: Sequence[Measured], leads: Mapping[int, Sequence[Measured]]) -> Slate:
    """The slate of a design from what was stored of it: body and leads, each with every rung and one silent sound."""
    return Slate(
        _filler(design, "body", body),
        {frames: _filler(design, f"lead-{frames}", made) for frames, made in leads.items() if frames >= LEAST_LEAD},
    )


def _filler(design: str, part: str, made: Sequence[Measured]) -> Source:
    by_name = {r.name: r for r in made}
    sound = next(r for r in made if r.kind == "audio")
    place = f"../../slate/{design}/{part}"
    tracks = [Segments.of(f"{place}/{name}/", by_name[name].durations_us) for name in RUNGS]
    tracks += [Segments.of(f"{place}/{sound.name}/", sound.durations_us)] * len(SOUNDS)
    tracks += [Segments.of(f"{place}/{NO_CAPTIONS}/", tracks[0].durations_us, "vtt")] * len(CAPTIONS)
    return Source(f"slate {design} {part}", tuple(tracks))
