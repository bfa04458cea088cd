"""A wheel carries everything: the server runs from it in an empty folder, with pages, styles and French."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.server import running_server

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-q",
        "-w",
        folder,
        ROOT,
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    target = folder / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_it_serves_from_a_wheel_in_an_empty_folder(unpacked: Path, tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import showcase; print(showcase.__file__)"]
    found = subprocess.run(
        where, cwd=tmp_path, env={"PYTHONPATH": str(unpacked)}, check=True, capture_output=True, text=True
    )
    assert Path(found.stdout.strip()).is_relative_to(unpacked)
    data = tmp_path / "data"
    data.mkdir()
    with running_server(data, {"PYTHONPATH": str(unpacked), "SHOWCASE_WORKERS": "0"}, cwd=tmp_path) as server:
        with urllib.request.urlopen(f"{server.url}/fr/cities") as answer:
            page = answer.read().decode()
        assert "Villes" in page
        for name in ("css/base.css", "vendor/hls/hls.mjs", "vendor/fonts/fonts.css"):
            start = page.index("/static/")
            address = page[start : start + len("/static/") + 17] + name
            with urllib.request.urlopen(server.url + address) as answer:
                assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


def test_it_carries_the_licences_of_what_it_carries(unpacked: Path) -> None:
    vendor = unpacked / "showcase" / "static" / "vendor"
    assert {p.name for p in vendor.rglob("*.LICENSE.txt")} >= {
        "hls.js.LICENSE.txt",
        "media-chrome.LICENSE.txt",
        "tus-js-client.LICENSE.txt",
    }
