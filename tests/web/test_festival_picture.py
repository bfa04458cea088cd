"""A festival's picture: who may set it, what is taken, where it stands, and that nothing of it stays behind."""

from __future__ import annotations

import io
import re
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientResponse
from PIL import Image

from showcase.store import jobs
from showcase.web import festival_look
from tests.web.conftest import START, House
from tests.web.test_programme_rights import festival

FESTIVAL = "/api/v1/festivals/ars-2026"
PICTURE = f"{FESTIVAL}/picture"
DESK = "/en/desk/festivals/ars-2026"
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff"}


def drawn(kind: str = "JPEG", size: tuple[int, int] = (1500, 800), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind, **options)
    return out.getvalue()


async def put(house: House, data: bytes, who: str | None = "linz", kind: str = "image/jpeg") -> ClientResponse:
    return await house.ask("PUT", PICTURE, who, data=io.BytesIO(data), headers={"Content-Type": kind})


async def sent(
    house: House, data: bytes | None, who: str = "linz", token: str | None = None, **fields: str
) -> ClientResponse:
    """The desk's form, as a browser without scripts sends it."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("csrf", await house.csrf(who) if token is None else token)
    for name, value in fields.items():
        form.add_field(name.replace("__", "."), value)
    form.add_field(
        "picture", io.BytesIO(data or b""), filename="hall.jpg" if data else "", content_type="application/octet-stream"
    )
    return await house.ask("POST", f"{DESK}/picture", who, data=form, headers={"X-Requested-With": ""})


async def picture(house: House, who: str | None = "linz") -> dict[str, Any] | None:
    found: dict[str, Any] = await (await house.ask("GET", FESTIVAL, who)).json()
    kept: dict[str, Any] | None = found["picture"]
    return kept


def path_of(found: dict[str, Any] | None) -> str:
    assert found is not None
    return "/pictures/" + str(found["url"]).partition("/pictures/")[2]


def stored(house: House) -> list[str]:
    return sorted(p.name for p in (house.data / "files" / "pictures").glob("*"))


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_taken_made_into_sizes_and_served_to_everybody(house: House, kind: str) -> None:
    await festival(house)
    answer = await put(house, drawn(kind), kind=KINDS[kind])
    found = (await answer.json())["picture"]
    assert (answer.status, found["width"], found["height"]) == (200, 1500, 800)
    (folder,) = stored(house)
    assert re.fullmatch(r"festival-\d+-[0-9a-f]{16}", folder)
    there = sorted(p.name for p in (house.data / "files" / "pictures" / folder).iterdir())
    assert there == [f"picture-{w}.{e}" for w in ("1280", "2560", "640") for e in ("jpg", "webp")]
    served = await house.ask("GET", path_of(found))
    assert (served.status, served.content_type, served.headers["Cache-Control"]) == (
        200,
        "image/jpeg",
        "public, max-age=300",
    )
    with Image.open(io.BytesIO(await served.read())) as image:
        assert (image.size, image.getexif(), image.info.get("icc_profile")) == ((1500, 800), {}, None)
    assert list((house.data / "scratch").iterdir()) == []


async def test_it_stands_on_the_page_in_the_list_and_in_previews(house: House) -> None:
    await festival(house)
    await put(house, drawn())
    await house.ask("PATCH", FESTIVAL, "linz", json={"picture_alt": {"en": "A hall & a “light”", "fr": "Une salle"}})
    page = await (await house.ask("GET", "/en/festivals/ars-2026")).text()
    (image,) = re.findall(r'<img class="still"[^>]*>', page)
    assert 'alt="A hall &amp; a “light”"' in image
    assert "data:image/png;base64," in image
    assert [w.split()[1] for w in re.findall(r'srcset="([^"]*)"', image)[0].split(", ")] == ["640w", "1280w", "1500w"]
    large = (await picture(house) or {})["url"]
    assert f'<meta property="og:image" content="{large}">' in page
    assert '<meta property="og:image:width" content="1500">' in page
    assert 'alt="Une salle"' in await (await house.ask("GET", "/fr/festivals/ars-2026")).text()
    # In the list the title stands beside it.
    assert re.search(r'<img class="still"[^>]* alt=""', await (await house.ask("GET", "/en/festivals")).text())


async def test_that_of_a_draft_is_for_its_staff_alone(house: House) -> None:
    await festival(house, public=False)
    await put(house, drawn())
    path = path_of(await picture(house))
    answers = {who: await house.ask("GET", path, who) for who in (None, "other", "gwangju", "linz", "admin")}
    assert {who: a.status for who, a in answers.items()} == {
        None: 404, "other": 404, "gwangju": 404, "linz": 200, "admin": 200,
    }  # fmt: skip
    assert answers["linz"].headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("artist", 403), ("other", 403), ("gwangju", 403)])
async def test_only_staff_of_the_festival_set_and_remove_it(house: House, who: str | None, status: int) -> None:
    await festival(house)
    await put(house, drawn())
    before = await picture(house)
    assert (await put(house, drawn("PNG"), who)).status == status
    assert (await house.ask("DELETE", PICTURE, who)).status == status
    if who is not None:
        assert (await sent(house, drawn("PNG"), who)).status == 403
        assert (await house.ask("POST", f"{DESK}/picture/remove", who, data={})).status == 403
    assert await picture(house) == before


async def test_a_draft_that_one_may_not_see_is_not_there(house: House) -> None:
    await festival(house, public=False)
    assert (await put(house, drawn(), "gwangju")).status == 404
    assert (await sent(house, drawn(), "gwangju")).status == 404


async def test_another_one_has_another_address_and_the_old_files_go(house: House) -> None:
    await festival(house)
    await put(house, drawn())
    (old,), first = stored(house), path_of(await picture(house))
    await put(house, drawn("PNG", (900, 900)), kind="image/png")
    second = path_of(await picture(house))
    assert (await house.ask("GET", first)).status == 404
    assert (await house.ask("GET", second)).status == 200
    job = await house.write(jobs.claim, START, "w1", ("remove-files",))
    assert (job.kind, job.subject) == ("remove-files", old)
    assert (await house.ask("DELETE", PICTURE, "linz")).status == 204
    assert (await house.ask("DELETE", PICTURE, "linz")).status == 204
    assert (await picture(house), (await house.ask("GET", second)).status) == (None, 404)
    assert "og:image" not in await (await house.ask("GET", "/en/festivals/ars-2026")).text()


async def test_the_form_takes_it_with_its_words(house: House) -> None:
    await festival(house)
    answer = await sent(house, drawn(), picture_alt__en="A hall", picture_alt__fr="Une salle")
    assert (answer.status, answer.headers["Location"]) == (303, f"{DESK}#picture")
    kept = await picture(house)
    assert kept is not None
    # Without a file only the words change.
    assert (await sent(house, None, picture_alt__en="An empty hall")).status == 303
    found = await (await house.ask("GET", FESTIVAL, "linz")).json()
    assert (found["picture"], found["picture_alt"]) == (kept, {"en": "An empty hall", "fr": "Une salle"})
    page = await (await house.ask("GET", DESK, "linz")).text()
    assert 'value="An empty hall"' in page
    token = await house.csrf("linz")
    gone = await house.ask(
        "POST", f"{DESK}/picture/remove", "linz", data={"csrf": token}, headers={"X-Requested-With": ""}
    )
    assert (gone.status, await picture(house)) == (303, None)


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
async def test_a_form_from_elsewhere_is_refused(house: House, token: str) -> None:
    await festival(house)
    assert (await sent(house, drawn(), token=token)).status in (403, 413)
    assert await picture(house) is None


async def test_a_form_whose_token_does_not_come_first_is_refused(house: House) -> None:
    await festival(house)
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("picture", io.BytesIO(drawn()), filename="a.jpg")
    form.add_field("csrf", await house.csrf("linz"))
    answer = await house.ask("POST", f"{DESK}/picture", "linz", data=form, headers={"X-Requested-With": ""})
    assert (answer.status, await picture(house)) == (403, None)


CUT = drawn("PNG")[:3000]
REFUSED = {
    "nothing": (b"", "picture-kind"),
    "a GIF": (drawn("GIF"), "picture-kind"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture-kind"),
    "half a file": (CUT, "picture-unreadable"),
    "a head alone": (b"\xff\xd8\xff\xe0", "picture-unreadable"),
    "a narrow one": (drawn("PNG", (600, 900)), "picture-narrow"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_shown_is_refused_in_words_and_nothing_is_lost(house: House, name: str) -> None:
    data, code = REFUSED[name]
    await festival(house)
    await put(house, drawn())
    before = await picture(house)
    answer = await put(house, data)
    problem = await answer.json()
    assert (answer.status, [(e["field"], e["code"]) for e in problem["errors"]]) == (422, [("picture", code)])
    assert "{" not in problem["errors"][0]["detail"]
    if data:
        page = await sent(house, data, picture_alt__en="Typed & kept")
        text = await page.text()
        assert (page.status, problem["errors"][0]["detail"] in text.replace("&#39;", "'")) == (422, True)
        assert 'value="Typed &amp; kept"' in text
    assert (await picture(house), len(stored(house))) == (before, 1)


async def test_a_picture_of_too_many_pixels_is_refused(house: House) -> None:
    out = io.BytesIO()
    Image.new("1", (16_000, 15_000)).save(out, "PNG")
    await festival(house)
    answer = await put(house, out.getvalue(), kind="image/png")
    assert (answer.status, (await answer.json())["errors"][0]["code"]) == (422, "picture-pixels")


async def test_a_file_that_is_too_large_is_refused_and_its_words_are_kept(house: House) -> None:
    await festival(house)
    large = drawn() + bytes(festival_look.PICTURE_LIMIT)
    answer = await put(house, large)
    problem = await answer.json()
    assert (answer.status, problem["code"], problem["limit"]) == (413, "file-too-large", "15 MB")
    page = await sent(house, large, picture_alt__en="Typed and kept")
    text = await page.text()
    assert (page.status, 'value="Typed and kept"' in text, "(15 MB)" in text) == (413, True, True)
    assert await picture(house) is None


async def test_other_content_is_not_taken(house: House) -> None:
    await festival(house)
    assert (await put(house, drawn(), kind="text/plain")).status == 415
    assert (await house.ask("POST", f"{DESK}/picture", "linz", data={"picture": "x"})).status == 415
    assert (await sent(house, None, picture_alt__en="A hall")).status == 422
    assert (await sent(house, drawn(), picture_alt__en="x" * 301)).status == 422
    assert await picture(house) is None


async def test_a_picture_is_the_business_of_its_own_festival(house: House) -> None:
    await festival(house)
    await festival(house, slug="other-one", public=False)
    await put(house, drawn())
    path = path_of(await picture(house))
    number, rest = re.fullmatch(r"/pictures/festivals/(\d+)/(.*)", path).groups()  # type: ignore[union-attr]
    for wrong in (
        f"/pictures/festivals/{int(number) + 1}/{rest}",
        f"/pictures/festivals/{number}/{'0' * 16}/picture-640.jpg",
        path.replace("2560", "99"),
        f"/pictures/festivals/999/{rest}",
    ):
        assert (await house.ask("GET", wrong, "admin")).status == 404
