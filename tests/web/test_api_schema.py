"""The server held against its own OpenAPI document by schemathesis, as an artist and as nobody."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from showcase.web.api_docs import document
from tests.server import Server, running_server

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server, and a token of an artist."""
    data = tmp_path_factory.mktemp("api")
    with running_server(data, {"SHOWCASE_WORKERS": "0"}) as server:
        command = [sys.executable, "-m", "showcase"]
        person = ["artist@example.org", "--role", "artist", "--city", "linz", "--data", str(data)]
        subprocess.run([*command, "user", *person], check=True, capture_output=True)
        token = subprocess.run(
            [*command, "token", "artist@example.org", "--data", str(data)], check=True, capture_output=True, text=True
        )
        yield server, token.stdout.strip()


@pytest.fixture(scope="module")
def api_schema(api: tuple[Server, str]) -> Any:
    return schemathesis.openapi.from_url(f"{api[0].url}/api/openapi.json")


def _work(server: Server, token: str) -> str:
    """A draft of the artist, so that calls about works find one."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/works",
        json.dumps({"title": {"en": "Tide"}, "cities": ["linz"]}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return str(json.load(answer)["slug"])
        except urllib.error.HTTPError as error:
            # So many calls in so short a time are limited.
            if error.code != 429:
                raise
            time.sleep(int(error.headers["Retry-After"]))


OPERATIONS = [(method, path) for path, methods in document("Showcase", "/")["paths"].items() for method in methods]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{m} {p}" for m, p in OPERATIONS])
@pytest.mark.parametrize(("who", "examples"), [("an artist", 15), ("nobody", 5)])
def test_answers_are_what_the_document_says(
    method: str, path: str, who: str, examples: int, api_schema: Any, api: tuple[Server, str]
) -> None:
    server, token = api
    headers = {"Authorization": f"Bearer {token}"} if who == "an artist" else {}
    slug = _work(server, token) if "/works/{slug}" in path and who == "an artist" else None

    @hypothesis.given(case=api_schema[path][method].as_strategy())
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        database=None,
    )
    def check(case: Any) -> None:
        if slug is not None and "slug" in case.path_parameters:
            case.path_parameters["slug"] = slug
        case.call_and_validate(base_url=server.url, headers=headers, checks=list(CHECKS))

    check()
