"""A work's page in the studio: uploads that nothing can stop, files that become ready before one's eyes, kept texts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Request, expect

from showcase.errors import Unavailable
from showcase.media import ffmpeg
from tests import processes
from tests.browser.conftest import Problems
from tests.server import free_port, wait
from tests.summary import MEDIA, missing

# Converting a film takes as long as the machine needs.
PROCESSED_MS = 120_000
UPLOADED_MS = 60_000
MAX_BYTES = 40_000_000
SLOW = 400_000

DROP = """async (files) => {
    const dropped = new DataTransfer();
    for (const [name, type, data] of files) {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        dropped.items.add(new File([bytes], name, { type, lastModified: 1 }));
    }
    const at = document.querySelector("footer");
    for (const kind of ["dragenter", "dragover", "drop"]) {
        at.dispatchEvent(new DragEvent(kind, { dataTransfer: dropped, bubbles: true, cancelable: true }));
    }
}"""
MAKE_WORK = """async (title) => {
    const answer = await fetch("/api/v1/works", {
        method: "POST",
        headers: { "X-Requested-With": "showcase", "Content-Type": "application/json" },
        body: JSON.stringify({ title: { en: title }, cities: ["linz"] }),
    });
    return (await answer.json()).slug;
}"""


class House:
    """A server that can be killed and started again on the same data and port."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.url, self.log = f"http://127.0.0.1:{self.port}", data / "server.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHOWCASE_")}
        self.env = {**inherited, "SHOWCASE_DATA": str(data), "SHOWCASE_UPLOAD_MAX": str(MAX_BYTES)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "showcase", "serve", "--port", str(self.port)]
        self.process = processes.start(command, self.log, env=self.env)
        wait(self.process, self.port, self.log)

    def kill(self) -> None:
        assert self.process is not None
        processes.stop(self.process, signal.SIGKILL)

    def link(self, email: str) -> str:
        """The path of a sign-in link of an artist of Linz."""
        command = [sys.executable, "-m", "showcase", "user", email, "--role", "artist", "--city", "linz", "--link"]
        said = subprocess.run(command, env=self.env, check=True, capture_output=True, text=True).stdout
        return urlsplit(said.split()[-1]).path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("studio"))
    made.start()
    yield made
    assert made.process is not None
    processes.stop(made.process)


@pytest.fixture
def base_url(house: House) -> str:
    return house.url


@pytest.fixture(scope="module")
def link(house: House) -> str:
    return house.link("ada@example.org")


@pytest.fixture(scope="module")
def signed_in() -> dict[str, Any]:
    """What the browser of somebody who is signed in keeps; filled by the first test."""
    return {}


@pytest.fixture(scope="module")
def binary() -> str:
    try:
        return ffmpeg.binary()
    except Unavailable as error:
        missing(MEDIA, str(error))


