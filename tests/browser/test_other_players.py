"""Other people's players read the master playlist: Shaka, FFmpeg, streamlink, yt-dlp, and a browser's own HLS."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from showcase.media import ffmpeg
from tests.browser.conftest import Works

SHAKA = Path(__file__).parents[2] / "node_modules" / "shaka-player" / "dist" / "shaka-player.compiled.js"
FRAMES = 200  # eight seconds at 25 frames a second


@pytest.fixture
def base_url(works: Works) -> str:
    return works.gallery.server.url


@pytest.fixture
def master(works: Works) -> str:
    """The address of the film's master playlist, as the audience gets it."""
    return works.gallery.server.url + str(
        works.gallery.call("POST", f"/api/v1/works/{works.film}/play", None, {})["hls"]
    )


async def run(*command: str) -> tuple[bytes, str]:
    """What a program prints, and its errors; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, errors.decode()[-2000:]
    return output, errors.decode()


def frames(output: bytes) -> int:
    return int(re.findall(rb"^frame=(\d+)", output, re.MULTILINE)[-1])


async def test_ffmpeg_decodes_every_frame_of_every_quality(master: str) -> None:
    binary = ffmpeg.binary()
    decode = ("-progress", "pipe:1", "-f", "null", "-")
    for rung in ("v240", "v360", "v480", "v720"):
        playlist = master.replace("master.m3u8", f"{rung}/index.m3u8")
        output, errors = await run(binary, "-v", "error", "-i", playlist, *decode)
        assert (frames(output), errors) == (FRAMES, "")
    # With the master, FFmpeg complains of packets it cuts itself when it lets go of the qualities it did not choose.
    output, errors = await run(binary, "-v", "error", "-i", master, "-map", "0:v:3", "-map", "0:a:0", *decode)
    assert frames(output) == FRAMES
    assert [line for line in errors.splitlines() if not line.startswith("[NULL @")] == []


async def test_streamlink_finds_the_qualities_and_reads_one(master: str, tmp_path: Path) -> None:
    streamlink = str(Path(sys.executable).with_name("streamlink"))
    found = json.loads((await run(streamlink, "--no-config", "--json", f"hls://{master}"))[0])
    assert {"240p", "360p", "480p", "720p"} <= set(found["streams"])
    target = tmp_path / "film.ts"
    await run(
        streamlink, "--no-config", "--ffmpeg-ffmpeg", ffmpeg.binary(), "-o", str(target), f"hls://{master}", "240p"
    )
    assert target.stat().st_size > 50_000


async def test_yt_dlp_finds_the_qualities_and_reads_one(master: str, tmp_path: Path) -> None:
    yt_dlp = str(Path(sys.executable).with_name("yt-dlp"))
    found = json.loads((await run(yt_dlp, "--ignore-config", "-J", master))[0])
    assert {f["height"] for f in found["formats"] if f.get("height")} == {240, 360, 480, 720}
    await run(
        yt_dlp, "--ignore-config", "--quiet", "--hls-prefer-native", "-f", "worstvideo", "-o", str(tmp_path / "film.%(ext)s"),
        "--ffmpeg-location", ffmpeg.binary(), master,
    )  # fmt: skip
    assert [p.stat().st_size > 50_000 for p in tmp_path.iterdir()] == [True]


async def shaka_page(_: web.Request) -> web.Response:
    html = "<!doctype html><html lang=en><title>Shaka</title><link rel=icon href=data:,><script src=/shaka.js></script>"
    return web.Response(text=f"{html}<video muted></video>", content_type="text/html")


async def test_shaka_plays_from_another_site(master: str, new_page: Callable[..., Awaitable[Page]]) -> None:
    async def script(_: web.Request) -> web.Response:
        return web.Response(body=SHAKA.read_bytes(), content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/", shaka_page)
    app.router.add_get("/shaka.js", script)
    async with TestServer(app) as server:
        page = await new_page(base_url=str(server.make_url("/")))
        await page.goto("/")
        found: Any = await page.evaluate(
            """async (master) => {
                shaka.polyfill.installAll();
                const player = new shaka.Player();
                const video = document.querySelector("video");
                await player.attach(video);
                await player.load(master);
                await video.play();
                while (video.currentTime < 2) await new Promise(requestAnimationFrame);
                return {
                    heights: [...new Set(player.getVariantTracks().map((t) => t.height))].sort((a, b) => a - b),
                    captions: player.getTextTracks().map((t) => t.language).sort(),
                    described: player.getVariantTracks().some((t) => t.audioRoles?.includes("describes-video")
                        || t.accessibilityPurpose || t.label?.length),
                };
            }""",
            master,
        )
    assert found["heights"] == [240, 360, 480, 720]
    assert found["captions"] == ["en", "fr"]


async def test_a_browsers_own_hls_plays_where_there_is_no_media_source(page: Page, works: Works) -> None:
    await page.add_init_script(
        "delete window.MediaSource; delete window.ManagedMediaSource; delete window.WebKitMediaSource;"
    )
    await page.goto(f"/en/works/{works.film}")
    if not await page.evaluate("document.createElement('video').canPlayType('application/vnd.apple.mpegurl')"):
        pytest.skip("this Chromium has no HLS of its own")
    await page.get_by_role("button", name=re.compile("Play")).first.click()
    await page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert await page.evaluate("document.querySelector('video').currentSrc.includes('/hls/')")
