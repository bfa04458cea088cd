"""Windows of a timeline: nothing is skipped, nothing comes twice, and numbers stay with their segments."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from showcase.core.timeline import Run, Segments, Window, on_demand, window

FILM = Segments.of("film/", [4_000_000, 4_000_000, 2_500_000])
SLATE = Segments.of("slate/", [1_000_000, 4_000_000])


def programme(*parts: tuple[int, Segments, int]) -> list[Run]:
    """Runs of (gap before in us, segments, first segment), numbered as a channel numbers them."""
    runs: list[Run] = []
    at = sequence = 0
    for number, (gap, segments, first) in enumerate(parts):
        run = Run(at + gap, segments, first, len(segments.durations_us) - first, sequence, number)
        runs.append(run)
        at = run.starts_us + sum(segments.durations_us[first:])
        sequence += run.count
    return runs


def listed(runs: Sequence[Run]) -> list[tuple[int, int, int, int, str]]:
    """Every segment with its number, its run's number, its start and end, and its address."""
    found = []
    for run in runs:
        for n, (index, starts) in enumerate(run.pieces()):
            name = f"{run.segments.prefix}{index}"
            found.append((run.sequence + n, run.discontinuity, starts, starts + run.segments.durations_us[index], name))
    return found


def test_on_demand_is_all_of_it_from_zero() -> None:
    assert on_demand(FILM) == Window((Run(0, FILM, 0, 3, 0, 0),), ended=True)
    assert FILM.length_us == 10_500_000


def test_a_window_holds_what_ends_after_its_start_and_before_its_end() -> None:
    runs = programme((0, FILM, 0), (0, SLATE, 0))
    assert window(runs, 4_000_000, 11_500_000, ended=True) == Window(
        (Run(4_000_000, FILM, 1, 2, 1, 0), Run(10_500_000, SLATE, 0, 1, 3, 1)), ended=False
    )


def test_it_has_ended_when_its_last_segment_is_in() -> None:
    runs = programme((0, FILM, 0), (0, SLATE, 0))
    assert window(runs, 0, 15_499_999, ended=True).ended is False
    assert window(runs, 0, 15_500_000, ended=True).ended is True
    assert window(runs, 0, 15_500_000, ended=False).ended is False


def test_a_run_may_start_within_its_source() -> None:
    (run,) = programme((500_000, FILM, 2))
    assert list(run.pieces()) == [(2, 500_000)]
    assert window([run], 0, 3_000_000, ended=False).runs == (run,)


def test_before_and_after_everything_there_is_nothing() -> None:
    runs = programme((1_000_000, FILM, 0))
    assert window(runs, 0, 4_999_999, ended=True) == Window((), ended=False)
    assert window(runs, 11_500_000, 20_000_000, ended=True) == Window((), ended=True)


DURATIONS = st.lists(st.integers(1, 6_000_000), min_size=1, max_size=6)
PARTS = st.lists(st.tuples(st.integers(0, 3_000_000), DURATIONS, st.integers(0, 5)), min_size=1, max_size=5)


@given(PARTS, st.integers(0, 60_000_000), st.integers(0, 30_000_000))
def test_a_window_never_skips_a_segment(parts: list[tuple[int, list[int], int]], since: int, length: int) -> None:
    runs = programme(
        *(
            (gap, Segments.of(f"{n}/", lengths), min(first, len(lengths) - 1))
            for n, (gap, lengths, first) in enumerate(parts)
        )
    )
    shown = window(runs, since, since + length, ended=True)
    everything = listed(runs)
    assert listed(shown.runs) == [s for s in everything if s[3] > since and s[3] <= since + length]
    assert shown.ended is (everything[-1][3] <= since + length)


@given(PARTS, st.lists(st.integers(0, 2_000_000), max_size=20))
def test_a_sliding_window_keeps_numbers_and_addresses(
    parts: list[tuple[int, list[int], int]], steps: list[int]
) -> None:
    runs = programme(
        (0, FILM, 0), *((gap, Segments.of(f"{n}/", lengths), 0) for n, (gap, lengths, _) in enumerate(parts))
    )
    seen: dict[int, tuple[int, int, int, int, str]] = {}
    now = 0
    for step in steps:
        now += step
        for segment in listed(window(runs, now - 9_000_000, now, ended=False).runs):
            assert seen.setdefault(segment[0], segment) == segment
    # The window is longer than any segment, so polling it often enough shows all of them in order.
    assert sorted(seen) == list(range(len(seen)))
