"""Uploads with tuspy, the Python client of tus, against a running server."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader import Uploader

from tests.server import Server, running_server

CHUNK = 64 * 1024
# The kind is told by the first bytes: this is a sound of nothing.
SOUND = (
    b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x80\xbb\x00\x00\x00\xee\x02\x00\x04\x00\x10\x00data"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without workers: what comes in stays as it came."""
    with running_server(tmp_path_factory.mktemp("tuspy"), {"SHOWCASE_WORKERS": "0"}) as running:
        yield running


def showcase(server: Server, *words: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SHOWCASE_")}
    command = [sys.executable, "-m", "showcase", *words]
    env = {**inherited, "SHOWCASE_DATA": str(server.data)}
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    showcase(server, "user", "ada@example.org", "--role", "artist", "--city", "linz")
    return showcase(server, "token", "ada@example.org")


def ask(server: Server, token: str, path: str, body: Any = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(server.url + path, data, headers), timeout=30) as answer:
        return json.load(answer)


@pytest.fixture
def slug(server: Server, token: str) -> str:
    return str(ask(server, token, "/api/v1/works", {"title": {"en": "Tide"}, "cities": ["linz"]})["slug"])


def sound(size: int) -> bytes:
    return SOUND + bytes(n * 31 % 251 for n in range(size - len(SOUND)))


def uploader(server: Server, token: str, slug: str, data: bytes, **more: Any) -> Uploader:
    client = TusClient(f"{server.url}/uploads", headers={"Authorization": f"Bearer {token}"})
    metadata = {"filename": "Flut und Ebbe.wav", "filetype": "audio/wav", "work": slug}
    return client.uploader(file_stream=io.BytesIO(data), chunk_size=CHUNK, metadata=metadata, **more)


def kept(server: Server, token: str, slug: str) -> list[tuple[str, str, int, str]]:
    """The name, state, size and hash of each file; the hash is of what lies in the storage."""
    found = ask(server, token, f"/api/v1/works/{slug}")["assets"]
    original = Path(server.data / "files" / "originals")
    return [
        (a["filename"], a["state"], a["size"], hashlib.sha256((original / a["id"]).read_bytes()).hexdigest())
        for a in found
    ]


def as_sent(data: bytes) -> list[tuple[str, str, int, str]]:
    return [("Flut und Ebbe.wav", "queued", len(data), hashlib.sha256(data).hexdigest())]


@pytest.mark.parametrize("checksum", [False, True], ids=["plain", "checksum"])
def test_an_upload_in_pieces_arrives_as_it_was(server: Server, token: str, slug: str, checksum: bool) -> None:
    data = sound(5 * CHUNK + 17)
    uploader(server, token, slug, data, upload_checksum=checksum).upload()
    assert kept(server, token, slug) == as_sent(data)


def test_another_client_goes_on_where_the_first_stopped(server: Server, token: str, slug: str) -> None:
    data = sound(4 * CHUNK)
    first = uploader(server, token, slug, data)
    first.upload_chunk()
    first.upload_chunk()
    second = uploader(server, token, slug, data, url=first.url)
    assert second.get_offset() == 2 * CHUNK
    second.upload()
    assert kept(server, token, slug) == as_sent(data)


def patch(one: Uploader, offset: int, length: int, more: dict[str, str]) -> bytes:
    """The head of a PATCH, for those who write to the connection themselves."""
    headers = {
        **one.get_headers(),
        **more,
        "Host": urlsplit(one.url).netloc,
        "Upload-Offset": str(offset),
        "Content-Length": str(length),
        "Content-Type": "application/offset+octet-stream",
    }
    lines = [f"PATCH {urlsplit(one.url).path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def connected(server: Server) -> socket.socket:
    return socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), timeout=30)


def test_bytes_that_changed_on_the_way_are_sent_again(server: Server, token: str, slug: str) -> None:
    data = sound(2 * CHUNK)
    one = uploader(server, token, slug, data, upload_checksum=True)
    one.upload_chunk()
    meant = base64.b64encode(hashlib.sha256(data[CHUNK:]).digest()).decode()
    with connected(server) as line:
        line.sendall(patch(one, CHUNK, CHUNK, {"Upload-Checksum": f"sha256 {meant}"}))
        line.sendall(data[CHUNK:-1] + bytes([data[-1] ^ 1]))
        # tus 1.0.0, Checksum: "If the checksum does not match ... respond with 460, and the chunk MUST be discarded".
        assert line.recv(12) == b"HTTP/1.1 460"
    assert one.get_offset() == CHUNK
    one.upload()
    assert kept(server, token, slug) == as_sent(data)


def test_a_client_that_comes_back_need_not_wait_for_its_dead_connection(server: Server, token: str, slug: str) -> None:
    data = sound(3 * CHUNK)
    one = uploader(server, token, slug, data, retries=100, retry_delay=1)
    one.upload_chunk()
    with connected(server) as dead:
        dead.sendall(patch(one, CHUNK, 2 * CHUNK, {}) + data[CHUNK : CHUNK + 1000])
        # Its network is gone: nothing more comes, and the connection never ends.
        while one.get_offset() < CHUNK + 1000:
            pass
        one.offset = one.get_offset()
        one.upload()
    assert kept(server, token, slug) == as_sent(data)


def test_an_upload_whose_server_died_after_the_last_byte_becomes_an_asset(
    server: Server, token: str, slug: str
) -> None:
    data = sound(2 * CHUNK)
    one = uploader(server, token, slug, data)
    one.upload_chunk()
    part = server.data / "uploads" / f"{one.url.rpartition('/')[2]}.part"
    with part.open("ab") as spool:
        spool.write(data[CHUNK:])
    assert one.get_offset() == len(data)
    assert kept(server, token, slug) == as_sent(data)


def test_a_playlist_is_refused_with_its_first_bytes(server: Server, token: str, slug: str) -> None:
    with pytest.raises(TusCommunicationError) as refused:
        uploader(server, token, slug, b"#EXTM3U\n" + b"#" * CHUNK).upload()
    assert refused.value.status_code == 415
    assert kept(server, token, slug) == []