@pytest.fixture(scope="module")
def film(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of 640x360 with sound."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=4", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=4"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([binary, "-v", "error", *sources, *codecs, path], check=True)
    return path


@pytest.fixture(scope="module")
def recording(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty seconds of uncompressed sound, 5.8 MB: long on the way, soon ready."""
    path = tmp_path_factory.mktemp("recordings") / "Höhle 1.wav"
    noise = "anoisesrc=r=48000:d=30:a=0.2,aformat=channel_layouts=stereo"
    subprocess.run([binary, "-v", "error", "-f", "lavfi", "-i", noise, path], check=True)
    return path


Studio = Callable[[str], Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def studio(new_page: Callable[..., Awaitable[Page]], signed_in: dict[str, Any], link: str) -> Studio:
    """A function that opens the page of a new work with a title, as its artist."""

    async def open_work(title: str) -> Page:
        page = await new_page(**({"storage_state": signed_in} if signed_in else {}))
        if not signed_in:
            await page.goto(link)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page).not_to_have_url(re.compile("/sign-in/"))
            signed_in.update(await page.context.storage_state())
        else:
            await page.goto("/en/studio")
        slug = await page.evaluate(MAKE_WORK, title)
        await page.goto(f"/en/studio/works/{slug}")
        await page.evaluate("window.stayed = true")
        return page

    return open_work


async def choose(page: Page, *paths: Path) -> None:
    await page.locator("[data-upload-files]").set_input_files([str(path) for path in paths])


def row(page: Page, name: str) -> Locator:
    return page.locator("[data-upload]").filter(has_text=name)


def file(page: Page, name: str) -> Locator:
    return page.locator("[data-asset]").filter(has_text=name)


async def line_of(page: Page) -> Callable[..., Awaitable[None]]:
    """A function that sets how many bytes a second the page may send; -1 is as many as it can."""
    # Another session of DevTools would not lift what this one sets.
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Network.enable")

    async def line(bytes_a_second: int, *, offline: bool = False) -> None:
        await cdp.send(
            "Network.emulateNetworkConditions",
            {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
        )

    return line


async def under_way(page: Page, name: str) -> None:
    """Wait until a part of a file has been sent."""
    said = row(page, name).locator("[data-upload-said]")
    await expect(said).to_contain_text(re.compile(r"[1-9][\d.]* MB of"), timeout=UPLOADED_MS)


async def stayed(page: Page) -> bool:
    """Whether the page was not loaded again."""
    return bool(await page.evaluate("window.stayed === true"))


async def assets(page: Page) -> list[tuple[str, str | None]]:
    """The name and hash of each file of the work, as the API tells them."""
    slug = page.url.split("#")[0].rpartition("/")[2]
    work = await page.evaluate(f"fetch('/api/v1/works/{slug}').then((answer) => answer.json())")
    return [(asset["filename"], asset["sha256"]) for asset in work["assets"]]


def of(path: Path) -> tuple[str, str]:
    return path.name, hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_film_becomes_ready_under_somebody_who_types(studio: Studio, film: Path) -> None:
    page = await studio("Tide")
    todo = page.locator("[data-checklist] .open")
    missing_before = await todo.count()
    await choose(page, film)
    statement = page.get_by_label("Statement in English")
    await statement.fill("Slow wat")
    await expect(file(page, film.name)).to_be_visible(timeout=UPLOADED_MS)
    await expect(row(page, film.name)).to_have_count(0)
    rungs = file(page, film.name).locator("[data-rungs] li")
    await expect(rungs.first).to_be_visible(timeout=PROCESSED_MS)
    await expect(page.locator("[data-preview-place] [data-player]")).to_be_visible()
    await expect(rungs).to_have_text(["240p", "360p"], timeout=PROCESSED_MS)
    await expect(file(page, film.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    await expect(page.locator("[data-said]")).to_contain_text("film.mp4: Ready")
    await expect(todo).not_to_have_count(missing_before)
    await page.keyboard.type("er")
    await expect(statement).to_be_focused()
    await expect(statement).to_have_value("Slow water")
    assert await stayed(page)
    assert await assets(page) == [of(film)]


async def test_files_dropped_at_once_go_two_by_two(studio: Studio, film: Path) -> None:
    page = await studio("Three")
    line = await line_of(page)
    await line(SLOW)
    data = base64.b64encode(film.read_bytes()).decode()
    names = ["one.mp4", "two.mp4", "three.mp4"]
    await page.get_by_label("What is it?").select_option("documentation")
    await page.evaluate(DROP, [[name, "video/mp4", data] for name in names])
    await expect(page.locator("[data-upload][data-state=sending]")).to_have_count(2)
    await expect(row(page, "three.mp4")).to_have_attribute("data-state", "waiting")
    await expect(row(page, "three.mp4")).to_contain_text("waiting")
    await line(-1)
    await expect(page.locator("[data-asset]")).to_have_count(3, timeout=UPLOADED_MS)
    await expect(page.locator("[data-upload]")).to_have_count(0)
    assert sorted(name for name, _ in await assets(page)) == sorted(names)
    assert await stayed(page)


async def test_an_upload_shows_its_pace_and_can_be_paused(studio: Studio, recording: Path) -> None:
    page = await studio("Pause")
    line = await line_of(page)
    await line(SLOW)
    await choose(page, recording)
    one = row(page, recording.name)
    await expect(one.locator("[data-upload-said]")).to_have_text(
        re.compile(r"^[\d.]+ [kM]B of 5\.8 MB · [\d.]+ [kM]B/s, \d+ \w+ left$"), timeout=UPLOADED_MS
    )
    await one.get_by_role("button", name="Pause").focus()
    await page.keyboard.press("Enter")
    await expect(one).to_have_attribute("data-state", "paused")
    await expect(one).to_contain_text(re.compile(r"paused at [\d.]+ [kM]B of 5\.8 MB"))
    await expect(one.get_by_role("button", name="Go on")).to_be_focused()
    await line(-1)
    await page.keyboard.press("Enter")
    await expect(file(page, recording.name)).to_be_visible(timeout=UPLOADED_MS)
    await expect(file(page, recording.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    assert await assets(page) == [of(recording)]


async def test_a_cancelled_upload_leaves_nothing(studio: Studio, house: House, recording: Path) -> None:
    page = await studio("Cancel")
    line = await line_of(page)
    await line(SLOW)
    await choose(page, recording)
    await under_way(page, recording.name)
    async with page.expect_response(lambda answer: answer.request.method == "DELETE") as gone:
        await row(page, recording.name).get_by_role("button", name="Cancel").click()
    assert (await gone.value).status == 204
    await expect(row(page, recording.name)).to_have_count(0)
    await expect(page.locator("[data-upload-files]")).to_be_focused()
    await page.reload()
    await expect(page.locator("[data-uploads] li")).to_have_count(0)
    assert list((house.data / "uploads").glob("*.part")) == []


async def test_the_same_file_goes_on_after_a_reload(studio: Studio, recording: Path) -> None:
    page = await studio("Reload")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), asyncio.ensure_future(dialog.accept()))[0])
    line = await line_of(page)
    await line(SLOW)
    await choose(page, recording)
    await under_way(page, recording.name)
    await page.reload()
    assert asked == ["beforeunload"]
    unfinished = page.locator("[data-unfinished]")
    await expect(unfinished).to_contain_text(recording.name)

    sent: list[tuple[str, str | None]] = []

    def note(request: Request) -> None:
        if "/uploads" in request.url:
            sent.append((request.method, request.headers.get("upload-offset")))

    page.on("request", note)
    await line(-1)
    await choose(page, recording)
    await expect(file(page, recording.name)).to_be_visible(timeout=UPLOADED_MS)
    await expect(unfinished).to_have_count(0)
    await expect(file(page, recording.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    assert "POST" not in [method for method, _ in sent]
    assert int(next(offset for method, offset in sent if method == "PATCH") or 0) > 0
    assert await assets(page) == [of(recording)]


async def test_another_browser_goes_on_with_what_the_server_lists(
    studio: Studio, new_page: Callable[..., Awaitable[Page]], signed_in: dict[str, Any], recording: Path
) -> None:
    first = await studio("Elsewhere")
    line = await line_of(first)
    await line(SLOW)
    await choose(first, recording)
    await under_way(first, recording.name)
    address = first.url
    await first.context.close()
    # The cookies of the first, and nothing that its pages kept.
    second = await new_page(storage_state={**signed_in, "origins": []})
    await second.goto(address)
    await expect(second.locator("[data-unfinished]")).to_contain_text(recording.name)
    methods: list[str] = []
    second.on("request", lambda request: methods.append(request.method) if "/uploads" in request.url else None)
    await choose(second, recording)
    await expect(file(second, recording.name)).to_be_visible(timeout=UPLOADED_MS)
    assert "POST" not in methods
    await expect(file(second, recording.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    assert await assets(second) == [of(recording)]


async def test_an_upload_outlives_the_server(studio: Studio, house: House, recording: Path, problems: Problems) -> None:
    problems.expect("Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE")
    page = await studio("Killed")
    line = await line_of(page)
    await line(SLOW)
    await choose(page, recording)
    await under_way(page, recording.name)
    house.kill()
    one = row(page, recording.name)
    await expect(one).to_have_attribute("data-state", "retrying", timeout=UPLOADED_MS)
    await expect(one).to_contain_text("The line is gone. It goes on by itself as soon as it is back.")
    await line(-1)
    await asyncio.to_thread(house.start)
    await expect(file(page, recording.name)).to_be_visible(timeout=UPLOADED_MS)
    await expect(file(page, recording.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    assert await assets(page) == [of(recording)]
    assert await stayed(page)


async def test_an_upload_begins_when_the_line_is_back(studio: Studio, recording: Path, problems: Problems) -> None:
    problems.expect("ERR_INTERNET_DISCONNECTED")
    page = await studio("Offline")
    line = await line_of(page)
    await line(-1, offline=True)
    await choose(page, recording)
    one = row(page, recording.name)
    await expect(one).to_have_attribute("data-state", "retrying")
    await expect(one).to_contain_text("The line is gone. It goes on by itself as soon as it is back.")
    await line(-1)
    await expect(file(page, recording.name)).to_be_visible(timeout=UPLOADED_MS)
    assert [name for name, _ in await assets(page)] == [recording.name]


async def test_a_playlist_that_poses_as_a_film_is_refused_in_words(
    studio: Studio, tmp_path: Path, problems: Problems
) -> None:
    problems.expect("status of 415")
    page = await studio("Playlist")
    fake = tmp_path / "film.mp4"
    fake.write_text("#EXTM3U\n#EXTINF:4,\nhttp://127.0.0.1/secret.ts\n")
    await choose(page, fake)
    one = row(page, "film.mp4")
    why = "film.mp4 could not be uploaded: This file only points to other files and holds no film itself."
    await expect(one.locator("[data-upload-error]")).to_contain_text(why)
    await expect(page.locator("[data-said]")).to_contain_text(why)
    await one.get_by_role("button", name="Take off the list").click()
    await expect(page.locator("[data-uploads] li")).to_have_count(0)
    assert await assets(page) == []


async def test_what_can_never_be_taken_is_refused_before_it_is_sent(studio: Studio, tmp_path: Path) -> None:
    page = await studio("Early")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/uploads" in request.url else None)
    empty, large = tmp_path / "empty.mp4", tmp_path / "large.mov"
    empty.touch()
    with large.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    await choose(page, empty, large)
    await expect(row(page, "empty.mp4")).to_contain_text("empty.mp4 is empty.")
    await expect(row(page, "large.mov")).to_contain_text("large.mov is larger than what is taken here (40 MB).")
    assert asked == []


async def test_a_french_page_refuses_in_french(studio: Studio, tmp_path: Path) -> None:
    page = await studio("Vide")
    await page.goto(page.url.replace("/en/", "/fr/"))
    empty = tmp_path / "vide.mp4"
    empty.touch()
    await choose(page, empty)
    await expect(row(page, empty.name).locator("[data-upload-error]")).to_have_text("« vide.mp4 » est vide.")


async def test_captions_are_asked_for_their_language(studio: Studio, tmp_path: Path) -> None:
    page = await studio("Captions")
    cues = "WEBVTT\n\n00:00.000 --> 00:02.000\nOn entend la mer.\n"
    plain, named = tmp_path / "captions.vtt", tmp_path / "tide.ko.vtt"
    plain.write_text(cues)
    named.write_text(cues)
    await choose(page, plain)
    language = page.locator("[data-upload-lang]")
    await expect(language).to_be_focused()
    await expect(language).to_have_accessible_description("Say first in which language the captions are.")
    await page.keyboard.type("not a tag")
    await page.keyboard.press("Enter")
    await expect(language).to_have_accessible_description(re.compile("no language tag"))
    await language.fill("fr")
    await page.keyboard.press("Enter")
    await expect(file(page, "captions.vtt")).to_contain_text("French", timeout=UPLOADED_MS)
    await choose(page, named)
    await expect(file(page, "tide.ko.vtt")).to_contain_text("Korean", timeout=UPLOADED_MS)
    await expect(page.locator("[data-asset] [data-file-said]")).to_have_text(["Ready", "Ready"], timeout=PROCESSED_MS)
    assert await stayed(page)


async def test_a_file_is_removed_without_leaving_the_page(studio: Studio, tmp_path: Path) -> None:
    page = await studio("Remove")
    captions = tmp_path / "gone.fr.vtt"
    captions.write_text("WEBVTT\n\n00:00.000 --> 00:02.000\nLa mer.\n")
    await choose(page, captions)
    await expect(file(page, captions.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    await page.get_by_label("Title in French").fill("Marée")
    await file(page, captions.name).get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(file(page, captions.name)).to_have_count(0)
    await expect(page.get_by_label("Title in French")).to_have_value("Marée")
    assert await stayed(page)
    assert await assets(page) == []


async def test_the_poster_is_what_is_on_screen(studio: Studio, film: Path) -> None:
    page = await studio("Poster")
    await choose(page, film)
    await expect(file(page, film.name).locator("[data-file-said]")).to_have_text("Ready", timeout=PROCESSED_MS)
    place = page.locator("[data-preview-place]")
    await place.locator("[data-play]").click()
    await expect(place.locator("video")).not_to_have_js_property("currentTime", 0)
    await place.locator("video").evaluate("(video) => video.pause()")
    at = await place.locator("video").evaluate("(video) => video.currentTime")
    field = page.get_by_label("Poster: second of the film")
    await expect(field).to_have_value(f"{int(at * 100) / 100:g}")
    async with page.expect_request(lambda request: request.url.endswith("/poster")) as taking:
        await page.get_by_role("button", name="Take this picture as the poster").click()
    asked = await taking.value
    assert f"&at={int(at * 100) / 100:g}" in (asked.post_data or "")
    answer = await asked.response()
    assert answer is not None
    assert answer.status == 303
    assert await stayed(page)


async def test_what_was_typed_is_kept_until_it_is_saved(studio: Studio) -> None:
    page = await studio("Kept")
    said = page.locator("[data-dirty]")
    await expect(said).to_be_hidden()
    await page.get_by_label("Statement in English").fill("A sentence that took long.")
    await page.get_by_label("Name 1", exact=True).fill("Ada")
    await expect(said).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Statement in English")).to_have_value("A sentence that took long.")
    await expect(page.get_by_label("Name 1", exact=True)).to_have_value("Ada")
    await expect(said).to_be_visible()
    await page.locator("[data-keep] .form-end button").click()
    await expect(page).to_have_url(re.compile("#saved$"))
    await expect(said).to_be_hidden()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_what_was_typed_survives_a_refusal(studio: Studio, problems: Problems) -> None:
    problems.expect("status of 422")
    page = await studio("Refused")
    await page.get_by_label("Statement in English").fill("Mine.")
    await page.get_by_label("Year").fill("12")
    await page.locator("[data-keep] .form-end button").click()
    await expect(page.get_by_label("Statement in English")).to_have_value("Mine.")
    await expect(page.locator("[data-dirty]")).to_be_visible()
    await page.goto(page.url)
    await expect(page.get_by_label("Statement in English")).to_have_value("Mine.")
    await expect(page.get_by_label("Year")).to_have_value("12")
