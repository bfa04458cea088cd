"""What happens to every request: its id, who asks, whether it may come from there, and errors to answers.

This is the one place that turns errors into statuses and pages.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from showcase import logs
from showcase.errors import Forbidden, Malformed, ShowcaseError, TooMany, Unauthenticated
from showcase.metrics import LATENCY, REQUESTS
from showcase.store import access
from showcase.web import forms, streams, words
from showcase.web.keys import DB, LANG, PERSON, SESSION, SETTINGS, now
from showcase.web.limits import address
from showcase.web.pages import csrf_token, language, named_language, render

log = logging.getLogger(__name__)
access_log = logging.getLogger("showcase.access")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MACHINE_PATHS = ("/api/", "/uploads", "/hls/", "/static/", "/pictures/")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

CSP = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; media-src 'self' blob: data:; connect-src 'self' blob: data:; img-src 'self' data: blob:; "
    "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors {ancestors}"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
}
POLICY = CSP.format(ancestors="'none'")
EMBED_POLICY = CSP.format(ancestors="*")


def session_cookie(request: web.Request) -> str:
    """The cookie's name; with https the browser itself refuses one that another host set (`__Host-`)."""
    return "__Host-showcase" if request.app[SETTINGS].secure else "showcase"


@web.middleware
async def outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give a request its id, time it, log it, and turn what went wrong into an answer."""
    if request.path.startswith("/hls/"):
        return await streams.quick(request, handler)
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    token = logs.request_id.set(request_id)
    started = time.perf_counter()
    request[PERSON] = None
    request[SESSION] = None
    request[LANG] = language(request)
    try:
        try:
            if "\0" in request.path or "\0" in request.rel_url.query_string:
                raise Malformed()
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - the one place where every error becomes an answer
            response = answer(request, error)
        if not response.prepared:
            response.headers["X-Request-ID"] = request_id
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            if response.content_type == "text/html":
                response.headers.setdefault("Content-Security-Policy", POLICY)
            if request.app[SETTINGS].secure:
                response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response
    finally:
        seconds = time.perf_counter() - started
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "-"
        status = str(locals()["response"].status) if "response" in locals() else "-"
        REQUESTS.labels(route, status).inc()
        LATENCY.labels(route).observe(seconds)
        if not request.path.startswith(("/hls/", "/static/")):
            access_log.info("%s %s %s %.1f ms", request.method, _hidden(request.path), status, seconds * 1000)
        logs.request_id.reset(token)


def _hidden(path: str) -> str:
    # Links let people in: they do not belong in logs.
    return re.sub(r"/(sign-in|invitation)/[^/]+", r"/\1/…", path)


def answer(request: web.Request, error: Exception) -> web.Response:
    """The answer to an error: problem+json (RFC 9457) for programs, a page in their language for people."""
    headers: dict[str, str] = {}
    params: Mapping[str, Any] = {}
    fields: Mapping[str, str] = {}
    if isinstance(error, web.HTTPException):
        if error.status < 400:
            return _copied(error)
        code = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-type"}.get(
            error.status, "malformed" if error.status < 500 else "internal"
        )
        status = error.status
        if hdrs.ALLOW in error.headers:
            headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    elif isinstance(error, ShowcaseError):
        status, code, params = error.status, error.code, error.params
        fields = getattr(error, "fields", {})
        if isinstance(error, TooMany):
            headers[hdrs.RETRY_AFTER] = str(error.retry_after)
        if isinstance(error, Unauthenticated):
            headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="showcase"'
        if status >= 500:
            log.warning("%s %s: %s", request.method, _hidden(request.path), error)
    elif isinstance(error, (ConnectionResetError, BrokenPipeError)):
        status, code = 499, "malformed"
    else:
        log.error("%s %s crashed", request.method, _hidden(request.path), exc_info=error)
        status, code = 500, "internal"
    lang = request[LANG]
    detail = words.sentence(code, params, lang)
    if wants_json(request):
        return problem(status, code, detail, lang, headers, params=params, fields=fields)
    if status == 401 and request.method == "GET":
        raise_to = f"/{lang}/sign-in?next={_quoted(request.path_qs)}"
        return web.Response(status=303, headers={"Location": raise_to, "Cache-Control": "no-store"})
    page = render(request, "error.html", status=status, headers=headers, code=code, detail=detail, error_status=status)
    page.headers["Cache-Control"] = "no-store"
    return page


def _copied(answer: web.HTTPException) -> web.Response:
    # aiohttp wants redirects returned, not raised.
    copy = web.Response(status=answer.status, headers={k: v for k, v in answer.headers.items() if k == "Location"})
    for morsel in answer.cookies.values():
        copy.cookies[morsel.key] = morsel
    return copy


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/")


def problem(
    status: int,
    code: str,
    detail: str,
    lang: str,
    headers: dict[str, str] | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    fields: Mapping[str, str] | None = None,
) -> web.Response:
    """An RFC 9457 problem. `fields` maps a field to its error code and becomes sentences."""
    import json

    body: dict[str, Any] = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}
    for name, value in (params or {}).items():
        if name in ("opens", "missing", "retry_after", "line", "at", "limit"):
            body[name] = value.isoformat() if hasattr(value, "isoformat") else value
    if fields:
        body["errors"] = [
            {"field": f, "code": c, "detail": words.sentence(c, params or {}, lang)} for f, c in fields.items()
        ]
    return web.Response(
        text=json.dumps(body, ensure_ascii=False, default=str),
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", "Content-Language": lang, **(headers or {})},
    )


def wants_json(request: web.Request) -> bool:
    """Whether the caller is a program."""
    if request.path.startswith(MACHINE_PATHS):
        return True
    accept = request.headers.get(hdrs.ACCEPT, "")
    return "json" in accept and "text/html" not in accept


@web.middleware
async def who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks: a bearer token (RFC 6750) before the session cookie."""
    if request.path.startswith(("/static/", "/hls/", "/healthz", "/metrics")):
        return await handler(request)
    db, at, settings = request.app[DB], now(request), request.app[SETTINGS]
    authorization = request.headers.get(hdrs.AUTHORIZATION, "")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        person = await db.read(access.bearer, at, token.strip())
        if person is None:
            raise Unauthenticated()
        request[PERSON] = person
        return await handler(request)
    secret = request.cookies.get(session_cookie(request))
    found = await db.read(access.session, at, secret) if secret else None
    if found is None or secret is None:
        return await handler(request)
    session, person = request[SESSION], request[PERSON] = found
    if not named_language(request):
        request[LANG] = person.lang
    used = at - session.seen_at > access.SEEN_EVERY
    if used:
        await db.write(access.touch, at, session.public_id, timedelta(days=settings.session_days))
    response = await handler(request)
    if used and not response.prepared and session_cookie(request) not in response.cookies:
        keep_signed_in(request, response, secret)
    return response


