"""Times as they are said in the two languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from showcase.web import words

AT = datetime(2026, 11, 25, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lang", "hours", "said"),
    [
        ("en", 1, "25 November 2026, 21:00–22:00"),
        ("en", 3, "25 November 2026, 21:00 – 26 November 2026, 00:00"),
        ("fr", 1, "25 novembre 2026, 21:00–22:00"),
    ],
)
def test_a_span_of_time_names_a_day_once(lang: str, hours: int, said: str) -> None:
    assert words.time_span(AT, AT + timedelta(hours=hours), lang, ZoneInfo("Europe/Vienna")) == said


@pytest.mark.parametrize(("text", "said"), [("  one\n two ", "one two"), ("word " * 50, "word " * 39 + "word…")])
def test_an_excerpt_is_one_line_and_ends_at_a_word(text: str, said: str) -> None:
    assert words.excerpt(text) == said
