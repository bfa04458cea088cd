"""Every file of the folder that SHOWCASE_TEST_MEDIA names becomes playable, or is refused in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from showcase.core.failures import FAILURES, sentence
from showcase.errors import MediaError
from tests.media.films import AAC_FRAME_US, Made, pictures, processed, samples

FOLDER = os.environ.get("SHOWCASE_TEST_MEDIA")
FILES = sorted(p for p in Path(FOLDER).iterdir() if p.is_file()) if FOLDER else []


@pytest.mark.skipif(FOLDER is None, reason="SHOWCASE_TEST_MEDIA names no folder with films")
@pytest.mark.parametrize("source", FILES, ids=lambda p: p.name)
async def test_a_real_file_is_playable_or_refused_in_words(source: Path, binary: str, tmp_path: Path) -> None:
    try:
        made = await processed(source, tmp_path, binary=binary)
    except MediaError as error:
        print(f"{source.name}: {error.code}: {sentence(error.code, error.params)}")
        assert sentence(error.code, error.params) == FAILURES[error.code].format(**error.params)  # noqa: PT017
        return
    print(f"{source.name}: ready: {_described(made)}")
    if made.outcome.probe.still:
        assert made.outcome.images
        return
    _assert_playable(made)


def _assert_playable(made: Made) -> None:
    outcome = made.outcome
    films = [r for r in outcome.renditions if r.kind == "video"]
    (sound,) = (r for r in outcome.renditions if r.kind == "audio")
    assert [r.name for r in films] == sorted((r.name for r in films), key=lambda n: int(n[1:]))
    assert bool(films) is (outcome.probe.video is not None)
    assert all(abs(us - outcome.duration_us) <= AAC_FRAME_US for us in made.lengths_us().values())
    heard_us = len(samples(made.stream(sound.name))[0]) * 1_000_000 // 48_000
    assert abs(heard_us - outcome.duration_us) <= 2 * AAC_FRAME_US
    if films:
        shown = pictures(made.stream(films[0].name))
        assert abs(round(len(shown) * 1_000_000 / films[0].fps) - outcome.duration_us) <= 1_000
        assert (shown[0].width, shown[0].height) == (films[0].width, films[0].height)
        assert outcome.poster.images
        assert outcome.storyboard is not None


def _described(made: Made) -> str:
    if made.outcome.probe.still:
        return f"{len(made.outcome.images)} pictures"
    return f"{made.outcome.duration_us / 1_000_000:.2f} s, {' '.join(made.order)}"
