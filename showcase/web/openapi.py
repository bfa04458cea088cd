"""Calls of the API as values: what each takes and answers is checked by pydantic and written down as OpenAPI 3.1.

A module lists its calls with `@calls.call(...)`; `mount` makes routes of them and `describe` the document, so that the
two cannot differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic
from aiohttp import hdrs, web

from showcase.core import rules
from showcase.errors import Invalid, Malformed, TooLarge, UnsupportedType
from showcase.web.keys import PERSON
from showcase.web.limits import limit

BODY_LIMIT = 256 * 1024
JSON = "application/json"
PROBLEM = "application/problem+json"

Handler = Callable[..., Awaitable["Answer"]]


class Model(pydantic.BaseModel):
    """A body or query: unknown fields are refused, so that a slip of the pen is told and not ignored."""

    model_config = pydantic.ConfigDict(
        extra="forbid", str_strip_whitespace=True, json_schema_serialization_defaults_required=True
    )


class Shape(pydantic.BaseModel):
    """What an answer has at least; more may be added."""

    model_config = pydantic.ConfigDict(extra="allow")


class Problem(Shape):
    """RFC 9457. `code` is stable, `detail` is a sentence in the caller's language."""

    type: str
    title: str
    status: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call answers: JSON (None: no body) with a status and headers."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call: method and path (`{name}` or `{name:regex}`), what it takes, what it answers."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    body: type[Model] | None
    query: type[Model] | None
    answers: Mapping[int, type[pydantic.BaseModel] | None]
    errors: Sequence[int]
    signed_in: bool
    headers: Mapping[str, str]
    writes: bool
    takes: Sequence[str]


