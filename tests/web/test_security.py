"""What protects people: headers, cookies, other sites, limits, and links that are used up."""

from __future__ import annotations

import contextlib
import logging
import re
from datetime import timedelta

import pytest

from showcase.store import access, outbox, people
from showcase.web.keys import DB
from tests.web.conftest import START, House

FORM = {"X-Requested-With": ""}


async def test_pages_carry_the_policies(house: House) -> None:
    answer = await house.ask("GET", "/en/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert (policy["object-src"], policy["frame-ancestors"], policy["form-action"]) == ("'none'", "'none'", "'self'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "<script>" not in await answer.text()


async def test_only_embeds_may_be_framed(house: House) -> None:
    work, _ = await house.published()
    embed = await house.ask("GET", f"/embed/work/{work.slug}", "artist")
    assert "frame-ancestors *" in embed.headers["Content-Security-Policy"]
    # Inside a frame of another site nobody is signed in, whatever cookie came.
    assert "studio" not in await embed.text()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
async def test_another_site_cannot_make_a_browser_act(house: House, headers: dict[str, str]) -> None:
    work = await house.work()
    answer = await house.ask("POST", f"/api/v1/works/{work.slug}/submit", "artist", headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (403, "cross-site")


async def test_a_form_needs_the_token_of_its_sign_in(house: House) -> None:
    work = await house.work()
    path = f"/en/studio/works/{work.slug}/submit"
    stolen = await house.csrf("other")
    for token in ("", "0" * 32, stolen):
        answer = await house.ask("POST", path, "artist", data={"csrf": token}, headers=FORM)
        assert answer.status == 403
    own = await house.csrf("artist")
    assert (await house.ask("POST", path, "artist", data={"csrf": own}, headers=FORM)).status == 303


async def test_a_sign_in_link_is_asked_for_shown_and_used_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked = await house.ask("POST", "/fr/sign-in", data={"email": " Artist@Example.org ", "next": "/en/studio/new"})
    assert asked.status == 200
    mail = (await house.app[DB].read(outbox.newest, 1))[0]
    found = re.search(r"http://localhost:8080(/\S+)", mail.body)
    assert mail.recipient == "artist@example.org"
    assert found is not None
    path = found[1]
    page = await house.ask("GET", path)
    assert page.status == 200
    # A scanner has opened it by now; it still works.
    used = await house.ask("POST", path.partition("?")[0], data={"next": "/en/studio/new"})
    assert (used.status, used.headers["Location"]) == (303, "/en/studio/new")
    cookie = used.cookies["showcase"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    again = await house.ask("POST", path.partition("?")[0], data={})
    assert again.status == 410
    secret = path.partition("?")[0].rpartition("/")[2]
    own = [r.getMessage() for r in caplog.records if r.name.startswith("showcase")]
    assert own
    assert [line for line in own if secret in line] == []


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(house: House) -> None:
    known = await (await house.ask("POST", "/en/sign-in", data={"email": "artist@example.org"})).text()
    unknown = await (await house.ask("POST", "/en/sign-in", data={"email": "nobody@example.org"})).text()
    assert known.replace("artist@example.org", "") == unknown.replace("nobody@example.org", "")
    assert [m.recipient for m in await house.app[DB].read(outbox.newest, 5)] == ["artist@example.org"]


async def test_a_link_grows_old(house: House) -> None:
    token = await house.write(
        access.make_link, START, "signin", timedelta(minutes=30), person=house.people["artist"].id
    )
    house.later(timedelta(minutes=31))
    assert (await house.ask("GET", f"/en/sign-in/{token}")).status == 410
    assert (await house.ask("GET", f"/en/sign-in/{'x' * 43}")).status == 404


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_nowhere_else(house: House, target: str) -> None:
    token = await house.write(
        access.make_link, START, "signin", timedelta(minutes=30), person=house.people["artist"].id
    )
    answer = await house.ask("POST", f"/en/sign-in/{token}", data={"next": target})
    assert (answer.status, answer.headers["Location"]) == (303, "/en/studio")


async def test_a_password_is_set_used_and_ends_other_sign_ins(house: House) -> None:
    token = await house.csrf("artist")
    other = await house.write(access.open_session, START, house.people["artist"].id, timedelta(days=1), "", "")
    short = await house.ask(
        "POST", "/en/account/password", "artist", data={"csrf": token, "new": "short"}, headers=FORM
    )
    assert short.status == 422
    good = {"csrf": token, "new": "a long enough one"}
    assert (await house.ask("POST", "/en/account/password", "artist", data=good, headers=FORM)).status == 303
    assert await house.app[DB].read(access.session, START, other) is None
    wrong = await house.ask(
        "POST", "/en/sign-in/password", data={"email": "artist@example.org", "password": "a long enough two"}
    )
    assert wrong.status == 401
    right = await house.ask(
        "POST", "/en/sign-in/password", data={"email": "artist@example.org", "password": "a long enough one"}
    )
    assert (right.status, right.headers["Location"]) == (303, "/en/studio")


async def test_guessing_passwords_is_slowed_down(house: House) -> None:
    statuses = []
    for _ in range(7):
        answer = await house.ask(
            "POST", "/en/sign-in/password", data={"email": "artist@example.org", "password": "guess"}
        )
        statuses.append(answer.status)
    assert statuses == [401] * 5 + [429] * 2
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_sign_in_is_listed_and_ended(house: House) -> None:
    page = await (await house.ask("GET", "/en/account", "artist")).text()
    assert "Chrome, Linux" in page
    session = re.search(r'name="session" value="(\w+)"', page)
    assert session is not None
    form = {"csrf": await house.csrf("artist"), "session": session[1]}
    assert (await house.ask("POST", "/en/account/sessions/end", "other", data=form, headers=FORM)).status == 403
    assert (await house.ask("POST", "/en/account/sessions/end", "artist", data=form, headers=FORM)).status == 303
    assert (await house.ask("GET", "/en/account", "artist")).status == 303


async def test_a_token_acts_for_its_person_until_it_is_revoked(house: House) -> None:
    form = {"csrf": await house.csrf("artist"), "label": "render farm"}
    page = await (await house.ask("POST", "/en/account/tokens", "artist", data=form, headers=FORM)).text()
    secret = re.search(r'<code class="secret">([\w-]+)</code>', page)
    public = re.search(r'name="token" value="(\w+)"', page)
    assert secret is not None
    assert public is not None
    bearer = {"Authorization": f"Bearer {secret[1]}"}
    me = await (await house.client.get("/api/v1/me", headers=bearer)).json()
    assert me["email"] == "artist@example.org"
    # It cannot make itself successors.
    assert (await house.client.post("/en/account/tokens", data={"label": "more"}, headers=bearer)).status == 403
    form = {"csrf": form["csrf"], "token": public[1]}
    assert (await house.ask("POST", "/en/account/tokens/revoke", "artist", data=form, headers=FORM)).status == 303
    assert (await house.client.get("/api/v1/me", headers=bearer)).status == 401


async def test_a_closed_account_is_out_at_once(house: House) -> None:
    form = {"csrf": await house.csrf("admin"), "person": str(house.people["artist"].id), "disabled": "1"}
    assert (await house.ask("POST", "/en/desk/people/disable", "admin", data=form, headers=FORM)).status == 303
    assert (await house.ask("GET", "/en/studio", "artist")).status == 303
    await house.ask("POST", "/en/sign-in", data={"email": "artist@example.org"})
    assert await house.app[DB].read(outbox.newest, 5) == []


async def test_an_invitation_makes_an_account_once(house: House) -> None:
    form = {"csrf": await house.csrf("linz"), "role": "artist", "city": "linz", "email": ""}
    page = await (await house.ask("POST", "/en/desk/people/invite", "linz", data=form, headers=FORM)).text()
    link = re.search(r"(/en/invitation/[\w-]+)", page)
    assert link is not None
    assert "Linz" in await (await house.ask("GET", link[1])).text()
    nameless = await house.ask("POST", link[1], data={"email": "mira@example.org", "name": " "})
    assert nameless.status == 422
    made = await house.ask("POST", link[1], data={"email": "mira@example.org", "name": "Mira"})
    assert (made.status, made.headers["Location"]) == (303, "/en/studio")
    person = await house.app[DB].read(people.by_email, "mira@example.org")
    assert (person.name, person.artist_of) == ("Mira", frozenset({"linz"}))
    assert (await house.ask("POST", link[1], data={"email": "second@example.org", "name": "Second"})).status == 410


async def test_an_invitation_does_not_open_somebody_elses_account(house: House) -> None:
    token = await house.write(
        access.make_link, START, "invitation", timedelta(days=1), email="admin@example.org", role="artist", city="linz"
    )
    answer = await house.ask("POST", f"/en/invitation/{token}", data={"name": "Mallory"})
    assert answer.status == 422
    assert "showcase" not in answer.cookies
    own = await house.ask(
        "POST", f"/en/invitation/{token}", "admin", data={}, headers={"X-CSRF-Token": await house.csrf("admin"), **FORM}
    )
    assert own.status == 303
    assert "linz" in (await house.app[DB].read(people.by_email, "admin@example.org")).artist_of


async def test_errors_speak_the_readers_language_and_show_no_traces(house: House) -> None:
    page = await house.ask("GET", "/fr/works/nothing")
    assert (page.status, page.headers["Content-Language"]) == (404, "fr")
    problem = await (
        await house.ask("GET", "/api/v1/works/nothing", headers={"Accept-Language": "fr-CA, en;q=0.5"})
    ).json()
    assert (problem["status"], problem["code"]) == (404, "not-found")
    english = await (await house.ask("GET", "/api/v1/works/nothing")).json()
    assert problem["detail"] != english["detail"]


async def test_texts_are_shown_as_texts(house: House) -> None:
    sharp = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    work, _ = await house.published(fields={"title": {"en": sharp}, "statement": {"en": sharp}})
    for path in (f"/en/works/{work.slug}", "/en/works", "/en/", f"/embed/work/{work.slug}"):
        page = await (await house.ask("GET", path)).text()
        assert sharp not in page
        assert "<img src=x" not in page
    studio = await (await house.ask("GET", f"/en/studio/works/{work.slug}", "artist")).text()
    assert sharp not in studio


async def test_the_outbox_is_for_the_administrator(house: House) -> None:
    await house.ask("POST", "/en/sign-in", data={"email": "artist@example.org"})
    assert "/sign-in/" in await (await house.ask("GET", "/en/desk/outbox", "admin")).text()
    assert (await house.ask("GET", "/en/desk/outbox", "linz")).status == 403


async def test_metrics_are_for_this_machine(house: House) -> None:
    assert "showcase_requests_total" in await (await house.ask("GET", "/metrics")).text()
    assert (await house.ask("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})).status == 403


async def test_a_header_that_a_proxy_asks_for_does_not_switch_the_checks_off(house: House) -> None:
    work = await house.work()
    headers = {"Authorization": "Basic YTpi", "Origin": "https://elsewhere.example", "X-Requested-With": ""}
    answer = await house.ask("POST", f"/api/v1/works/{work.slug}/submit", "artist", headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (403, "cross-site")


async def test_a_programs_token_does_not_change_how_its_person_gets_in(house: House) -> None:
    secret = await house.write(access.make_link, START, "api", None, person=house.people["artist"].id)
    bearer = {"Authorization": f"Bearer {secret}"}
    for path, form in (
        ("password", {"new": "a long enough one"}),
        ("sessions/end", {"session": "x"}),
        ("tokens", {"label": "x"}),
    ):
        assert (await house.client.post(f"/en/account/{path}", data=form, headers=bearer)).status == 403


async def test_a_page_that_was_begun_before_a_withdrawal_is_not_kept(house: House) -> None:
    from showcase.web.keys import PAGES

    pages = house.app[PAGES]
    before = pages.generation
    work, _ = await house.published()
    assert pages.generation > before
    page = await house.client.get(f"/en/works/{work.slug}")
    pages.keep("late", 1e9, page, before)  # type: ignore[arg-type]
    assert pages.cached("late", 0.0) is None


async def test_what_a_page_does_not_know_makes_no_other_page(house: House) -> None:
    first = await house.client.get("/en/works?utm_source=x&city=linz")
    second = await house.client.get("/en/works?city=linz&x=%3Cscript%3E")
    assert first.headers["ETag"] == second.headers["ETag"]
    assert "utm_source" not in await first.text()


@pytest.mark.parametrize(
    "path",
    ["/en/works/a%00b", "/en/works?city=%00", "/api/v1/events?work=%00", "/oembed?url=http://[", "/oembed?url=%00"],
)
async def test_odd_addresses_are_refused_in_words(path: str, house: House) -> None:
    assert (await house.ask("GET", path)).status in (400, 404)


async def test_odd_headers_and_bodies_are_refused_in_words(house: House) -> None:
    work, _ = await house.published()
    hls = (await (await house.ask("POST", f"/api/v1/works/{work.slug}/play", json={})).json())["hls"]
    segment = f"{hls.rpartition('/')[0]}/v240/s00000.m4s"
    assert (await house.ask("GET", segment, headers={"Range": "bytes=" + "9" * 5000 + "-"})).status == 200
    assert (
        await house.ask("POST", f"/api/v1/works/{work.slug}/submit", "artist", headers={"Origin": "http://["})
    ).status == 403
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=bogus"}
    assert (await house.ask("POST", "/en/sign-in", data=b"email=x", headers=form)).status == 400
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Metadata": "work AGE="}
    assert (await house.ask("POST", "/uploads", "artist", headers=tus)).status == 400


async def test_a_sign_in_that_is_used_is_kept_by_the_browser_too(house: House) -> None:
    assert "showcase" not in (await house.ask("GET", "/en/account", "artist")).cookies
    house.later(timedelta(days=20))
    kept = (await house.ask("GET", "/en/account", "artist")).cookies["showcase"]
    assert (kept.value, kept["max-age"]) == (house.cookies["artist"], str(30 * 86_400))


async def test_a_persons_language_is_taken_where_nothing_else_names_one(house: House) -> None:
    await house.write(people.rename, START, house.people["artist"].id, "Ada", "fr")
    assert (await house.ask("GET", "/", "artist")).headers["Location"] == "/fr/"
    assert (await house.ask("GET", "/", "artist", headers={"Accept-Language": "en"})).headers["Location"] == "/en/"


async def test_event_streams_from_one_network_are_counted(house: House) -> None:
    from showcase.errors import TooMany
    from showcase.web import events

    streams = events.Streams()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(events.FROM_ONE_NETWORK):
            await stack.enter_async_context(streams.room("192.0.2.1"))
        with pytest.raises(TooMany):
            await stack.enter_async_context(streams.room("192.0.2.1"))
        await stack.enter_async_context(streams.room("192.0.2.2"))
    async with streams.room("192.0.2.1"):
        pass
