"""Channels: works at their moments, every gap filled, and a past that no edit rewrites."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showcase.core import channel, playlist
from showcase.core.channel import Item, Piece, Programme, Slate, Source, Stretch, Timeline
from showcase.core.timeline import Segments

US = 1_000_000
NOON = 1_800_000_000 * US
AHEAD, WINDOW, SEGMENT = 12 * US, 60 * US, 4 * US


def source(key: str, length_us: int, segment_us: int = 4 * US, sound_us: int = 4_010_667) -> Source:
    """A picture and its sound, cut at other places as AAC frames are."""

    def cut(step: int) -> list[int]:
        full, rest = divmod(length_us, step)
        return [step] * full + ([rest] if rest else [])

    return Source(key, (Segments.of(f"{key}/v/", cut(segment_us)), Segments.of(f"{key}/a/", cut(sound_us))))


SLATE = Slate(
    source("slate", 60 * US, 2 * US, 2 * US),
    {n: source(f"lead-{n}", n * 40_000) for n in range(channel.LEAST_LEAD, 100)},
)
FILM, SHORT, LONG = source("film", 20_480_000), source("short", 7_000_000), source("long", 61_250_000)


def item(starts_us: int, *sources: Source, screening: int = 1, pause_us: int = 0, longer_us: int = 0) -> Item:
    shown, offset = [], 0
    for one in sources:
        shown.append((one, offset))
        offset += one.length_us + pause_us
    return Item(starts_us, starts_us + offset + longer_us, tuple(shown), screening)


def made(*items: Item, loop: tuple[Source, ...] = (), since_us: int = NOON) -> Timeline:
    return channel.arrange(Programme(items, SLATE, loop), channel.begin(since_us, 2))


def shown(timeline: Timeline, since_us: int, until_us: int) -> list[tuple[str, int]]:
    """What is shown, in order, with its start in milliseconds from noon."""
    return [
        (run.segments.prefix.partition("/")[0], (run.starts_us - NOON) // 1000)
        for run in timeline.runs(0, since_us, until_us)
    ]


def test_a_work_starts_at_its_moment_and_every_gap_is_filled_to_the_frame() -> None:
    timeline = made(item(NOON + 63_520_000, FILM))
    assert shown(timeline, NOON, NOON + 90 * US) == [
        ("lead-88", 0),
        ("slate", 3_520),
        ("film", 63_520),
        ("slate", 84_000),
    ]


@pytest.mark.parametrize("gap_us", [0, 39_000, 119_000, 120_000, 961_003, 1_999_999, 3_999_000, 4_000_000, 71_234_567])
def test_a_gap_is_filled_within_a_few_frames_and_errors_do_not_add_up(gap_us: int) -> None:
    starts = NOON + 10 * US
    second = starts + FILM.length_us + gap_us
    timeline = made(item(starts, FILM, screening=1), item(second, SHORT, screening=2))
    works = {s.pieces[0].source.key: s for s in timeline.stretches if s.shown_by}
    assert works["film"].starts_us == starts
    assert works["short"].starts_us == second
    before = next(s for s in timeline.stretches if s.ends_us > starts and s.starts_us >= works["film"].ends_us)
    assert abs(before.starts_us - works["film"].ends_us) <= channel.LEAST_LEAD * channel.FRAME_US


def test_pauses_are_slate_and_the_rest_of_a_block_too() -> None:
    timeline = made(item(NOON, SHORT, SHORT, pause_us=3 * US, longer_us=4 * US), loop=(LONG,), since_us=NOON)
    assert shown(timeline, NOON, NOON + 40 * US) == [
        ("short", 0),
        ("lead-75", 7_000),
        ("short", 10_000),
        # The pause after the last work and what is left of the block.
        ("lead-75", 17_000),
        ("slate", 20_000),
        ("long", 24_000),
    ]


def test_between_items_the_loop_shows_works_that_fit_and_goes_on_for_ever() -> None:
    timeline = made(item(NOON + 100 * US, FILM), loop=(SHORT, FILM))
    found = [name for name, _ in shown(timeline, NOON, NOON + 100 * US)]
    assert found == ["short", "film"] * 3 + ["short", "lead-64", "slate"]
    year = NOON + 365 * 86_400 * US
    assert [name for name, _ in shown(timeline, year, year + 30 * US)][:2] in (["short", "film"], ["film", "short"])


def test_what_starts_while_something_is_on_is_joined_where_it_is() -> None:
    timeline = made(item(NOON, LONG, screening=1), item(NOON + 55 * US, FILM, screening=2))
    (late,) = [s for s in timeline.stretches if s.shown_by == 2]
    # 61.25 s is 6.25 s into the film: its third segment starts at 8 s.
    assert (late.starts_us, late.pieces[0].first) == (NOON + 63 * US, (2, 2))
    assert late.ends_us == NOON + 55 * US + FILM.length_us


def test_a_channel_that_is_first_asked_for_in_the_middle_joins_it_there() -> None:
    timeline = made(item(NOON - 9 * US, FILM), since_us=NOON)
    # It ends at 11.48 s; what follows is the body of the slate.
    assert shown(timeline, NOON, NOON + 12 * US) == [("lead-75", 0), ("film", 3_000), ("slate", 11_480)]
    (film,) = [s for s in timeline.stretches if s.shown_by]
    assert film.pieces[0].first == (3, 3)


def test_without_a_slate_works_still_start_at_their_moments() -> None:
    timeline = channel.arrange(Programme((item(NOON + 9 * US, FILM),), None), channel.begin(NOON, 2))
    assert shown(timeline, NOON, NOON + 30 * US) == [("film", 9_000)]


def test_every_rendition_changes_over_together() -> None:
    timeline = made(item(NOON + 10 * US, FILM, SHORT, pause_us=2_500_000))
    picture, sound = (timeline.runs(r, NOON, NOON + 60 * US) for r in (0, 1))
    assert [(r.starts_us, r.discontinuity) for r in picture] == [(r.starts_us, r.discontinuity) for r in sound]


def test_a_playlist_tells_of_the_publishing_lead_and_not_more() -> None:
    timeline = made(item(NOON + 30 * US, FILM))
    now = NOON + 22 * US
    told, changes = channel.published(timeline, 0, now, ahead_us=AHEAD, window_us=WINDOW)
    last = told.runs[-1]
    assert last.segments.prefix == "film/v/"
    assert (last.first, last.count) == (0, 1)
    assert changes == NOON + 38 * US - AHEAD
    offered = channel.on_offer(timeline, 2, now, ahead_us=AHEAD, behind_us=WINDOW)
    assert offered["film/v/"] == [(0, 1)]
    assert "film/v/" not in channel.on_offer(timeline, 2, now - US, ahead_us=AHEAD, behind_us=WINDOW)
    assert "film/v/" not in channel.on_offer(timeline, 2, NOON + 51 * US + WINDOW, ahead_us=AHEAD, behind_us=WINDOW)


def test_the_same_bytes_until_the_next_segment() -> None:
    timeline = made(item(NOON + 30 * US, FILM))
    now = NOON + 70 * US
    told, changes = channel.published(timeline, 0, now, ahead_us=AHEAD, window_us=WINDOW)
    for later in (now + 1, changes - 1):
        assert channel.published(timeline, 0, later, ahead_us=AHEAD, window_us=WINDOW) == (told, changes)
    assert channel.published(timeline, 0, changes, ahead_us=AHEAD, window_us=WINDOW)[0] != told


def test_a_withdrawn_work_ends_at_the_next_boundary() -> None:
    old = made(item(NOON + 10 * US, LONG))
    now = NOON + 31 * US
    anchor = channel.keep(old, now, now + AHEAD + SEGMENT, now - WINDOW, lambda _, p: p.source.key == "long", 2)
    new = channel.arrange(Programme((), SLATE), anchor)
    told, _ = channel.published(new, 0, now, ahead_us=AHEAD, window_us=WINDOW)
    assert [r.segments.prefix for r in told.runs] == ["slate/v/"]
    assert told.runs[0].starts_us == NOON + 34 * US
    old_told, _ = channel.published(old, 0, now, ahead_us=AHEAD, window_us=WINDOW)
    assert told.runs[0].sequence > old_told.runs[-1].sequence + old_told.runs[-1].count - 1
    assert told.runs[0].discontinuity > old_told.runs[-1].discontinuity


def among(gone: set[str]) -> Callable[[Stretch, Piece], bool]:
    return lambda _, piece: piece.source.key in gone


def nothing(_: Stretch, __: Piece) -> bool:
    return False


class Watching:
    """Players that poll, and the promise made to them: a number means one segment, and numbers never go back."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int], tuple[str, int]] = {}
        self.last: dict[int, tuple[int, int]] = {}
        self.polls = 0

    def poll(self, timeline: Timeline, now: int) -> None:
        for rendition in range(2):
            told, _ = channel.published(timeline, rendition, now, ahead_us=AHEAD, window_us=WINDOW)
            self.read(rendition, playlist.media(told, pinned=True, target_us=SEGMENT))

    def read(self, rendition: int, text: str) -> None:
        """One more playlist."""
        number = int(re.search(r"MEDIA-SEQUENCE:(\d+)", text)[1])  # type: ignore[index]
        discontinuity = int(re.search(r"DISCONTINUITY-SEQUENCE:(\d+)", text)[1])  # type: ignore[index]
        assert (number, discontinuity) >= self.last.get(rendition, (0, 0))
        self.last[rendition] = (number, discontinuity)
        for line in text.splitlines()[6:]:
            if line == "#EXT-X-DISCONTINUITY":
                discontinuity += 1
            elif not line.startswith("#"):
                known = self.seen.setdefault((rendition, number), (line, discontinuity))
                assert known == (line, discontinuity), (rendition, number)
                number += 1
        assert number > 0
        self.polls += 1


