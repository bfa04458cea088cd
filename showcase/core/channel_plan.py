"""A channel's plan as a database keeps it: what is on record and the programme that was arranged on it.

Both together give the timeline, so a node that starts knows what others have published before. Compressed: the lengths
of segments repeat themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any

from showcase.core.channel import Anchor, Item, Piece, Programme, Slate, Source, Stretch, Timeline, arrange
from showcase.core.timeline import Segments


@dataclass(frozen=True, slots=True)
class Plan:
    """What is on record and what follows."""

    anchor: Anchor
    programme: Programme

    def timeline(self) -> Timeline:
        """What that makes."""
        return arrange(self.programme, self.anchor)


def coming(programme: Programme, since_us: int) -> Programme:
    """A programme without the items that are over at a moment: they no longer have a say."""
    items = sorted((i for i in programme.items if i.ends_us > since_us), key=lambda i: (i.starts_us, i.screening))
    return Programme(tuple(items), programme.slate, programme.loop)


def fingerprint(programme: Programme) -> str:
    """Two programmes that make the same timeline have the same fingerprint."""
    keep = _Keeping()
    text = json.dumps([keep.programme(programme), keep.pool()], separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def pack(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    keep = _Keeping()
    body = {"anchor": keep.anchor(plan.anchor), "programme": keep.programme(plan.programme)}
    text = json.dumps(body | keep.pool(), separators=(",", ":"))
    return {"v": 1, "until": plan.anchor.until_us, "z": base64.b64encode(zlib.compress(text.encode(), 6)).decode()}


def until(kept: Any) -> int | None:
    """Until when what `pack` made is on record, without unpacking it; None for what another release kept."""
    return int(kept["until"]) if isinstance(kept, dict) and kept.get("v") == 1 and "until" in kept else None


def unpack(kept: Any) -> Plan | None:
    """What `pack` made a plan again; None for what another release kept."""
    try:
        if kept["v"] != 1:
            return None
        body = json.loads(zlib.decompress(base64.b64decode(kept["z"])))
        return _Kept(body).plan()
    except (KeyError, TypeError, ValueError, IndexError, zlib.error):
        return None


class _Keeping:
    """Sources, and their lists of lengths, are written once each."""

    def __init__(self) -> None:
        self._lengths: dict[tuple[int, ...], int] = {}
        self._sources: dict[int, int] = {}
        self._written: list[Any] = []
        self._alive: list[Source] = []

    def pool(self) -> dict[str, Any]:
        return {"lengths": [list(k) for k in self._lengths], "sources": self._written}

    def source(self, source: Source) -> int:
        known = self._sources.get(id(source))
        if known is None:
            known = self._sources[id(source)] = len(self._written)
            self._alive.append(source)
            tracks = [
                [t.prefix, self._lengths.setdefault(t.durations_us, len(self._lengths)), t.ending]
                for t in source.tracks
            ]
            self._written.append([source.key, tracks])
        return known

    def programme(self, programme: Programme) -> Any:
        slate = programme.slate
        return {
            "items": [
                [i.starts_us, i.ends_us, i.screening, [[self.source(s), offset] for s, offset in i.sources]]
                for i in programme.items
            ],
            "slate": [self.source(slate.body), [[n, self.source(s)] for n, s in sorted(slate.leads.items())]]
            if slate is not None
            else None,
            "loop": [self.source(s) for s in programme.loop],
        }

    def anchor(self, anchor: Anchor) -> Any:
        return {
            "stretches": [
                [
                    s.starts_us,
                    [[self.source(p.source), p.first, p.count] for p in s.pieces],
                    s.cycles,
                    s.sequence,
                    s.discontinuity,
                    s.shown_by,
                ]
                for s in anchor.stretches
            ],
            "until": anchor.until_us,
            "sequence": anchor.sequence,
            "discontinuity": anchor.discontinuity,
        }


class _Kept:
    def __init__(self, body: Any) -> None:
        self._body = body
        lengths = [tuple(found) for found in body["lengths"]]
        self._sources = [
            Source(key, tuple(Segments.of(prefix, lengths[n], ending) for prefix, n, ending in tracks))
            for key, tracks in body["sources"]
        ]

    def plan(self) -> Plan:
        a, p = self._body["anchor"], self._body["programme"]
        anchor = Anchor(
            tuple(
                Stretch(
                    starts,
                    tuple(Piece(self._sources[n], tuple(first), tuple(count)) for n, first, count in pieces),
                    cycles,
                    tuple(sequence),
                    discontinuity,
                    shown_by,
                )
                for starts, pieces, cycles, sequence, discontinuity, shown_by in a["stretches"]
            ),
            a["until"],
            tuple(a["sequence"]),
            a["discontinuity"],
        )
        slate = p["slate"]
        return Plan(
            anchor,
            Programme(
                tuple(
                    Item(starts, ends, tuple((self._sources[n], offset) for n, offset in shown), screening)
                    for starts, ends, screening, shown in p["items"]
                ),
                Slate(self._sources[slate[0]], {n: self._sources[s] for n, s in slate[1]}) if slate else None,
                tuple(self._sources[n] for n in p["loop"]),
            ),
        )