class Calls:
    """A list of calls that a module offers."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Call] = []

    def call(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        body: type[Model] | None = None,
        query: type[Model] | None = None,
        answers: Mapping[int, type[pydantic.BaseModel] | None],
        errors: Sequence[int] = (),
        signed_in: bool = False,
        headers: Mapping[str, str] | None = None,
        writes: bool | None = None,
        takes: Sequence[str] = (),
    ) -> Callable[[Handler], Handler]:
        """Register a handler `(request[, body][, query])`. `signed_in`: nobody else is let in.

        `takes`: the content types of a body of bytes, which the handler reads itself. What `writes` (all but GET, unless told) is limited in number here; what does not limits itself.
        """

        def register(handler: Handler) -> Handler:
            expected = {
                *errors,
                *([401, 403] if signed_in else []),
                *([400, 413, 415, 422] if body or query or takes else []),
            }
            if method != hdrs.METH_GET:
                # Cookies across sites, and callers in a hurry.
                expected |= {401, 403, 429}
            self.all.append(
                Call(
                    method,
                    path,
                    handler,
                    summary,
                    self.tag,
                    body,
                    query,
                    answers,
                    sorted(expected),
                    signed_in,
                    headers or {},
                    method != hdrs.METH_GET if writes is None else writes,
                    takes,
                )
            )
            return handler

        return register


def mount(app: web.Application, lists: Sequence[Calls]) -> None:
    """Make routes of all calls."""
    for calls in lists:
        for call in calls.all:
            if call.method == hdrs.METH_GET:
                app.router.add_get(call.path, _serve(call))
            else:
                app.router.add_route(call.method, call.path, _serve(call))


def _serve(call: Call) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        if call.signed_in:
            rules.require_signed_in(request[PERSON])
        if call.writes:
            person = request[PERSON]
            limit(request, "api-write", str(person.id) if person is not None else None)
        given: list[Any] = []
        if call.takes and request.content_type not in call.takes:
            raise UnsupportedType()
        if call.body is not None:
            given.append(await _body(request, call.body))
        if call.query is not None:
            given.append(_checked(call.query, dict(request.query), fresh=False))
        answer = await call.handler(request, *given)
        headers = {"Cache-Control": "no-store", **(answer.headers or {})}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.Response(
            text=json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")),
            status=answer.status,
            content_type=JSON,
            headers=headers,
        )

    return serve


async def _body(request: web.Request, model: type[Model]) -> Model:
    if request.content_length is not None and request.content_length > BODY_LIMIT:
        raise TooLarge()
    raw = await request.read()
    if len(raw) > BODY_LIMIT:
        raise TooLarge()
    if not raw.strip():
        return _checked(model, {}, fresh=True)
    if request.content_type not in (JSON, "text/json") and not request.content_type.endswith("+json"):
        raise UnsupportedType()
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Malformed() from None
    if not isinstance(value, dict):
        raise Invalid()
    return _checked(model, value, fresh=True)


def _checked(model: type[Model], value: Mapping[str, Any], *, fresh: bool) -> Model:
    try:
        return model.model_validate(value, strict=None)
    except pydantic.ValidationError as error:
        fields = {}
        for one in error.errors(include_url=False, include_input=False):
            where = ".".join(str(p) for p in one["loc"]) or "body"
            fields[where] = _code(one)
        raise Invalid(fields=fields) from None


def _code(error: Any) -> str:
    """The nearest of our own codes for a finding of pydantic."""
    context = error.get("ctx") or {}
    if isinstance(context.get("error"), Invalid):
        return str(context["error"].code)
    kind = str(error["type"])
    if kind == "missing":
        return "required"
    if kind == "string_too_long" or kind == "too_long":
        return "too-long"
    if kind == "string_too_short" or kind == "too_short":
        return "required"
    if kind.startswith(("datetime", "timezone", "date")):
        return "bad-time"
    if kind.startswith(("int", "float", "greater", "less", "finite")):
        return "bad-number"
    if kind == "extra_forbidden":
        return "unknown-field"
    if kind == "value_error" and str(error.get("msg", "")).removeprefix("Value error, ") in _OWN:
        return str(error["msg"]).removeprefix("Value error, ")
    return "bad-choice"


_OWN = frozenset(
    {
        "bad-language",
        "bad-address",
        "bad-time",
        "bad-number",
        "required",
        "window-order",
        "bad-email",
        "too-long",
        "bad-zone",
    }
)


def describe(lists: Sequence[Calls], *, title: str, version: str, server: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all calls."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for calls in lists:
        for call in calls.all:
            path = re.sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", r"{\1}", call.path)
            paths.setdefault(path, {})[call.method.lower()] = _operation(call, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "showcase"},
            },
        },
    }


def _operation(call: Call, path: str, schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": call.summary,
        "tags": [call.tag],
        "operationId": _operation_id(call, path),
        "responses": {},
    }
    if call.signed_in:
        found["security"] = [{"token": []}, {"session": []}]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    if call.query is not None:
        schema = call.query.model_json_schema()
        for name, value in schema["properties"].items():
            parameters.append(
                {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": value}
            )
    if parameters:
        found["parameters"] = parameters
    if call.body is not None:
        needed = bool(call.body.model_json_schema().get("required"))
        found["requestBody"] = {
            "required": needed,
            "content": {JSON: {"schema": _schema(call.body, schemas, "validation")}},
        }
    if call.takes:
        binary = {"schema": {"type": "string", "format": "binary"}}
        found["requestBody"] = {"required": True, "content": dict.fromkeys(call.takes, binary)}
    for status, shape in call.answers.items():
        answer: dict[str, Any] = {"description": _reason(status)}
        if shape is not None:
            answer["content"] = {JSON: {"schema": _schema(shape, schemas, "serialization")}}
        if call.headers and status in (200, 201):
            answer["headers"] = {n: {"description": d, "schema": {"type": "string"}} for n, d in call.headers.items()}
        found["responses"][str(status)] = answer
    problem = _schema(Problem, schemas, "serialization")
    for status in call.errors:
        found["responses"][str(status)] = {"description": _reason(status), "content": {PROBLEM: {"schema": problem}}}
    found["responses"]["503"] = {"description": _reason(503), "content": {PROBLEM: {"schema": problem}}}
    return found


def _operation_id(call: Call, path: str) -> str:
    words = [w for w in re.split(r"[^a-zA-Z0-9]+", path.removeprefix("/api/v1")) if w]
    return "_".join([call.method.lower(), *words])


def _reason(status: int) -> str:
    import http

    return http.HTTPStatus(status).phrase


def _schema(model: type[pydantic.BaseModel], schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)
    for name, nested in schema.pop("$defs", {}).items():
        schemas[name] = nested
    schemas[model.__name__] = schema
    return {"$ref": f"#/components/schemas/{model.__name__}"}
