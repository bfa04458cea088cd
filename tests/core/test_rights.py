"""Published is not watchable: media opens through a window only, and only where, when and how its rights allow it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from showcase.core.models import Window, WorkState
from showcase.core.rights import (
    ANY,
    NOWHERE,
    USES,
    Cue,
    Use,
    Verdict,
    WorkRights,
    changes_at,
    may_show,
    open_in,
    phase,
    uncleared,
    verdict,
)

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


AUSTRIA = WorkRights(mode="only", territories=frozenset({"AT"}))
BUT_AUSTRIA = WorkRights(mode="except", territories=frozenset({"AT"}))
STATED = WorkRights(OPENS, CLOSES, uses=frozenset({"premiere", "on_demand"}))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("territory", ["AT", "FR", NOWHERE, None])
def test_where_nothing_is_stated_everything_may_be_shown(use: Use, territory: str | None) -> None:
    assert may_show(ANY, use, OPENS, territory) == Verdict("open")


@pytest.mark.parametrize(
    ("stated", "open_there"),
    [
        (AUSTRIA, {"AT": True, "FR": False, NOWHERE: False, None: True}),
        (BUT_AUSTRIA, {"AT": False, "FR": True, NOWHERE: False, None: True}),
    ],
)
def test_territories_open_or_close_and_the_unknown_count_as_they_are_told_to(
    stated: WorkRights, open_there: dict[str | None, bool]
) -> None:
    assert {t: open_in(stated, t) for t in open_there} == open_there
    refused = Verdict("not-in-your-territory", by_rights=True)
    assert {t: may_show(stated, "replay", OPENS, t) for t in open_there} == {
        t: Verdict("open") if there else refused for t, there in open_there.items()
    }


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (OPENS - MOMENT, Verdict("not-open-yet", OPENS, CLOSES, by_rights=True)),
        (OPENS, Verdict("open", OPENS, CLOSES)),
        (CLOSES - MOMENT, Verdict("open", OPENS, CLOSES)),
        (CLOSES, Verdict("closed", None, CLOSES, by_rights=True)),
    ],
)
def test_rights_begin_and_end_on_the_dot(at: datetime, expected: Verdict) -> None:
    assert may_show(STATED, "premiere", at, "AT") == expected


def test_a_use_that_is_not_given_is_closed() -> None:
    assert {u: may_show(STATED, u, OPENS, None).code for u in USES} == {
        "live": "closed", "premiere": "open", "on_demand": "open", "replay": "closed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cue", "closed"),
    [
        (Cue("Tide", live=True, replay=True), set()),
        (Cue("Tide", live=True), {"replay"}),
        (Cue("Tide", replay=True), {"live", "premiere"}),
        (Cue("Tide"), {"live", "premiere", "replay"}),
    ],
)
def test_music_that_is_not_cleared_closes_what_it_is_not_cleared_for(cue: Cue, closed: set[str]) -> None:
    stated = WorkRights(cues=(Cue("Ebb", live=True, replay=True), cue))
    assert {u for u in USES if may_show(stated, u, OPENS, None) == Verdict("closed", by_rights=True)} == closed
    assert {u for u in USES if uncleared(stated, u) == (cue,)} == closed


def test_rights_change_by_the_clock_at_their_ends() -> None:
    assert [changes_at(STATED, m) for m in (OPENS - MOMENT, OPENS, CLOSES)] == [OPENS, CLOSES, None]
    assert changes_at(ANY, OPENS) is None


def test_a_work_on_view_is_open_while_its_window_and_its_rights_are() -> None:
    later = WorkRights(OPENS + timedelta(hours=1), CLOSES + timedelta(hours=1))
    shown = (OPENS + timedelta(hours=1), CLOSES)
    assert verdict("published", EVENING, True, OPENS, rights=later) == Verdict("not-open-yet", *shown)
    assert verdict("published", EVENING, True, shown[0], rights=later) == Verdict("open", *shown)
    assert verdict("published", EVENING, True, CLOSES, rights=later) == Verdict("closed", closes=CLOSES)
    none = WorkRights(uses=frozenset({"live"}))
    assert verdict("published", EVENING, True, OPENS, rights=none) == Verdict("closed", by_rights=True)
    there = verdict("published", EVENING, True, OPENS, rights=AUSTRIA, territory="FR")
    assert there == Verdict("not-in-your-territory", by_rights=True)
    assert verdict("withdrawn", EVENING, True, OPENS, rights=AUSTRIA, territory="FR") == Verdict("withdrawn")


def test_rights_that_begin_when_the_window_is_over_never_open_it() -> None:
    never = WorkRights(CLOSES)
    assert verdict("published", EVENING, True, OPENS, rights=never) == Verdict("closed", closes=CLOSES, by_rights=True)


def test_equal_rights_have_the_same_revision() -> None:
    again = WorkRights(mode="only", territories=frozenset({"AT"}))
    assert AUSTRIA.revision == again.revision
    assert len({r.revision for r in (ANY, AUSTRIA, BUT_AUSTRIA, STATED, WorkRights(cues=(Cue("Tide"),)))}) == 5
