"""The picture of a slate: what stands on it, where, and that nothing leaves its margins."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from showcase.core import hues
from showcase.media import lettering
from showcase.media.lettering import Lettering, Style, pieces, wrap
from showcase.media.slate_picture import HORIZON, LEFT, RIGHT, STAGE, TITLE, TOP, draw, fitted

FONTS = Path(__file__).parents[2] / "static" / "vendor" / "fonts"
LINES = ("The programme goes on in a moment.", "Le programme reprend dans un instant.")
Box = tuple[int, int, int, int]
Drawn = tuple[Box | None, Box | None]

house = pytest.mark.skipif(not FONTS.is_dir(), reason="the fonts have not been fetched")


def drawn(tmp_path: Path, *titles: str, lines: tuple[str, ...] = LINES, hue: float | None = 320.0) -> Image.Image:
    draw(tmp_path / "slate.png", titles=titles, lines=lines, hue=hue, fonts=FONTS)
    with Image.open(tmp_path / "slate.png") as picture:
        return picture.copy()


def ink(picture: Image.Image) -> Drawn:
    """Where anything stands above the horizon and below it."""
    changed = ImageChops.difference(picture, Image.new("RGB", picture.size, STAGE))
    above = changed.crop((0, 0, 1_920, HORIZON - 5)).getbbox()
    below = changed.crop((0, HORIZON + 6, 1_920, 1_080)).getbbox()
    return above, below


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.tobytes() == other.tobytes()


def inside(box: Box | None) -> bool:
    """Whether it stands within the margins, give or take the edge of a round letter."""
    return box is None or (box[0] >= LEFT - 3 and box[1] >= TOP and box[2] <= RIGHT + 3)


def test_a_slate_has_the_title_above_the_horizon_and_the_lines_below(tmp_path: Path) -> None:
    picture = drawn(tmp_path, "Lumen Festival")
    assert (picture.format, picture.size, picture.mode) == (None, (1_920, 1_080), "RGB")
    above, below = ink(picture)
    assert above is not None
    assert below is not None
    assert inside(above)
    assert abs(above[0] - LEFT) <= 2  # the letter itself stands on the margin, as the accent does
    assert above[3] - above[1] > 100
    assert HORIZON + 6 + below[3] < 810  # what is lower belongs to the page's countdown
    assert [p.name for p in tmp_path.iterdir()] == ["slate.png"]


def test_the_accent_is_the_city_s(tmp_path: Path) -> None:
    assert drawn(tmp_path, "A", hue=320.0).getpixel((LEFT + 10, HORIZON)) == hues.srgb(0.78, 0.15, 320)
    assert drawn(tmp_path, "A", hue=0.0).getpixel((LEFT + 10, HORIZON)) == hues.srgb(0.78, 0.15, 0)
    assert drawn(tmp_path, "A", hue=None).getpixel((LEFT + 10, HORIZON)) == hues.srgb(0.965, 0.005, 90)
    assert drawn(tmp_path, "A").getpixel((1_900, HORIZON)) == hues.srgb(0.36, 0.015, 270)


def test_without_a_title_the_lines_take_its_place(tmp_path: Path) -> None:
    above, below = ink(drawn(tmp_path))
    assert above is not None
    assert above[3] - above[1] > 300
    assert below is None
    assert same(drawn(tmp_path, "", "  \n"), drawn(tmp_path))


def test_with_nothing_to_say_the_horizon_remains(tmp_path: Path) -> None:
    assert ink(drawn(tmp_path, lines=())) == (None, None)


def test_a_title_that_is_the_same_in_both_languages_stands_once(tmp_path: Path) -> None:
    assert same(drawn(tmp_path, "Lumen", "Lumen"), drawn(tmp_path, "Lumen"))


@pytest.mark.parametrize(
    "titles",
    [
        ("The Eleventh International Biennial of Media Arts, Sound and Moving Images of the City of Košice",),
        ("ÉÅŮ " * 60, "Onzième Biennale internationale des arts médiatiques de la ville de Košice"),
        ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",),
        ("word " * 400, "W" * 5_000, "third"),
        tuple(f"Title {n}" for n in range(40)),
    ],
)
def test_long_titles_wrap_and_shrink_and_never_overflow(titles: tuple[str, ...], tmp_path: Path) -> None:
    above, below = ink(drawn(tmp_path, *titles, lines=("word " * 100, "W" * 1_000, "c", "d")))
    assert inside(above)
    assert below is not None
    assert below[0] >= LEFT - 3
    assert below[2] <= RIGHT + 3
    assert below[3] + HORIZON < 1_080 * 9 // 10


@given(st.lists(st.text(st.sampled_from("aWjÉŠ -.,&iÀẪß中の"), max_size=200), max_size=4))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_title_overflows(tmp_path: Path, titles: list[str]) -> None:
    assert inside(ink(drawn(tmp_path, *titles))[0])


def test_a_short_title_is_large_and_a_long_one_smaller() -> None:
    letters = Lettering(FONTS)
    sizes = [
        fitted(letters, [name], 1_536, 512).size for name in ("Lumen", "Lumen Festival " * 4, "Lumen Festival " * 12)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], len(set(sizes))) == (168, 3)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without other fonts."""
    monkeypatch.setattr(shutil, "which", lambda _: None)