def edited(seed: int, edits: int, closed: Callable[[random.Random], bool]) -> Watching:
    """Watch a channel whose programme is edited at random, some of it withdrawn."""
    rng = random.Random(seed)
    works, gone = (FILM, SHORT, LONG), set[str]()

    def programme(since: int, loop: bool) -> Programme:
        at, items = since, []
        while at < since + 600 * US:
            at += rng.randrange(0, 40_000) * 1000
            shown_now = [w for w in rng.choices(works, k=rng.randint(1, 2)) if w.key not in gone]
            items.append(item(at, *shown_now, screening=len(items) + 1, pause_us=rng.choice((0, 500_000, 3_000_000))))
            at = items[-1].ends_us if rng.random() < 0.8 else items[-1].starts_us + 3 * US
        return Programme(tuple(items), SLATE, tuple(w for w in (SHORT, FILM) if w.key not in gone) if loop else ())

    now, watching, made_edits = NOON, Watching(), 0
    timeline = channel.arrange(programme(NOON - 100 * US, True), channel.begin(NOON - WINDOW, 2))
    while made_edits < edits:
        if rng.random() < 0.15:
            gone = {w.key for w in works if closed(rng)}
            cut = now + AHEAD + SEGMENT
            anchor = channel.keep(timeline, now, cut, now - 2 * WINDOW, among(gone), 2)
            timeline = channel.arrange(programme(now - 30 * US, rng.random() < 0.5), anchor)
            made_edits += 1
        watching.poll(timeline, now)
        now += rng.randrange(200, 2500) * 1000
    return watching


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32))
def test_no_edit_changes_what_a_number_means(seed: int) -> None:
    assert edited(seed, 80, lambda _: False).polls > 500


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32))
def test_not_even_a_withdrawal_does(seed: int) -> None:
    assert edited(seed, 80, lambda rng: rng.random() < 0.2).polls > 500


