"""What rights and music say to a screening, with what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from showcase.core import schedule
from showcase.core.models import Festival, Screening, ScreeningKind, ScreeningState, Slot
from showcase.core.rights import Cue, WorkRights
from showcase.core.schedule import Countries, moment
from showcase.web import words
from tests.core.things import LONG_AGO, asset, work

VIENNA = ZoneInfo("Europe/Vienna")
STARTS = datetime(2026, 11, 25, 20)
HOUR = timedelta(hours=1)
AT = moment(STARTS, VIENNA).moment
FESTIVAL = Festival(
    1, "ars", "linz", "Europe/Vienna", date(2026, 11, 20), date(2026, 11, 30), None, "published", 1, LONG_AGO, LONG_AGO
)  # fmt: skip
ABOUT = ("rights-closed", "rights-territories", "cues-uncleared")


def screening(kind: ScreeningKind, replay: timedelta | None = None) -> Screening:
    until = STARTS + replay if replay is not None else None
    return Screening(
        id=1, slug="tides", festival=1, festival_slug="ars", festival_state="published", festival_title={}, city="linz",
        hosts=(), host_cities=frozenset({"linz"}), kind=kind, state="draft", zone="Europe/Vienna", starts_local=STARTS,
        ends_local=STARTS + HOUR, starts=AT, ends=AT + HOUR, minimum_age=None, revision=1, created_at=LONG_AGO,
        updated_at=LONG_AGO, texts={"title": {"en": "Tides"}}, slots=(Slot(1, "tidal", None),), replay_until_local=until,
        replay_until=moment(until, VIENNA).moment if until is not None else None,
    )  # fmt: skip


def against(rights: WorkRights, kind: ScreeningKind, replay: timedelta | None = None) -> list[tuple[str, str, str]]:
    """Code, severity and case of what the rights say."""
    shown = work(state="accepted", assets=(asset(),), texts={"title": {"en": "Tidal", "fr": "Marée"}}, rights=rights)
    found = schedule.conflicts(screening(kind, replay), FESTIVAL, {1: shown}, VIENNA, LONG_AGO)
    return [(c.code, c.severity, c.params["case"]) for c in found if c.code in ABOUT]


@pytest.mark.parametrize("kind", ["live", "premiere", "on_demand"])
def test_nothing_stands_against_a_work_about_which_nothing_is_stated(kind: ScreeningKind) -> None:
    assert against(WorkRights(), kind, 5 * HOUR) == []


@pytest.mark.parametrize("kind", ["live", "premiere", "on_demand"])
def test_a_use_that_is_not_given_is_an_error(kind: ScreeningKind) -> None:
    rights = WorkRights(uses=frozenset({"live", "premiere", "on_demand"}) - {kind})
    assert against(rights, kind) == [("rights-closed", "error", "use")]


@pytest.mark.parametrize(
    ("starts", "ends", "found"),
    [
        (AT, AT + HOUR, []),
        (AT + timedelta(minutes=1), None, [("rights-closed", "error", "dates")]),
        (None, AT + timedelta(minutes=59), [("rights-closed", "error", "dates")]),
    ],
)
def test_rights_must_cover_all_of_its_time(starts: datetime | None, ends: datetime | None, found: list[Any]) -> None:
    assert against(WorkRights(starts, ends), "premiere") == found


def test_a_replay_beyond_the_rights_is_a_warning() -> None:
    warned = [("rights-closed", "warning", "replay")]
    assert against(WorkRights(ends=AT + 3 * HOUR), "premiere", 5 * HOUR) == warned
    assert against(WorkRights(uses=frozenset({"premiere"})), "premiere", 5 * HOUR) == warned
    assert against(WorkRights(ends=AT + 5 * HOUR), "premiere", 5 * HOUR) == []
    assert against(WorkRights(uses=frozenset({"premiere"})), "premiere") == []


def test_music_that_is_not_cleared_stops_a_premiere_and_closes_a_replay() -> None:
    neither = WorkRights(cues=(Cue("Ebb", "Ada"),))
    assert against(neither, "premiere", 5 * HOUR) == [
        ("cues-uncleared", "error", "live"), ("cues-uncleared", "warning", "replay"),
    ]  # fmt: skip
    assert against(neither, "live") == [("cues-uncleared", "error", "live")]
    assert against(WorkRights(cues=(Cue("Ebb", live=True),)), "premiere") == []
    assert against(neither, "on_demand") == []


def test_territories_are_a_warning() -> None:
    only = WorkRights(mode="only", territories=frozenset({"AT", "FR"}))
    assert against(only, "on_demand") == [("rights-territories", "warning", "only")]
    beside = WorkRights(mode="except", territories=frozenset({"US"}))
    assert against(beside, "on_demand") == [("rights-territories", "warning", "except")]


def test_captions_are_missed_where_there_is_something_to_hear() -> None:
    def missed(**details: Any) -> bool:
        shown = work(state="accepted", assets=(asset(details=details),))
        found = schedule.conflicts(screening("premiere"), FESTIVAL, {1: shown}, VIENNA, LONG_AGO)
        return "captions-missing" in [c.code for c in found]

    assert missed()
    assert missed(source={"audio": "aac"}, loudness={"integrated": -23.0})
    assert not missed(source={"audio": None})
    assert not missed(source={"audio": "aac"}, loudness={"integrated": None})


@pytest.mark.parametrize(
    ("kind", "state", "after", "found"),
    [
        ("premiere", "draft", timedelta(0), []),
        ("premiere", "draft", timedelta(minutes=1), [("warning", "begun")]),
        ("on_demand", "draft", timedelta(minutes=1), []),
        ("on_demand", "draft", HOUR, [("warning", "over")]),
        ("premiere", "withdrawn", HOUR, []),
        ("premiere", "published", HOUR, []),
    ],
)
def test_what_lies_in_the_past_is_a_warning_before_it_is_public(
    kind: ScreeningKind, state: ScreeningState, after: timedelta, found: list[Any]
) -> None:
    shown = work(state="accepted", assets=(asset(),))
    known = schedule.conflicts(replace(screening(kind), state=state), FESTIVAL, {1: shown}, VIENNA, AT + after)
    past = [c for c in known if c.code == "screening-past"]
    assert [(c.severity, c.params["case"]) for c in past] == found
    for conflict in past:
        said = {lang: words.sentence(conflict.code, conflict.params, lang) for lang in ("en", "fr")}
        assert said["en"] != said["fr"]
        assert (conflict.params["time"] in said["fr"], conflict.params["day"] in said["fr"]) == (True, True)


def test_where_a_replay_is_left_it_is_told_so() -> None:
    shown = {1: work(state="accepted", assets=(asset(),))}
    found = schedule.conflicts(screening("premiere", 5 * HOUR), FESTIVAL, shown, VIENNA, AT + 2 * HOUR)
    (past,) = [c for c in found if c.code == "screening-past"]
    assert (past.severity, past.params["case"]) == ("warning", "replay")
    assert "Only its replay" in words.sentence(past.code, past.params, "en")


@pytest.mark.parametrize("countries", ["open", "closed"])
def test_where_countries_cannot_be_told_it_is_said_what_becomes_of_them(countries: Countries) -> None:
    rights = WorkRights(mode="only", territories=frozenset({"AT"}))
    shown = {1: work(state="accepted", assets=(asset(),), rights=rights)}
    found = schedule.conflicts(screening("premiere"), FESTIVAL, shown, VIENNA, LONG_AGO, countries=countries)
    (told,) = [c for c in found if c.code == "rights-territories"]
    said = words.sentence(told.code, told.params, "en")
    assert f"it is {'shown' if countries == 'open' else 'refused'} everywhere" in said


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_each_says_what_to_do_in_both_languages(lang: str) -> None:
    rights = WorkRights(AT + HOUR, None, "except", frozenset({"US"}), frozenset({"premiere"}), (Cue("Ebb"),))
    shown = work(state="accepted", assets=(asset(),), texts={"title": {"en": "Tidal", "fr": "Marée"}}, rights=rights)
    found = schedule.conflicts(screening("premiere", 5 * HOUR), FESTIVAL, {1: shown}, VIENNA, LONG_AGO)
    said = [words.sentence(c.code, c.params, lang) for c in found if c.code in ABOUT]
    assert len(set(said)) == 5
    for sentence in said:
        assert ("Tidal" if lang == "en" else "Marée") in sentence
        assert "{" not in sentence
        assert sentence != words.sentence("internal", {}, lang)
