"""The storyboard's WebVTT: each stretch of time has its tile, and all of the work is covered."""

from __future__ import annotations

from showcase.core.storyboard import timestamp, webvtt

BOARD = {"interval_us": 2_000_000, "columns": 2, "rows": 1, "width": 160, "height": 90, "sheets": ["a.jpg", "b.jpg"]}


def test_tiles_follow_row_by_row_and_sheet_by_sheet() -> None:
    assert webvtt(BOARD, 5_500_000) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:02.000\na.jpg#xywh=0,0,160,90\n\n"
        "00:00:02.000 --> 00:00:04.000\na.jpg#xywh=160,0,160,90\n\n"
        "00:00:04.000 --> 00:00:05.500\nb.jpg#xywh=0,0,160,90\n"
    )


def test_it_ends_with_its_last_sheet() -> None:
    assert webvtt(BOARD | {"sheets": ["a.jpg"]}, 60_000_000).count("-->") == 2


def test_a_work_without_length_has_no_tiles() -> None:
    assert webvtt(BOARD, 0) == "WEBVTT\n"


def test_timestamps_count_hours_without_end() -> None:
    assert timestamp(3_723_004_999) == "01:02:03.004"
    assert timestamp(360_000_000_000) == "100:00:00.000"
