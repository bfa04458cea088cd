"""What stands against showing a work, and what would make it better."""

from __future__ import annotations

from showcase.core.checklist import LABELS, checklist, missing
from showcase.core.models import Credit
from tests.core.things import asset, rendition, work


def test_an_empty_work_lacks_everything_and_what_is_required_comes_first() -> None:
    assert [(i.code, i.required, i.done) for i in checklist(work())] == [
        ("title", True, False),
        ("cities", True, False),
        ("file", True, False),
        ("title-en", False, False),
        ("title-fr", False, False),
        ("credits", False, False),
        ("statement-en", False, False),
        ("statement-fr", False, False),
        ("year", False, False),
        ("poster", False, False),
        ("captions", False, False),
        ("description", False, False),
    ]
    assert missing(work()) == ["title", "cities", "file"]


def test_a_complete_work_lacks_nothing() -> None:
    whole = work(
        texts={"title": {"en": "Tidal", "fr": "Marée"}, "statement": {"en": "…", "fr": "…"}},
        cities=("enghien",),
        credits=(Credit("A", "artist"),),
        year=2026,
        poster={"asset": "a1"},
        assets=(asset(), asset(id="c", role="captions"), asset(id="d", role="audio-description")),
    )
    assert [i.code for i in checklist(whole) if not i.done] == []


def test_a_title_in_any_language_will_do() -> None:
    assert missing(work(texts={"title": {"ja": "潮"}}, cities=("sapporo",), assets=(asset(),))) == []
    assert "title" in missing(work(texts={"title": {"en": ""}}))


def test_a_file_counts_when_it_can_be_played() -> None:
    low_rung_only = asset(state="processing")
    no_sound_yet = asset(state="processing", renditions=(rendition("v360", "video"),))
    other_version = asset(taken=False)
    lacking = {"low": low_rung_only, "silent": no_sound_yet, "other": other_version}
    assert {k: "file" in missing(work(assets=(a,))) for k, a in lacking.items()} == {
        "low": False,
        "silent": True,
        "other": True,
    }


def test_a_file_that_was_not_looked_through_yet_does_not_count() -> None:
    """Or a warning of flashes would come after the work was published."""
    assert "file" in missing(work(assets=(asset(state="processing", duration_us=None),)))
    picture = asset(duration_us=None, details={"images": [{}]}, renditions=())
    assert "file" not in missing(work(medium="image", assets=(picture,)))


def test_what_could_not_be_looked_through_is_left_to_the_artist() -> None:
    unknown = asset(details={"flashes": None})
    assert "flashes-unknown" in missing(work(assets=(unknown,)))
    noted = work(assets=(unknown,), texts={"content_notes": {"en": "No flashing light"}})
    assert "flashes-unknown" not in missing(noted)
    assert "flashes" not in [i.code for i in checklist(noted)]


def test_a_web_work_needs_a_link_and_its_documentation() -> None:
    page = asset(role="documentation")
    assert "link" in missing(work(medium="web", link="https://example.org"))
    assert "link" in missing(work(medium="web", assets=(page,)))
    assert "link" not in missing(work(medium="web", link="https://example.org", assets=(page,)))
    assert "file" not in missing(work(medium="web"))


def test_a_film_that_flashes_needs_a_note() -> None:
    flashing = asset(details={"flashes": [[0, 1_000_000]]})
    assert "flashes" in missing(work(assets=(flashing,)))
    noted = work(assets=(flashing,), texts={"content_notes": {"en": "Flashing lights"}})
    assert "flashes" not in missing(noted)
    assert "flashes" not in [i.code for i in checklist(work(assets=(asset(details={"flashes": []}),)))]


def test_pictures_are_not_asked_for_captions() -> None:
    codes = {m: [i.code for i in checklist(work(medium=m))] for m in ("image", "audio", "video")}
    assert {m: ("captions" in c, "description" in c) for m, c in codes.items()} == {
        "image": (False, False),
        "audio": (True, False),
        "video": (True, True),
    }


def test_every_line_has_its_words() -> None:
    works = [
        work(medium=m, assets=(asset(details={"flashes": f}),)) for m in ("video", "web") for f in ([[0, 1]], None)
    ]
    assert {i.code for w in works for i in checklist(w)} <= set(LABELS)