@house
@pytest.mark.usefixtures("alone")
def test_letters_of_all_parts_of_the_house_s_type_are_set() -> None:
    letters = Lettering(FONTS)
    for name in ("Košice", "Festivalul de Artă", "Œuvres à Enghien-les-Bains", "Đà Nẵng", "Cafe\u0301"):
        assert letters.settable(name, TITLE) != ""
    assert letters.settable("Cafe\u0301", TITLE) == "Café"
    assert letters.length("Košice", TITLE, 100) > letters.length("Koice", TITLE, 100)


@pytest.mark.usefixtures("alone")
def test_a_title_in_letters_that_no_font_has_is_left_out(tmp_path: Path) -> None:
    assert same(drawn(tmp_path, "Gwangju", "광주"), drawn(tmp_path, "Gwangju"))
    assert same(drawn(tmp_path, "Gwangju 광주"), drawn(tmp_path))
    # A sign is no letter: the name stays without it.
    assert same(drawn(tmp_path, "Lumen 🎆\ufe0f Festival\u202e\u0007"), drawn(tmp_path, "Lumen Festival"))


def test_other_scripts_are_set_where_the_system_has_a_font(tmp_path: Path) -> None:
    letters = Lettering(FONTS)
    if not letters.settable("광주", TITLE):
        pytest.skip("this system has no Korean font")
    assert letters.settable("광주 Media", TITLE) == "광주 Media"
    assert not same(drawn(tmp_path, "Gwangju", "광주"), drawn(tmp_path, "Gwangju"))
    assert inside(ink(drawn(tmp_path, "광주 미디어아트 페스티벌" * 8))[0])


@pytest.mark.usefixtures("alone")
def test_without_the_house_s_fonts_pillow_s_own_is_taken(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", titles=["Lumen Festival"], lines=LINES, hue=None, fonts=tmp_path / "none")
    with Image.open(tmp_path / "a.png") as picture:
        above, below = ink(picture)
    assert above is not None
    assert below is not None
    assert inside(above)


@pytest.mark.usefixtures("alone")
def test_a_font_that_is_broken_counts_as_none(tmp_path: Path) -> None:
    for name in lettering._PARTS:
        (tmp_path / name).write_bytes(b"no font")
    assert Lettering(tmp_path).settable("Lumen", TITLE) == ""


@house
def test_the_house_s_type_is_set_wide_and_heavy() -> None:
    letters = Lettering(FONTS)
    assert letters.length("Lumen", Style(760, 118), 100) > letters.length("Lumen", Style(400, 62), 100) * 1.5
    assert letters.length("Lumen", Style(760, 118, -0.02), 100) == letters.length("Lumen", Style(760, 118), 100) - 10


def test_lines_break_after_spaces_and_between_ideographs() -> None:
    assert pieces("a bc d") == ["a ", "bc ", "d"]
    assert pieces("札幌、国際 X") == ["札", "幌、", "国", "際 ", "X"]
    assert pieces("") == []


def test_lines_are_as_few_as_can_be_and_even() -> None:
    assert wrap(["aaaa ", "bb ", "cc ", "dd"], 200, lambda t: 10 * len(t)) == ["aaaa bb cc dd"]
    assert wrap(["aaaa ", "bb ", "cc ", "dd"], 100, lambda t: 10 * len(t)) == ["aaaa bb", "cc dd"]
    assert wrap(["aaaa"], 30, lambda t: 10 * len(t)) is None