def keep_signed_in(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    """Let the browser keep a sign-in for as long as the settings say, from now on."""
    settings = request.app[SETTINGS]
    response.set_cookie(
        session_cookie(request),
        secret,
        max_age=settings.session_days * 86_400,
        path="/",
        httponly=True,
        secure=settings.secure,
        samesite="Lax",
    )


@web.middleware
async def same_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site makes a browser send (OWASP: Fetch Metadata, Origin, then a token).

    Programs with a bearer token are not asked.
    """
    if request.method in SAFE_METHODS:
        return await handler(request)
    if request[PERSON] is not None and request[SESSION] is None:
        # By a token, which no browser adds by itself.
        return await handler(request)
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("cross-site")
    if origin is not None and not _own(request, origin):
        raise Forbidden("cross-site")
    if request[SESSION] is not None:
        # A header of one's own cannot be sent across sites without a preflight, and we grant none.
        asked_by_script = request.headers.get("X-Requested-With", "").lower() == "showcase"
        if not asked_by_script:
            given = request.headers.get("X-CSRF-Token") or await _form_token(request)
            if not hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token(request).encode()):
                raise Forbidden("csrf")
    return await handler(request)


def _own(request: web.Request, origin: str) -> bool:
    try:
        return origin == request.app[SETTINGS].public_url or urlsplit(origin).netloc == request.host
    except ValueError:
        return False


async def _form_token(request: web.Request) -> str:
    if forms.is_form_with_files(request):
        return await forms.first_part(request, "csrf")
    return (await forms.form(request)).get("csrf", "") if forms.is_form(request) else ""


def client(request: web.Request) -> tuple[str, str]:
    """What is kept of a sign-in: the browser's name and the address."""
    agent = request.headers.get(hdrs.USER_AGENT, "")
    return agent.encode("utf-8", "replace").decode()[:300], address(request)
