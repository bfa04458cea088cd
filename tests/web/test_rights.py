"""Who gets what: every route with every role, and every page, call and segment of a work that is not open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.web.conftest import PEOPLE, START, House

NOBODY = None
EVERYBODY = (NOBODY, *PEOPLE)
INSIDE = ("artist", "linz", "admin")
OUTSIDE = (NOBODY, "other", "gwangju")

# What is for whom. A route that is not in one of these groups fails the test: whoever adds one decides.
PUBLIC = {
    "/{lang}/festivals", "/programme.ics", "/channels.m3u", "/schedule.xml", "/xmltv.xml", "/api/v1/festivals", "/api/v1/screenings", "/api/v1/on-air",
    "/", "/{lang}", "/{lang}/", "/{lang}/works", "/{lang}/cities", "/{lang}/cities/{slug}", "/{lang}/about", "/robots.txt",
    "/sitemap.xml", "/favicon.ico", "/oembed", "/api/docs", "/api/openapi.json", "/api/v1/time", "/api/v1/cities",
    "/api/v1/cities/{slug}", "/api/v1/works", "/api/v1/events", "/healthz", "/readyz", "/metrics", "/static/{hash}/{path}",
    "/{lang}/programme", "/{lang}/programme.atom", "/{lang}/sign-in", "/{lang}/sign-in/{token}", "/{lang}/sign-in/password", "/{lang}/sign-out", "/{lang}/invitation/{token}",
}  # fmt: skip
OF_A_SCREENING = {
    "/{lang}/screenings/{slug}", "/embed/screening/{slug}", "/{lang}/festivals/{slug}", "/festivals/{slug}.ics", "/festivals/{slug}/schedule.xml",
    "/festivals/{slug}/schedule.json", "/api/v1/screenings/{slug}",
    "/api/v1/screenings/{slug}/play", "/api/v1/screenings/{slug}/code", "/api/v1/screenings/{slug}/publish", "/api/v1/screenings/{slug}/withdraw", "/api/v1/screenings/{slug}/history", "/api/v1/screenings/{slug}/restore",
    "/api/v1/festivals/{slug}", "/api/v1/festivals/{slug}/picture", "/pictures/festivals/{id}/{key}/{file}", "/api/v1/screenings/{slug}/codes", "/api/v1/screenings/{slug}/codes/{id}", "/api/v1/screenings/check",
}  # fmt: skip
OF_A_WORK = {
    "/{lang}/works/{slug}", "/embed/work/{slug}", "/{lang}/artists/{slug}", "/api/v1/works/{slug}", "/api/v1/works/{slug}/play",
    "/api/v1/grants", "/pictures/{work}/{asset}/{file}", "/hls/{grant}/{asset}/{rendition}/{file}",
    "/hls/{grant}/{asset}/{rendition}/index.m3u8", "/hls/{grant}/{asset}/master.m3u8", "/hls/{grant}/{asset}/{file}", "/hls/{tail}",
}  # fmt: skip
# What these open, and when, stands in test_channels.
OF_A_CHANNEL = {
    "/{lang}/channels/{slug}", "/api/v1/channels/{slug}/play", "/hls/{grant}/channel/master.m3u8",
    "/hls/{grant}/channel/{name}/index.m3u8", "/hls/{grant}/slate/{design}/{part}/c-none/{file}",
    "/hls/{grant}/slate/{design}/{part}/{rendition}/{file}",
}  # fmt: skip
SIGNED_IN = {
    "/{lang}/account",
    "/api/v1/me",
    "/api/v1/invitations",
    "/uploads",
    "/uploads/",
    "/uploads/{id}",
    "/{lang}/studio",
    "/{lang}/studio/new",
}
AUTHORS = {"/{lang}/studio/works/{slug}", "/api/v1/works/{slug}"}
STAFF = {"/{lang}/desk", "/{lang}/desk/people", "/{lang}/desk/festivals"}
ADMINISTRATOR = {"/{lang}/desk/cities", "/{lang}/desk/outbox", "/{lang}/desk/jobs"}
PREFIXES = {
    "/{lang}/account/": SIGNED_IN,
    "/api/v1/cities/{slug}/": ADMINISTRATOR,
    "/{lang}/studio/works/{slug}/": AUTHORS,
    "/api/v1/works/{slug}/": AUTHORS,
    "/{lang}/desk/people/": STAFF,
    "/{lang}/desk/cities/": ADMINISTRATOR,
}


def group(path: str) -> str:
    if path in OF_A_SCREENING | OF_A_CHANNEL or path.startswith(
        ("/{lang}/desk/festivals/{slug}", "/{lang}/desk/screenings/")
    ):
        # See test_programme_rights, test_codes, test_embeds and test_festival_picture.
        return "of a work"
    for name, paths in {
        "public": PUBLIC, "of a work": OF_A_WORK, "signed in": SIGNED_IN, "authors": AUTHORS, "staff": STAFF, "administrator": ADMINISTRATOR,
    }.items():  # fmt: skip
        if path in paths:
            return name
    for prefix, paths in PREFIXES.items():
        if path.startswith(prefix):
            return {
                id(SIGNED_IN): "signed in",
                id(AUTHORS): "authors",
                id(STAFF): "staff",
                id(ADMINISTRATOR): "administrator",
            }[id(paths)]
    raise AssertionError(f"nobody has decided for whom {path} is")


def allowed(name: str) -> tuple[str | None, ...]:
    return {
        "public": EVERYBODY,
        "signed in": tuple(PEOPLE),
        "authors": INSIDE,
        "staff": ("linz", "gwangju", "admin"),
        "administrator": ("admin",),
    }[name]


async def test_every_route_lets_in_whom_it_should_and_nobody_else(house: House) -> None:
    draft = await house.work()
    asset = await house.film(draft)
    wrong = []
    for route in house.app.router.routes():
        resource = route.resource
        assert resource is not None
        path, method = resource.canonical, route.method
        name = group(path)
        if method in ("OPTIONS", "HEAD") or name in ("public", "of a work") or "uploads" in path:
            continue
        address = path
        for part, value in {
            "lang": "en",
            "slug": draft.slug,
            "asset": asset,
            "act": "cancel",
            "id": "0",
            "person": "nobody",
        }.items():
            address = address.replace(f"{{{part}}}", value)
        for who in EVERYBODY:
            if method != "GET" and who in allowed(name):
                # What those who may would change here is tested where it belongs.
                continue
            answer = await house.ask(method, address, who)
            inside = answer.status in (200, 204) or (
                answer.status == 303 and "sign-in" not in answer.headers["Location"]
            )
            if inside != (who in allowed(name)):
                wrong.append((method, path, who, answer.status))
    assert wrong == []


@pytest.mark.parametrize("who", OUTSIDE)
@pytest.mark.parametrize("state", ["draft", "submitted", "accepted", "withdrawn"])
async def test_nothing_of_a_private_work_reaches_others(house: House, who: str | None, state: str) -> None:
    from showcase.store import works

    work, asset = await house.published()
    captions = await house.captions(work)
    page = await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", "artist", json={})).json()
    public = (await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", who, json={})).json())["hls"]
    await house.write(works.set_state, START, work.id, state, ("published",))
    grant = public.split("/")[2]
    answers = {
        path: (await house.ask(method, path, who, **({"json": {}} if method == "POST" else {}))).status
        for method, path in (
            ("GET", f"/en/works/{work.slug}"),
            ("GET", f"/fr/works/{work.slug}"),
            ("GET", f"/embed/work/{work.slug}"),
            ("GET", f"/oembed?url=http://localhost:8080/en/works/{work.slug}"),
            ("GET", f"/api/v1/works/{work.slug}"),
            ("GET", f"/api/v1/works/{work.slug}/uploads"),
            ("GET", f"/api/v1/events?work={work.slug}"),
            ("GET", f"/pictures/{work.id}/{asset}/poster-640.webp"),
            ("GET", f"/en/studio/works/{work.slug}"),
            ("GET", f"/en/studio/works/{work.slug}/assets/{asset}/original"),
            ("POST", f"/api/v1/works/{work.slug}/publish"),
            ("POST", f"/api/v1/works/{work.slug}/assets/{asset}/take"),
            ("GET", public),
            ("GET", f"/hls/{grant}/{asset}/v240/index.m3u8"),
            ("GET", f"/hls/{grant}/{asset}/v240/init.mp4"),
            ("GET", f"/hls/{grant}/{asset}/v240/s00001.m4s"),
            ("GET", f"/hls/{grant}/{captions}/captions/captions.vtt"),
        )
    }
    assert {path: status for path, status in answers.items() if status not in (303, 401, 403, 404, 410)} == {}
    # 303 is the way to the sign-in page, and only for those who are not signed in.
    assert who is None or 303 not in answers.values()
    listed = await (await house.ask("GET", "/api/v1/works", who)).json()
    assert listed["works"] == []
    assert work.slug not in await (await house.ask("GET", "/en/works", who)).text()
    assert work.slug not in await (await house.ask("GET", "/sitemap.xml", who)).text()
    assert page["hls"]


async def test_a_published_work_without_a_window_shows_its_page_and_refuses_its_media(house: House) -> None:
    work, asset = await house.published(on_view=False)
    page = await house.ask("GET", f"/en/works/{work.slug}")
    assert (page.status, "not on view" in await page.text()) == (200, True)
    play = await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})
    assert (play.status, (await play.json())["code"]) == (410, "closed")
    inside = await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", "artist", json={})).json()
    assert (await house.ask("GET", inside["hls"])).status == 200
    forged = inside["hls"].split("/")[2]
    assert (await house.ask("GET", f"/hls/{forged[:-2]}xx/{asset}/master.m3u8")).status == 404


async def test_a_window_opens_and_closes_by_the_clock(house: House) -> None:
    work, _ = await house.published()
    opens, closes = START + timedelta(hours=1), START + timedelta(hours=1, minutes=30)
    answer = await house.ask(
        "POST",
        f"/api/v1/works/{work.slug}/publish",
        "linz",
        json={"on_view": {"from": opens.isoformat(), "until": closes.isoformat()}},
    )
    assert answer.status == 200
    early = await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})
    problem = await early.json()
    assert (early.status, problem["code"], problem["opens"]) == (403, "not-open-yet", opens.isoformat())
    house.moment = opens
    play = await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json()
    assert (play["phase"], play["starts"], play["ends"]) == ("on_air", opens.isoformat(), closes.isoformat())
    segment = f"{play['hls'].rpartition('/')[0]}/v240/s00000.m4s"
    assert (await house.ask("GET", segment)).status == 200
    house.moment = closes
    assert (await house.ask("GET", segment)).status == 410
    late = await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})
    assert (late.status, (await late.json())["code"]) == (410, "closed")


async def test_a_grant_ends_and_is_renewed_while_the_work_is_open(house: House) -> None:
    work, _ = await house.published()
    play = await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json()
    house.later(timedelta(hours=2))
    old = await house.ask("GET", play["hls"])
    assert (old.status, old.headers["X-Error"]) == (401, "grant-expired")
    renewed = await (await house.ask("POST", play["renew"], json={"hls": play["hls"]})).json()
    assert (await house.ask("GET", renewed["hls"])).status == 200
    await house.ask("POST", f"/api/v1/works/{work.slug}/withdraw", "artist")
    gone = await house.ask("POST", play["renew"], json={"hls": renewed["hls"]})
    assert (gone.status, (await gone.json())["code"]) == (410, "withdrawn")
    assert (await house.ask("GET", renewed["hls"])).status == 410


async def test_a_preview_is_for_those_inside_and_cannot_be_renewed_by_others(house: House) -> None:
    draft = await house.work()
    await house.film(draft)
    for who in INSIDE:
        assert (await house.ask("POST", f"/api/v1/works/{draft.slug}/play", who, json={})).status == 200
    hls = (await (await house.ask("POST", f"/api/v1/works/{draft.slug}/play", "artist", json={})).json())["hls"]
    for who in OUTSIDE:
        answer = await house.ask("POST", "/api/v1/grants", who, json={"hls": hls})
        assert answer.status in (401, 403, 404)


async def test_a_file_that_is_not_shown_cannot_be_fetched_with_a_public_grant(house: House) -> None:
    work, _ = await house.published()
    newer = await house.film(work)
    hls = (await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json())["hls"]
    grant = hls.split("/")[2]
    assert newer not in hls
    for tail in ("master.m3u8", "v240/index.m3u8", "v240/s00000.m4s"):
        assert (await house.ask("GET", f"/hls/{grant}/{newer}/{tail}")).status == 404
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={"asset": newer})).status == 404


async def test_a_trailer_opens_with_the_page_and_closes_with_it(house: House) -> None:
    work, _ = await house.published(on_view=False)
    trailer = await house.film(work, role="trailer")
    play = await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={"asset": trailer})
    hls = (await play.json())["hls"]
    assert (await house.ask("GET", hls)).status == 200
    grant = hls.split("/")[2]
    main = next(a.id for a in work.assets if a.role == "work")
    assert (await house.ask("GET", f"/hls/{grant}/{main}/master.m3u8")).status == 404
    await house.ask("POST", f"/api/v1/works/{work.slug}/withdraw", "artist")
    assert (await house.ask("GET", hls)).status == 410


async def test_an_artist_publishes_what_staff_have_accepted_and_not_before(house: House) -> None:
    work = await house.work()
    await house.film(work)
    publish = f"/api/v1/works/{work.slug}/publish"
    assert (await house.ask("POST", publish, "artist", json={"on_view": None})).status == 403
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/submit", "artist")).status == 200
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "artist", json={})).status == 403
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "gwangju", json={})).status == 404
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/accept", "linz", json={})).status == 200
    assert (await house.ask("POST", publish, "artist", json={"on_view": None})).status == 200


async def test_staff_invite_for_their_own_city_alone(house: House) -> None:
    token = await house.csrf("linz")

    async def invite(role: str, city: str) -> int:
        form = {"csrf": token, "role": role, "city": city, "email": "new@example.org"}
        answer = await house.ask("POST", "/en/desk/people/invite", "linz", data=form, headers={"X-Requested-With": ""})
        return answer.status

    assert [await invite(*one) for one in (("artist", "linz"), ("artist", "dakar"), ("administrator", ""))] == [
        200,
        403,
        403,
    ]


async def test_only_administrators_change_the_network(house: House) -> None:
    new = {
        "name": {"en": "Oulu", "fr": "Oulu", "local": "Oulu"}, "country": "FI", "timezone": "Europe/Helsinki", "latitude": 65.0,
        "longitude": 25.5, "languages": ["fi"],
    }  # fmt: skip
    statuses = {
        who: (await house.ask("POST", "/api/v1/cities", who, json=new)).status for who in (*OUTSIDE, "linz", "admin")
    }
    assert statuses == {None: 401, "other": 403, "gwangju": 403, "linz": 403, "admin": 201}


async def test_programs_invite_and_share_as_people_do(house: House) -> None:
    work = await house.work()
    path = f"/api/v1/works/{work.slug}/authors"
    assert (await house.ask("POST", path, "artist", json={"email": "other@example.org"})).status == 201
    slug = house.people["other"].slug
    listed = await (await house.ask("GET", path, "other")).json()
    assert slug in [a["slug"] for a in listed["authors"]]
    assert (await house.ask("DELETE", f"{path}/{slug}", "artist")).status == 204
    assert (await house.ask("GET", path, "other")).status == 404
    invited = await house.ask("POST", "/api/v1/invitations", "linz", json={"role": "artist", "city": "linz"})
    assert "/invitation/" in (await invited.json())["link"]
    elsewhere = await house.ask("POST", "/api/v1/invitations", "linz", json={"role": "artist", "city": "dakar"})
    assert elsewhere.status == 403
    mailed = await house.ask(
        "POST", "/api/v1/invitations", "linz", json={"role": "artist", "city": "linz", "email": "new@example.org"}
    )
    assert (await mailed.json())["link"] is None


async def test_what_never_was_public_is_not_told_of_when_it_is_withdrawn(house: House) -> None:
    work = await house.work()
    await house.film(work)
    await house.ask("POST", f"/api/v1/works/{work.slug}/submit", "artist")
    back = await (await house.ask("POST", f"/api/v1/works/{work.slug}/withdraw", "artist")).json()
    assert back["state"] == "draft"
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/publish", "artist", json={})).status == 403
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).status == 404


async def test_a_trailer_that_is_taken_off_is_closed(house: House) -> None:
    work, _ = await house.published(on_view=False)
    trailer = await house.film(work, role="trailer")
    hls = (await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={"asset": trailer})).json())["hls"]
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/assets/{trailer}/leave", "artist")).status == 204
    assert (await house.ask("GET", hls)).status == 404
    assert (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={"asset": trailer})).status == 404
    assert (await house.ask("POST", "/api/v1/grants", json={"hls": hls})).status == 404


async def test_what_is_not_public_is_kept_by_no_shared_cache(house: House) -> None:
    work, _ = await house.published()
    newer = await house.film(work)
    preview = (
        await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", "artist", json={"asset": newer})).json()
    )["hls"]
    base = preview.rpartition("/")[0]
    for path in (preview, f"{base}/v240/index.m3u8", f"{base}/v240/s00000.m4s"):
        assert (await house.ask("GET", path)).headers["Cache-Control"].startswith("private")
    public = (await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json())["hls"]
    segment = f"{public.rpartition('/')[0]}/v240/s00000.m4s"
    assert (await house.ask("GET", segment)).headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_whoever_may_edit_no_longer_uploads_no_longer(house: House) -> None:
    work = await house.work()
    await house.ask("POST", f"/api/v1/works/{work.slug}/authors", "artist", json={"email": "other@example.org"})
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": "filename YS5tcDQ=,work dGlkZQ=="}
    place = (await house.ask("POST", "/uploads", "other", headers=tus)).headers["Location"]
    await house.ask("DELETE", f"/api/v1/works/{work.slug}/authors/{house.people['other'].slug}", "artist")
    more = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert (await house.ask("PATCH", place, "other", headers=more, data=b"0123456789")).status == 404


async def test_lists_say_the_same_as_the_single_call(house: House) -> None:
    work, _ = await house.published()
    single = await (await house.ask("GET", f"/api/v1/works/{work.slug}", "artist")).json()
    listed = await (await house.ask("GET", "/api/v1/works?mine=true", "artist")).json()
    assert listed["works"] == [single]
    assert "missing" not in await (await house.ask("GET", "/en/studio", "artist")).text()