def test_filler_is_cut_where_a_new_item_needs_its_place_and_a_work_is_not() -> None:
    old = made(item(NOON, LONG))
    now = NOON + 5 * US
    cut = now + AHEAD + SEGMENT
    anchor = channel.keep(old, now, cut, now - WINDOW, nothing, 2)
    assert anchor.until_us == NOON + LONG.length_us
    later = NOON + 70 * US
    cut = later + AHEAD + SEGMENT
    anchor = channel.keep(old, later, cut, later - WINDOW, nothing, 2)
    assert cut <= anchor.until_us < cut + 2 * US
    new = channel.arrange(Programme((item(NOON + 90 * US, FILM, screening=2),), SLATE), anchor)
    (film,) = [s for s in new.stretches if s.shown_by == 2]
    assert film.starts_us == NOON + 90 * US


def test_a_channel_that_was_dark_is_filled_from_its_beginning_once_there_is_a_slate() -> None:
    dark = channel.arrange(Programme((item(NOON + 60 * US, FILM),), None), channel.begin(NOON - WINDOW, 2))
    anchor = channel.keep(dark, NOON, NOON + AHEAD + SEGMENT, NOON - WINDOW, nothing, 2)
    lit = channel.arrange(Programme((item(NOON + 60 * US, FILM),), SLATE), anchor)
    told, _ = channel.published(lit, 0, NOON, ahead_us=AHEAD, window_us=WINDOW)
    assert told.runs[0].starts_us <= NOON - 44 * US
    # With something on record it goes on from its end.
    now = NOON + 70 * US
    anchor = channel.keep(dark, now, now + AHEAD + SEGMENT, now - WINDOW, nothing, 2)
    assert anchor.until_us == NOON + 60 * US + FILM.length_us
