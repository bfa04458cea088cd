"""A channel: works at their moments, filler between them, written down as a timeline that never changes its past.

Nothing is encoded anew and nothing runs: a timeline follows from a programme and from what was published before
(`Anchor`), so every node that has both computes the same playlists. Times are integer microseconds since 1970 (UTC).
All renditions of a channel (rungs, sounds, captions) change from one source to the next together, with the same
discontinuity sequence number (RFC 8216bis 4.4.4.3); times go by the first rendition, the picture.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from showcase.core.timeline import Run, Segments, Window, window

US = 1_000_000
FRAME_US = 40_000
"""A slate has 25 pictures a second: so exactly can a gap be filled."""

BODY_FRAMES = 50
"""A segment of a slate's body, 2 s."""

LEAST_LEAD = 3
"""A gap of fewer frames is left: what follows starts by so much early."""

LATE_US = US
"""Something that could start only so much late is shown whole; later, it is joined in the middle."""

FOREVER = 10_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Something to show, in every rendition of the channel (`tracks` in the channel's order). `key` is its identity."""

    key: str
    tracks: tuple[Segments, ...]

    @property
    def length_us(self) -> int:
        """As long as its picture."""
        return self.tracks[0].length_us


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive segments of a source: from `first` on, `count` of them, in each rendition."""

    source: Source
    first: tuple[int, ...]
    count: tuple[int, ...]

    @property
    def length_us(self) -> int:
        """By the picture."""
        track, a, n = self.source.tracks[0], self.first[0], self.count[0]
        return (track.ends_us[a + n - 1] if n else 0) - (track.ends_us[a - 1] if a else 0) if n else 0


def whole(source: Source) -> Piece:
    """All of a source."""
    return Piece(source, (0,) * len(source.tracks), tuple(len(t.durations_us) for t in source.tracks))


def part(source: Source, first: int, last: int) -> Piece:
    """The segments [first, last) of the picture, and of the other renditions what stands nearest beside them."""
    picture = source.tracks[0]
    starts = picture.ends_us[first - 1] if first else 0
    ends = picture.ends_us[last - 1] if last else 0
    a, b = [], []
    for track in source.tracks:
        a.append(_nearest(track, starts))
        b.append(len(track.durations_us) if last == len(picture.durations_us) else _nearest(track, ends))
    return Piece(source, tuple(a), tuple(max(0, y - x) for x, y in zip(a, b, strict=True)))


def _nearest(track: Segments, offset_us: int) -> int:
    """The number of segments that end nearest to an offset."""
    at = bisect.bisect_left(track.ends_us, offset_us)
    if at == len(track.ends_us):
        return at
    before = track.ends_us[at - 1] if at else 0
    return at + 1 if track.ends_us[at] - offset_us < offset_us - before else at


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pieces one after the other, `cycles` times over. `shown_by`: the screening that shows them, 0 for filler.

    `sequence` (of each rendition) and `discontinuity` are those of its first segment.
    """

    starts_us: int
    pieces: tuple[Piece, ...]
    cycles: int
    sequence: tuple[int, ...]
    discontinuity: int
    shown_by: int = 0

    @property
    def cycle_us(self) -> int:
        """Once through its pieces."""
        return sum(p.length_us for p in self.pieces)

    @property
    def ends_us(self) -> int:
        """When the next stretch may start."""
        return self.starts_us + self.cycles * self.cycle_us

    def counters(self, cycles: int, pieces: int = 0) -> tuple[tuple[int, ...], int]:
        """Sequence numbers and discontinuity after so many cycles and pieces."""
        sequence = []
        for r, base in enumerate(self.sequence):
            once = sum(p.count[r] for p in self.pieces)
            sequence.append(base + cycles * once + sum(p.count[r] for p in self.pieces[:pieces]))
        return tuple(sequence), self.discontinuity + cycles * len(self.pieces) + pieces

    def since(self, cycle: int) -> Stretch:
        """Without the cycles before `cycle`."""
        sequence, discontinuity = self.counters(cycle)
        return replace(
            self,
            starts_us=self.starts_us + cycle * self.cycle_us,
            cycles=self.cycles - cycle,
            sequence=sequence,
            discontinuity=discontinuity,
        )


@dataclass(frozen=True)
class Timeline:
    """Stretches in order of time, not overlapping."""

    stretches: tuple[Stretch, ...]

    @cached_property
    def _starts(self) -> list[int]:
        return [s.starts_us for s in self.stretches]

    def _from(self, at_us: int) -> Iterator[Stretch]:
        first = max(0, bisect.bisect_right(self._starts, at_us) - 1)
        return itertools.islice(self.stretches, first, None)

    def runs(self, rendition: int, since_us: int, until_us: int) -> list[Run]:
        """The runs of one rendition that touch [since, until)."""
        found: list[Run] = []
        for stretch in self._from(since_us):
            if stretch.starts_us >= until_us:
                break
            length = stretch.cycle_us
            if length <= 0:
                continue
            first = max(0, (since_us - stretch.starts_us) // length)
            last = min(stretch.cycles, -((stretch.starts_us - until_us) // length))
            for cycle in range(first, last):
                at = stretch.starts_us + cycle * length
                sequence, discontinuity = stretch.counters(cycle)
                number = sequence[rendition]
                for place, piece in enumerate(stretch.pieces):
                    count = piece.count[rendition]
                    if count and at < until_us and at + piece.length_us > since_us:
                        track = piece.source.tracks[rendition]
                        found.append(Run(at, track, piece.first[rendition], count, number, discontinuity + place))
                    at += piece.length_us
                    number += count
        return found

    def counters(self, at_us: int) -> tuple[tuple[int, ...], int]:
        """The numbers that follow on everything that starts before `at_us`."""
        sequence: tuple[int, ...] = ()
        discontinuity = 0
        for stretch in self._from(at_us):
            if stretch.starts_us >= at_us and sequence:
                break
            length = max(1, stretch.cycle_us)
            cycle = min(stretch.cycles, max(0, -((stretch.starts_us - at_us) // length)))
            sequence, discontinuity = stretch.counters(cycle)
        return sequence, discontinuity


@dataclass(frozen=True, slots=True)
class Slate:
    """What fills gaps: a body of segments of 2 s, and one segment for each length from `LEAST_LEAD` frames to 99."""

    body: Source
    leads: Mapping[int, Source]


@dataclass(frozen=True, slots=True)
class Item:
    """A block of the programme, from its start to its end, with works and when each starts, from the start of the block.

    `screening` is its number. Without sources it is slate (a stage that is not live yet).
    """

    starts_us: int
    ends_us: int
    sources: tuple[tuple[Source, int], ...]
    screening: int


@dataclass(frozen=True, slots=True)
class Programme:
    """All that a channel shows. `loop` fills what is between the items."""

    items: tuple[Item, ...]
    slate: Slate | None
    loop: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Anchor:
    """What is on record: nothing of it may change. What comes after it starts at `until_us` with these numbers."""

    stretches: tuple[Stretch, ...]
    until_us: int
    sequence: tuple[int, ...]
    discontinuity: int


def begin(at_us: int, renditions: int) -> Anchor:
    """A channel nobody has watched yet."""
    return Anchor((), at_us, (0,) * renditions, 0)


def arrange(programme: Programme, anchor: Anchor) -> Timeline:
    """The timeline that follows from what is on record and the programme; it goes on for years.

    Something that starts while another thing is on is joined where it is by then.
    """
    made = _Making(programme, anchor)
    for item in sorted(programme.items, key=lambda i: (i.starts_us, i.screening)):
        if item.ends_us <= made.at:
            continue
        made.fill(item.starts_us, programme.loop)
        for source, offset_us in item.sources:
            made.show(source, item.starts_us + offset_us, item.screening)
        made.fill(item.ends_us, ())
    made.go_on()
    return Timeline((*anchor.stretches, *made.stretches))


class _Making:
    """A timeline as it grows: where it has got to, and the numbers there."""

    def __init__(self, programme: Programme, anchor: Anchor) -> None:
        self.at = anchor.until_us
        self.stretches: list[Stretch] = []
        self._slate, self._loop = programme.slate, programme.loop
        self._sequence, self._discontinuity = anchor.sequence, anchor.discontinuity

    def _add(self, pieces: Sequence[Piece], cycles: int = 1, shown_by: int = 0) -> None:
        stretch = Stretch(self.at, tuple(pieces), cycles, self._sequence, self._discontinuity, shown_by)
        self.stretches.append(stretch)
        self._sequence, self._discontinuity = stretch.counters(cycles)
        self.at = stretch.ends_us

    def show(self, source: Source, starts_us: int, screening: int) -> None:
        """Show `source` from `starts_us` on, or what is left of it."""
        track = source.tracks[0]
        if not track.durations_us:
            return
        if self.at <= starts_us + LATE_US:
            if starts_us > self.at:
                self.fill(starts_us, ())
            # What a gap could not be filled exactly by is not carried on: errors must not add up.
            if self.at - starts_us < LEAST_LEAD * FRAME_US:
                self.at = starts_us
            self._add((whole(source),), shown_by=screening)
            return
        first = bisect.bisect_left(track.ends_us, self.at - starts_us - FRAME_US) + 1
        if first >= len(track.durations_us):
            return
        self.fill(starts_us + track.ends_us[first - 1], ())
        self.at = starts_us + track.ends_us[first - 1]
        self._add((part(source, first, len(track.durations_us)),), shown_by=screening)

    def fill(self, until_us: int, loop: Sequence[Source]) -> None:
        """Fill what is left until a moment: works of the loop that fit as a whole, then slate, exact to a frame."""
        pieces = [whole(s) for s in loop if s.length_us > 0]
        once = sum(p.length_us for p in pieces)
        # Room for a slate before what follows.
        room = until_us - self.at - 2 * US
        if once and room >= once:
            self._add(pieces, room // once)
        for piece in pieces:
            if piece.length_us > until_us - self.at - 2 * US:
                break
            self._add((piece,))
        frames = round((until_us - self.at) / FRAME_US)
        if self._slate is None or frames < LEAST_LEAD:
            return
        lead = frames if frames < 2 * BODY_FRAMES else BODY_FRAMES + frames % BODY_FRAMES
        self._add((whole(self._slate.leads[lead]),))
        self._body((frames - lead) // BODY_FRAMES)

    def _body(self, segments: int) -> None:
        assert self._slate is not None  # noqa: S101 - the only caller has checked
        body = self._slate.body
        cycles, rest = divmod(segments, len(body.tracks[0].durations_us))
        if cycles:
            self._add((whole(body),), cycles)
        if rest:
            self._add((part(body, 0, rest),))

    def go_on(self) -> None:
        """After the last item: the loop or slate without end."""
        if self._loop:
            self._add([whole(s) for s in self._loop if s.length_us > 0], FOREVER)
        elif self._slate is not None:
            self._add((whole(self._slate.body),), FOREVER)


def keep(
    old: Timeline,
    now_us: int,
    cut_us: int,
    since_us: int,
    closed: Callable[[Stretch, Piece], bool],
    renditions: int,
) -> Anchor:
    """What of a timeline stays as it is when the programme changes at `now_us`.

    Everything that starts before `cut_us` (the publishing lead and one segment from now) stays: works as a whole,
    filler up to the first boundary after it. What ended before `since_us` is forgotten. The exception is what is
    `closed` (withdrawn, unready): it ends at the next boundary from now, and what follows has numbers that nobody
    has seen, so that even then no number ever means two things.
    """
    stretches: list[Stretch] = []
    until = cut_us
    for stretch in old.stretches:
        if stretch.starts_us >= cut_us:
            break
        if stretch.ends_us <= since_us or stretch.cycle_us <= 0:
            continue
        stretch = stretch.since(max(0, (since_us - stretch.starts_us) // stretch.cycle_us))
        broken = _first_closed(stretch, now_us, cut_us, closed)
        if broken is not None:
            stretches += _until(stretch, max(now_us, broken))
            sequence, discontinuity = old.counters(cut_us)
            until = stretches[-1].ends_us if stretches else max(now_us, broken)
            return Anchor(tuple(stretches), max(until, now_us), sequence, discontinuity)
        stretches += _until(stretch, cut_us) if not stretch.shown_by else [stretch]
    if not stretches:
        # It was dark (there was no slate yet), so whatever comes now changes nothing that anybody has seen.
        sequence, discontinuity = old.counters(cut_us)
        return Anchor((), since_us, sequence or begin(since_us, renditions).sequence, discontinuity)
    last = stretches[-1]
    sequence, discontinuity = last.counters(last.cycles)
    return Anchor(tuple(stretches), last.ends_us, sequence, discontinuity)


def published(timeline: Timeline, rendition: int, now_us: int, *, ahead_us: int, window_us: int) -> tuple[Window, int]:
    """What the playlist of a rendition tells at a moment, and when it will tell more.

    It reaches `ahead_us` into the future, since players fetch before they show, and about `window_us` back. It changes
    only when a segment is added, so nodes whose clocks differ a little write the same bytes. After a break in the
    numbers (a withdrawal) nothing from before it is told any more.
    """
    far = now_us + ahead_us + 3 * US
    runs = timeline.runs(rendition, now_us - window_us - 60 * US, far + 60 * US)
    shown = window(runs, now_us - window_us - 30 * US, now_us + ahead_us, ended=False)
    if not shown.runs:
        first = next((r for r in runs if r.count), None)
        return shown, (first.starts_us + first.segments.durations_us[first.first] - ahead_us) if first else far
    edge = _end(shown.runs[-1])
    breaks = (n for n, (a, b) in enumerate(itertools.pairwise(shown.runs), 1) if a.sequence + a.count != b.sequence)
    unbroken = shown.runs[max(breaks, default=0) :]
    following = window(runs, edge, far + 60 * US, ended=False)
    upcoming = next((r for r in following.runs), None)
    changes = far
    if upcoming is not None:
        changes = upcoming.starts_us + upcoming.segments.durations_us[upcoming.first] - ahead_us
    return window(unbroken, edge - window_us, edge, ended=False), max(changes, now_us + 1)


def _end(run: Run) -> int:
    ends = run.segments.ends_us
    return run.starts_us + ends[run.first + run.count - 1] - (ends[run.first - 1] if run.first else 0)


def on_offer(
    timeline: Timeline, renditions: int, now_us: int, *, ahead_us: int, behind_us: int
) -> dict[str, list[tuple[int, int]]]:
    """What may be fetched at a moment: by place (`Segments.prefix`), the segments [first, last) that are published.

    `behind_us` is how long a segment may still be fetched after it has played.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for rendition in range(renditions):
        runs = timeline.runs(rendition, now_us - behind_us, now_us + ahead_us)
        for run in window(runs, now_us - behind_us, now_us + ahead_us, ended=False).runs:
            found.setdefault(run.segments.prefix, []).append((run.first, run.first + run.count))
    return found


def shows_closed(anchor: Anchor, now_us: int, closed: Callable[[Stretch, Piece], bool]) -> bool:
    """Whether something that is closed now is still on record to be shown."""
    near = (s for s in anchor.stretches if s.ends_us > now_us and s.cycle_us > 0)
    return any(_first_closed(s, now_us, anchor.until_us, closed) is not None for s in near)


def _first_closed(stretch: Stretch, now_us: int, cut_us: int, closed: Callable[[Stretch, Piece], bool]) -> int | None:
    """When something closed would show, from `now_us` on and on record already.

    The segment that is on at `now_us` is no longer counted: it ends by itself at the boundary at which a cut would end it.
    """
    if not any(closed(stretch, p) for p in stretch.pieces):
        return None
    cycle = max(0, (now_us - stretch.starts_us) // stretch.cycle_us)
    for number in range(cycle, stretch.cycles):
        at = stretch.starts_us + number * stretch.cycle_us
        if at >= cut_us:
            return None
        for piece in stretch.pieces:
            if at >= cut_us:
                return None
            if at + piece.length_us > max(now_us, _boundary(piece, at, now_us)) and closed(stretch, piece):
                return at
            at += piece.length_us
    return None


def _boundary(piece: Piece, starts_us: int, at_us: int) -> int:
    """The first boundary of segments of a piece at or after a moment; its start where that is later."""
    if at_us <= starts_us:
        return starts_us
    track, first = piece.source.tracks[0], piece.first[0]
    base = starts_us - (track.ends_us[first - 1] if first else 0)
    place = min(bisect.bisect_left(track.ends_us, at_us - base), first + piece.count[0] - 1)
    return base + track.ends_us[place]


def _until(stretch: Stretch, cut_us: int) -> list[Stretch]:
    """A stretch up to the first boundary of segments at or after `cut_us`."""
    if stretch.ends_us <= cut_us:
        return [stretch]
    if cut_us <= stretch.starts_us:
        return []
    made: list[Stretch] = []
    cycles = (cut_us - stretch.starts_us) // stretch.cycle_us
    if cycles:
        made.append(replace(stretch, cycles=cycles))
    at = stretch.starts_us + cycles * stretch.cycle_us
    for place, piece in enumerate(stretch.pieces):
        if at >= cut_us:
            break
        sequence, discontinuity = stretch.counters(cycles, place)
        track, first = piece.source.tracks[0], piece.first[0]
        base = at - (track.ends_us[first - 1] if first else 0)
        last = min(first + piece.count[0], bisect.bisect_left(track.ends_us, cut_us - base) + 1)
        shown = piece
        if last < first + piece.count[0]:
            # The other renditions stop where they stand nearest; they began where this piece began.
            rest = part(piece.source, first, last)
            shown = Piece(
                piece.source,
                piece.first,
                tuple(max(0, a + n - b) for a, n, b in zip(rest.first, rest.count, piece.first, strict=True)),
            )
        made.append(Stretch(at, (shown,), 1, sequence, discontinuity, stretch.shown_by))
        at += piece.length_us
    return made
