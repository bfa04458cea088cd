"""Signing in and out, invitations, and what people see and change of their own account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import web

from showcase.core.failures import N_
from showcase.core.models import SITE_LANGUAGES, Person
from showcase.errors import Forbidden, Invalid
from showcase.store import access, people
from showcase.web import mails, network
from showcase.web.forms import back, email, form, inside
from showcase.web.keys import DB, LANG, PASSWORDS, PERSON, SESSION, SETTINGS, now, signed_in
from showcase.web.limits import limit, network_of
from showcase.web.middleware import client, keep_signed_in, session_cookie
from showcase.web.pages import render
from showcase.web.passwords import LONGEST, SHORTEST

SUBJECT = N_("Your sign-in link for {site}")
BODY = N_(
    "Hello,\n\nopen this link within {minutes} minutes and press the button there to sign in:\n\n{link}\n\n"
    "If you did not ask for it, you need do nothing.\n"
)
PRIVATE = {"Cache-Control": "private, no-store"}


def landing(person: Person, lang: str) -> str:
    """Where somebody goes after signing in: to their work."""
    tail = "desk" if (person.staff_of or person.administrator) and not person.artist_of else "studio"
    return f"/{lang}/{tail}"


async def sign_in_page(request: web.Request) -> web.Response:
    """The form: a link by mail, or a password."""
    following = inside(request.query.get("next", ""), "")
    if (person := request[PERSON]) is not None:
        return back(following or landing(person, request[LANG]))
    return render(
        request, "account/sign-in.html", headers=PRIVATE, following=following, typed={}, errors={}, problem=None
    )


async def ask_for_link(request: web.Request) -> web.Response:
    """Mail a sign-in link. The answer is the same whether the address is known or not."""
    limit(request, "signin")
    fields = await form(request)
    following = inside(fields.get("next", ""), "")
    try:
        address = email(fields)
    except Invalid as error:
        return render(
            request, "account/sign-in.html", status=422, headers=PRIVATE, following=following, typed=dict(fields), errors=error.fields,
            problem=None,
        )  # fmt: skip
    # One network asks for few links to an address, and all together for not many more: a mailbox must stay usable.
    limit(request, "signin-address", f"{people.normal_email(address)} {network_of(request)}")
    limit(request, "signin-mailbox", people.normal_email(address))
    db, settings, at = request.app[DB], request.app[SETTINGS], now(request)
    person = await db.read(people.by_email, address)
    if person is not None and not person.disabled:
        lasts = timedelta(minutes=settings.signin_minutes)
        secret = await db.write(access.make_link, at, "signin", lasts, person=person.id)
        lang = person.lang if person.lang in SITE_LANGUAGES else request[LANG]
        link = f"{settings.public_url}/{lang}/sign-in/{secret}"
        if following:
            link += f"?next={quote(following, safe='/')}"
        await mails.post(request, person.email, lang, SUBJECT, BODY, link=link, minutes=settings.signin_minutes)
    return render(request, "account/sent.html", headers=PRIVATE, address=address, minutes=settings.signin_minutes)


async def with_password(request: web.Request) -> web.Response:
    """Sign in by address and password."""
    limit(request, "password")
    fields = await form(request)
    following = inside(fields.get("next", ""), "")
    address, password = fields.get("email", "").strip()[:254], fields.get("password", "")[:LONGEST]
    limit(request, "signin-address", f"password {people.normal_email(address)} {network_of(request)}")
    found = await request.app[DB].read(people.password_hash, address)
    if not await request.app[PASSWORDS].fits(found[1] if found else None, password) or found is None:
        return render(
            request, "account/sign-in.html", status=401, headers=PRIVATE, following=following, typed={"email": address}, errors={},
            problem="wrong-credentials",
        )  # fmt: skip
    person = await request.app[DB].read(people.by_id, found[0])
    return await _enter(request, person, following)


async def link_page(request: web.Request) -> web.Response:
    """What a sign-in link shows: a button. Mail scanners open links; only a person presses it."""
    db = request.app[DB]
    link = await db.read(access.link, now(request), "signin", request.match_info["token"])
    person = await db.read(people.by_id, link.person or 0)
    following = inside(request.query.get("next", ""), "")
    return render(request, "account/link.html", headers=PRIVATE, following=following, name=person.name)


async def use_link(request: web.Request) -> web.Response:
    """Consume a sign-in link."""
    limit(request, "signin-link")
    fields = await form(request)
    person = await request.app[DB].write(access.sign_in, now(request), request.match_info["token"])
    if person.disabled:
        raise Forbidden("account-closed")
    return await _enter(request, person, inside(fields.get("next", ""), ""))


async def _enter(request: web.Request, person: Person, following: str) -> web.Response:
    settings = request.app[SETTINGS]
    lasts = timedelta(days=settings.session_days)
    secret = await request.app[DB].write(access.open_session, now(request), person.id, lasts, *client(request))
    answer = back(following or landing(person, person.lang if person.lang in SITE_LANGUAGES else request[LANG]))
    keep_signed_in(request, answer, secret)
    return answer


async def sign_out(request: web.Request) -> web.Response:
    """End this sign-in."""
    session = request[SESSION]
    if session is not None:
        await request.app[DB].write(access.close_session, session.person, session.public_id)
    answer = back(f"/{request[LANG]}/")
    answer.del_cookie(session_cookie(request), path="/", secure=request.app[SETTINGS].secure)
    return answer


async def invitation_page(request: web.Request) -> web.Response:
    """What an invitation shows: as what and where, and who is to come."""
    invitation = await request.app[DB].read(access.link, now(request), "invitation", request.match_info["token"])
    cities = await network.all_cities(request)
    return render(
        request, "account/invitation.html", headers=PRIVATE, invitation=invitation, city=cities.get(invitation.city or ""),
        typed={}, errors={},
    )  # fmt: skip


async def accept_invitation(request: web.Request) -> web.Response:
    """Make the account, or give the role to the one that is there, and sign in."""
    limit(request, "invitation")
    if request[PERSON] is not None:
        own_session(request)
    db, at, token = request.app[DB], now(request), request.match_info["token"]
    fields = await form(request)
    invitation = await db.read(access.link, at, "invitation", token)
    asker = request[PERSON]
    try:
        address = invitation.email or (asker.email if asker is not None else email(fields))
        there = await db.read(people.by_email, address)
        name = fields.get("name", "").strip()
        if there is None and not name:
            raise Invalid(fields={"name": "required"})
        if len(name) > 200:
            raise Invalid(fields={"name": "too-long"})
        person = await db.write(
            access.accept_invitation, at, token, address, name, request[LANG], asker.id if asker is not None else None
        )
    except Invalid as error:
        cities = await network.all_cities(request)
        return render(
            request, "account/invitation.html", status=422, headers=PRIVATE, invitation=invitation,
            city=cities.get(invitation.city or ""), typed=dict(fields), errors=error.fields,
        )  # fmt: skip
    if person.disabled:
        raise Forbidden("account-closed")
    return await _enter(request, person, "")


def own_session(request: web.Request) -> Person:
    """Who asks, in a browser: a token of a program must not change how its person gets in. Raises Forbidden."""
    person = signed_in(request)
    if request[SESSION] is None:
        raise Forbidden()
    return person


async def account_page(request: web.Request) -> web.Response:
    """Name, language, text about oneself, password, sign-ins, tokens."""
    return await _account(request, signed_in(request))


async def _account(
    request: web.Request,
    person: Person,
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    secret: str | None = None,
) -> web.Response:
    db = request.app[DB]
    return render(
        request,
        "account/account.html",
        status=status,
        headers=PRIVATE,
        me=person,
        biography=await db.read(people.biography, person.id),
        sessions=await db.read(access.sessions_of, now(request), person.id),
        current=request[SESSION].public_id if request[SESSION] else None,  # type: ignore[union-attr]
        tokens=await db.read(access.api_tokens, person.id),
        cities=await network.all_cities(request),
        errors=errors or {},
        secret=secret,
    )


async def save_profile(request: web.Request) -> web.Response:
    """Change name, language and text."""
    person, fields = own_session(request), await form(request)
    name, lang = fields.get("name", "").strip(), fields.get("lang", person.lang)
    biography = {code: fields.get(f"biography.{code}", "").strip() for code in SITE_LANGUAGES}
    errors = {}
    if not name:
        errors["name"] = "required"
    if len(name) > 200:
        errors["name"] = "too-long"
    if lang not in SITE_LANGUAGES:
        errors["lang"] = "bad-choice"
    errors |= {f"biography.{code}": "too-long" for code, text in biography.items() if len(text) > 8_000}
    if errors:
        return await _account(request, person, status=422, errors=errors)
    db, at = request.app[DB], now(request)
    await db.write(people.rename, at, person.id, name, lang)
    await db.write(people.set_biography, at, person.id, biography)
    return back(f"/{lang}/account?saved=1")


async def save_password(request: web.Request) -> web.Response:
    """Set or change the password; it ends all other sign-ins. Who has one must give it."""
    limit(request, "password")
    person, fields = own_session(request), await form(request)
    db, passwords = request.app[DB], request.app[PASSWORDS]
    new = fields.get("new", "")
    found = await db.read(people.password_hash, person.email)
    if found is not None and not await passwords.fits(found[1], fields.get("old", "")[:LONGEST]):
        return await _account(request, person, status=422, errors={"old": "wrong-credentials"})
    if not SHORTEST <= len(new) <= LONGEST:
        return await _account(request, person, status=422, errors={"new": "password-short"})
    await db.write(people.set_password_hash, person.id, await passwords.hash(new))
    session: Any = request[SESSION]
    await db.write(access.close_sessions, person.id, session.public_id if session else None)
    return back(f"/{request[LANG]}/account?saved=1")


async def end_session(request: web.Request) -> web.Response:
    """End one sign-in."""
    person, fields = own_session(request), await form(request)
    await request.app[DB].write(access.close_session, person.id, fields.get("session", ""))
    return back(f"/{request[LANG]}/account")


async def make_token(request: web.Request) -> web.Response:
    """Make a token for a program; it is shown once."""
    person, fields = own_session(request), await form(request)
    label = fields.get("label", "").strip()[:200]
    secret = await request.app[DB].write(
        access.make_link, now(request), "api", None, person=person.id, label=label, made_by=person.id
    )
    return await _account(request, person, secret=secret)


async def revoke_token(request: web.Request) -> web.Response:
    """Take a token back."""
    person, fields = own_session(request), await form(request)
    await request.app[DB].write(access.revoke, now(request), fields.get("token", ""), person=person.id)
    return back(f"/{request[LANG]}/account")


def routes(app: web.Application) -> None:
    """Mount the account's pages."""
    router, lang = app.router, "/{lang:en|fr}"
    router.add_get(f"{lang}/sign-in", sign_in_page)
    router.add_post(f"{lang}/sign-in", ask_for_link)
    router.add_post(f"{lang}/sign-in/password", with_password)
    router.add_get(lang + "/sign-in/{token:[A-Za-z0-9_-]{20,80}}", link_page)
    router.add_post(lang + "/sign-in/{token:[A-Za-z0-9_-]{20,80}}", use_link)
    router.add_post(f"{lang}/sign-out", sign_out)
    router.add_get(lang + "/invitation/{token:[A-Za-z0-9_-]{20,80}}", invitation_page)
    router.add_post(lang + "/invitation/{token:[A-Za-z0-9_-]{20,80}}", accept_invitation)
    router.add_get(f"{lang}/account", account_page)
    router.add_post(f"{lang}/account", save_profile)
    router.add_post(f"{lang}/account/password", save_password)
    router.add_post(f"{lang}/account/sessions/end", end_session)
    router.add_post(f"{lang}/account/tokens", make_token)
    router.add_post(f"{lang}/account/tokens/revoke", revoke_token)
