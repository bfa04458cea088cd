"""The document of all calls: as OpenAPI 3.1, and as a page."""

from __future__ import annotations

import functools
from typing import Any

from aiohttp import web

from showcase import __version__
from showcase.web import api, api_check, api_festivals, api_people, api_programme, api_rights, api_watching
from showcase.web.keys import SETTINGS
from showcase.web.openapi import describe
from showcase.web.pages import render

LISTS = (
    api.calls,
    api_people.calls,
    api_festivals.calls,
    api_programme.calls,
    api_rights.calls,
    api_check.calls,
    api_watching.calls,
)


@functools.lru_cache(4)
def document(title: str, server: str) -> dict[str, Any]:
    """The OpenAPI document."""
    return describe(LISTS, title=title, version=__version__, server=server)


async def openapi(request: web.Request) -> web.Response:
    """`/api/openapi.json`."""
    settings = request.app[SETTINGS]
    return web.json_response(
        document(settings.site_name, settings.public_url), headers={"Cache-Control": "public, max-age=300"}
    )


async def docs(request: web.Request) -> web.Response:
    """`/api/docs`: the same document as a page that can be read without JavaScript."""
    settings = request.app[SETTINGS]
    return render(request, "public/api.html", document=document(settings.site_name, settings.public_url))
