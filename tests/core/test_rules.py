"""Who may do what."""

from __future__ import annotations

from typing import get_args

import pytest

from showcase.core.models import Person, WorkState
from showcase.core.rules import (
    SiteAction,
    WorkAction,
    allows,
    allows_site,
    cities_for_work,
    may_invite,
    require,
    require_site,
)
from showcase.errors import Forbidden, NotFound, Unauthenticated
from tests.core.things import LONG_AGO, person, work

AUTHOR = person(1, ("artist", "enghien"))
OTHER_ARTIST = person(2, ("artist", "enghien"))
STAFF = person(3, ("staff", "enghien"))
STAFF_ELSEWHERE = person(4, ("staff", "sapporo"))
ADMINISTRATOR = person(5, ("administrator", None))
GUEST = person(6)
OUTSIDERS = [None, OTHER_ARTIST, STAFF_ELSEWHERE, GUEST]
STATES: tuple[WorkState, ...] = get_args(WorkState)
ACTIONS: tuple[WorkAction, ...] = get_args(WorkAction)
EVERYTHING = frozenset(ACTIONS)


def may(who: Person | None, state: WorkState) -> frozenset[WorkAction]:
    one = work(state=state, authors=frozenset({1}), cities=("enghien", "braga"))
    return frozenset(a for a in ACTIONS if allows(who, a, one))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("who", OUTSIDERS, ids=["nobody", "artist", "staff-elsewhere", "guest"])
def test_outsiders_see_what_is_published_and_no_more(who: Person | None, state: WorkState) -> None:
    assert may(who, state) == (frozenset({"see"}) if state == "published" else frozenset())


@pytest.mark.parametrize("who", [STAFF, ADMINISTRATOR], ids=["staff", "administrator"])
def test_staff_of_a_city_of_the_work_do_all_but_delete_what_is_in_use(who: Person) -> None:
    assert {s: EVERYTHING - may(who, s) for s in STATES} == {
        "draft": frozenset(),
        "submitted": {"delete"},
        "accepted": {"delete"},
        "published": {"delete"},
        "withdrawn": frozenset(),
    }


def test_artists_open_only_what_staff_have_accepted() -> None:
    assert {s: EVERYTHING - may(AUTHOR, s) for s in STATES} == {
        "draft": {"accept", "publish"},
        "submitted": {"accept", "publish", "delete"},
        "accepted": {"accept", "delete"},
        "published": {"accept", "delete"},
        "withdrawn": {"accept", "publish"},
    }


def test_artists_open_again_what_was_public_and_was_withdrawn() -> None:
    once = work(state="withdrawn", authors=frozenset({1}), cities=("enghien",), published_at=LONG_AGO)
    assert allows(AUTHOR, "publish", once)


def test_a_disabled_account_is_nobody() -> None:
    for roles in [("artist", "enghien"), ("staff", "enghien"), ("administrator", None)]:
        assert may(person(1, roles, disabled=True), "draft") == frozenset()
        assert not allows_site(person(1, roles, disabled=True), "see-studio")
        assert not may_invite(person(1, roles, disabled=True), "artist", "enghien")


def test_a_refusal_tells_no_more_than_the_asker_may_know() -> None:
    draft, public = work(authors=frozenset({1})), work(state="published", authors=frozenset({1}))
    require(AUTHOR, "edit", draft)
    with pytest.raises(NotFound):
        require(None, "edit", draft)
    with pytest.raises(NotFound):
        require(OTHER_ARTIST, "edit", draft)
    with pytest.raises(Unauthenticated):
        require(None, "edit", public)
    with pytest.raises(Forbidden):
        require(OTHER_ARTIST, "edit", public)


@pytest.mark.parametrize(
    ("who", "actions"),
    [
        (None, set()),
        (GUEST, set()),
        (AUTHOR, {"create-work", "see-studio"}),
        (STAFF, {"create-work", "see-studio", "see-desk", "manage-people"}),
        (ADMINISTRATOR, set(get_args(SiteAction))),
    ],
    ids=["nobody", "guest", "artist", "staff", "administrator"],
)
def test_what_is_not_about_one_work(who: Person | None, actions: set[SiteAction]) -> None:
    assert {a for a in get_args(SiteAction) if allows_site(who, a)} == actions


def test_who_is_not_signed_in_is_asked_to() -> None:
    with pytest.raises(Unauthenticated):
        require_site(None, "see-studio")
    with pytest.raises(Forbidden):
        require_site(GUEST, "see-studio")
    require_site(AUTHOR, "see-studio")


def test_a_new_work_names_a_city_of_its_maker() -> None:
    both = person(7, ("artist", "enghien"), ("staff", "sapporo"))
    assert cities_for_work(both) == {"enghien", "sapporo"}
    assert cities_for_work(ADMINISTRATOR) is None


@pytest.mark.parametrize(
    ("who", "role", "city", "may"),
    [
        (None, "artist", "enghien", False),
        (AUTHOR, "artist", "enghien", False),
        (STAFF, "artist", "enghien", True),
        (STAFF, "staff", "enghien", True),
        (STAFF, "artist", "sapporo", False),
        (STAFF, "artist", None, False),
        (STAFF, "administrator", None, False),
        (STAFF, "administrator", "enghien", False),
        (ADMINISTRATOR, "administrator", None, True),
        (ADMINISTRATOR, "administrator", "enghien", False),
        (ADMINISTRATOR, "staff", "sapporo", True),
        (ADMINISTRATOR, "staff", None, False),
    ],
)
def test_who_may_invite_whom(who: Person | None, role: str, city: str | None, may: bool) -> None:
    assert may_invite(who, role, city) is may
