"""Static files: their addresses, caching, types, compression, and what is refused."""

from __future__ import annotations

import gzip
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from yarl import URL

from showcase import settings
from showcase.web.static import IMMUTABLE, STALE, Assets

type_of = {
    "js/player.js": "text/javascript; charset=utf-8",
    "vendor/hls.mjs": "text/javascript; charset=utf-8",
    "css/base.css": "text/css; charset=utf-8",
    "fonts/a.woff2": "font/woff2",
    "slate/s00001.m4s": "video/iso.segment",
    "app.webmanifest": "application/manifest+json",
    "icon.svg": "image/svg+xml",
    "odd.xyz": "application/octet-stream",
}
SCRIPT = b"export const answer = 42; // " + b"and so on " * 100
Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    for name in type_of:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(SCRIPT if name.endswith(("js", "css")) else name.encode())
    (root / "vendor" / ".recipe").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.fixture
def serve(aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def start(assets: Assets) -> Client:
        app = web.Application()
        app.router.add_get("/static/{hash}/{path:.*}", assets.serve)
        return await aiohttp_client(app, auto_decompress=False)

    return start


async def get(client: Client, url: str, encoding: str = "identity", **headers: str) -> ClientResponse:
    return await client.get(url, headers={"Accept-Encoding": encoding, **headers})


async def test_a_file_comes_with_its_type_and_is_kept_for_good(tree: Path, serve: Serve) -> None:
    assets = Assets(tree)
    client = await serve(assets)
    answers = {name: await get(client, assets.url(name)) for name in type_of}
    assert {name: answer.headers["Content-Type"] for name, answer in answers.items()} == type_of
    assert {answer.headers["Cache-Control"] for answer in answers.values()} == {IMMUTABLE}
    assert await answers["js/player.js"].read() == SCRIPT


def test_one_hash_for_the_whole_tree_changes_with_any_file(tree: Path) -> None:
    before = Assets(tree)
    assert before.url("js/player.js") == f"/static/{before.hash}/js/player.js"
    assert Assets(tree).hash == before.hash
    (tree / "icon.svg").write_text("<svg/>")
    assert Assets(tree).hash != before.hash


def test_the_hash_does_not_depend_on_compressed_siblings(tree: Path) -> None:
    before = Assets(tree).hash
    (tree / "js" / "player.js.gz").write_bytes(gzip.compress(SCRIPT))
    assert Assets(tree).hash == before


def test_an_address_of_a_file_that_is_not_there_is_a_mistake_in_a_template(tree: Path) -> None:
    with pytest.raises(KeyError, match=r"js/plaeyr\.js"):
        Assets(tree).url("js/plaeyr.js")


async def test_an_old_hash_gets_the_file_of_today_for_a_short_time(tree: Path, serve: Serve) -> None:
    client = await serve(Assets(tree))
    answer = await get(client, "/static/0000000000000000/js/player.js")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, STALE)


async def test_text_is_compressed_for_those_who_take_it(tree: Path, serve: Serve) -> None:
    assets = Assets(tree)
    client = await serve(assets)
    answer = await get(client, assets.url("js/player.js"), "gzip, deflate")
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(await answer.read()) == SCRIPT
    refused = await get(client, assets.url("js/player.js"), "gzip;q=0, *")
    assert "Content-Encoding" not in refused.headers
    font = await get(client, assets.url("fonts/a.woff2"), "gzip")
    assert "Content-Encoding" not in font.headers


async def test_siblings_are_used_and_brotli_is_preferred(tree: Path, serve: Serve) -> None:
    (tree / "js" / "player.js.br").write_bytes(b"brotli")
    (tree / "js" / "player.js.gz").write_bytes(b"gzip")
    assets = Assets(tree)
    client = await serve(assets)
    bodies = [await (await get(client, assets.url("js/player.js"), e)).read() for e in ("gzip, br", "gzip")]
    assert bodies == [b"brotli", b"gzip"]


async def test_a_sibling_older_than_its_file_is_not_used(tree: Path, serve: Serve) -> None:
    sibling = tree / "js" / "player.js.gz"
    sibling.write_bytes(b"stale")
    os.utime(sibling, (0, 0))
    assets = Assets(tree)
    answer = await get(await serve(assets), assets.url("js/player.js"), "gzip")
    assert gzip.decompress(await answer.read()) == SCRIPT


async def test_a_known_etag_is_answered_without_a_body(tree: Path, serve: Serve) -> None:
    assets = Assets(tree)
    client = await serve(assets)
    url = assets.url("js/player.js")
    first = await get(client, url, "gzip")
    again = await get(client, url, "gzip", **{"If-None-Match": f'W/{first.headers["ETag"]}, "other"'})
    assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    # RFC 9110 8.8.3: representations that differ in encoding have different strong validators.
    assert (await get(client, url)).headers["ETag"] != first.headers["ETag"]


async def test_head_answers_like_get_without_a_body(tree: Path, serve: Serve) -> None:
    assets = Assets(tree)
    client = await serve(assets)
    answer = await client.head(assets.url("js/player.js"), headers={"Accept-Encoding": "identity"})
    assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (
        200,
        str(len(SCRIPT)),
        b"",
    )


@pytest.mark.parametrize("dev", [False, True])
@pytest.mark.parametrize(
    "path",
    [
        *("", "nothing.js", "js", "js/", "js//player.js", "js/../js/player%2ejs/"),
        *("../secret.txt", "%2e%2e/secret.txt", "js/..%2f..%2fsecret.txt", "%2Fetc/passwd"),
        *("vendor/.recipe", "js/player.js.gz", "js/player.js%00"),
    ],
)
async def test_nothing_else_is_served(path: str, dev: bool, tree: Path, serve: Serve) -> None:
    (tree / "js" / "player.js.gz").write_bytes(b"sibling")
    assets = Assets(tree, dev=dev)
    client = await serve(assets)
    raw = URL(f"{client.make_url('/')}static/{assets.hash}/{path}", encoded=True)
    answer = await client.session.get(raw)
    assert answer.status == 404


async def test_a_large_file_comes_from_the_disk(tree: Path, serve: Serve) -> None:
    (tree / "large.bin").write_bytes(b"x" * 1_500_000)
    assets = Assets(tree)
    answer = await get(await serve(assets), assets.url("large.bin"))
    assert len(await answer.read()) == 1_500_000
    assert answer.headers["Cache-Control"] == IMMUTABLE


async def test_in_development_a_changed_or_new_file_is_seen_at_once(tree: Path, serve: Serve) -> None:
    assets = Assets(tree, dev=True)
    client = await serve(assets)
    (tree / "js" / "player.js").write_text("changed")
    (tree / "js" / "new.js").write_text("new")
    answers = [await get(client, assets.url(name)) for name in ("js/player.js", "js/new.js")]
    assert [await answer.text() for answer in answers] == ["changed", "new"]
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-cache"}


def test_folders_are_found_beside_the_package_in_a_checkout() -> None:
    root = Path(settings.__file__).parents[1]
    assert (settings.shipped("static"), settings.shipped("templates")) == (root / "static", root / "templates")


def test_folders_are_found_inside_the_package_when_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "showcase" / "static"
    inside.mkdir(parents=True)
    monkeypatch.setattr(settings, "__file__", str(tmp_path / "showcase" / "settings.py"))
    assert settings.shipped("static") == inside
    with pytest.raises(FileNotFoundError, match="templates"):
        settings.shipped("templates")
