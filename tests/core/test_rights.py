"""Published is not watchable: media opens through a window only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from showcase.core.models import Window, WorkState
from showcase.core.rights import Verdict, phase, verdict

OPENS = datetime(2026, 9, 12, 18, 0, tzinfo=UTC)
CLOSES = datetime(2026, 9, 13, 18, 0, tzinfo=UTC)
EVENING = Window(OPENS, CLOSES)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - MOMENT, Verdict("not-open-yet", OPENS, CLOSES)),
        (OPENS, Verdict("open", OPENS, CLOSES)),
        (CLOSES - MOMENT, Verdict("open", OPENS, CLOSES)),
        (CLOSES, Verdict("closed", None, CLOSES)),
    ],
)
def test_a_window_opens_on_the_dot_and_closes_on_the_dot(now: datetime, expected: Verdict) -> None:
    assert verdict("published", EVENING, True, now) == expected
    assert expected.open is (expected.code == "open")


def test_open_ends_are_open() -> None:
    assert verdict("published", Window(None, None), True, OPENS) == Verdict("open")
    assert verdict("published", Window(None, CLOSES), True, OPENS) == Verdict("open", None, CLOSES)
    assert verdict("published", Window(OPENS, None), True, CLOSES) == Verdict("open", OPENS, None)


def test_a_published_work_without_a_window_is_closed() -> None:
    assert verdict("published", None, True, OPENS) == Verdict("closed")


def test_a_work_that_is_not_ready_says_so_only_while_it_would_be_open() -> None:
    assert verdict("published", EVENING, False, OPENS) == Verdict("not-ready", None, CLOSES)
    assert verdict("published", EVENING, False, CLOSES) == Verdict("closed", None, CLOSES)


@pytest.mark.parametrize("state", ["draft", "submitted", "accepted"])
def test_what_is_not_public_does_not_exist(state: WorkState) -> None:
    assert verdict(state, EVENING, True, OPENS) == Verdict("not-found")


def test_a_withdrawn_work_says_so_whatever_its_window() -> None:
    assert verdict("withdrawn", EVENING, True, OPENS) == Verdict("withdrawn")


def test_phases_are_the_words_of_the_api() -> None:
    assert [phase(Verdict(c)) for c in ("not-open-yet", "open", "not-ready", "closed", "withdrawn")] == [
        "upcoming",
        "on_air",
        "on_air",
        "ended",
        "ended",
    ]


def test_what_never_was_public_was_never_there() -> None:
    assert verdict("withdrawn", EVENING, True, OPENS, was_public=False) == Verdict("not-found")
