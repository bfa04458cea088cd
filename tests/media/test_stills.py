"""Pictures for pages: upright, small, without a trace of where they were taken."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from showcase.errors import MediaError
from showcase.media.child import Limits
from showcase.media.stills import derive, heic_to_png
from tests.media.test_probe import png


def at(path: Path, across: float, down: float) -> tuple[int, ...]:
    """A pixel as RGB, each value to the nearest of 0, 64, 128, 192, 256."""
    with Image.open(path) as picture:
        rgb = picture.convert("RGB")
        pixel = rgb.getpixel((int(across * (rgb.width - 1)), int(down * (rgb.height - 1))))
    assert isinstance(pixel, tuple)
    return tuple(64 * round(v / 64) for v in pixel)


async def test_every_width_in_every_format(still: Path, tmp_path: Path) -> None:
    images, thumbhash = await derive(still, tmp_path, "poster", (320, 640), ("avif", "webp", "jpg"))
    assert [(i.path, i.media_type, i.width, i.height, i.size_bytes) for i in images] == [
        (tmp_path / f"poster-{w}.{e}", t, w, h, (tmp_path / f"poster-{w}.{e}").stat().st_size)
        for w, h in ((320, 192), (640, 384))
        for e, t in (("avif", "image/avif"), ("webp", "image/webp"), ("jpg", "image/jpeg"))
    ]
    for image in images:
        with Image.open(image.path) as made:
            assert made.size == (image.width, image.height)
        assert (at(image.path, 0.2, 0.5), at(image.path, 0.8, 0.5)) == ((256, 0, 0), (0, 0, 256))
    assert 5 <= len(base64.b64decode(thumbhash)) <= 25


async def test_nothing_is_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (100, 50)).save(tmp_path / "a.png")
    images, _ = await derive(tmp_path / "a.png", tmp_path, "x", (640,), ("webp",))
    assert [(i.width, i.height) for i in images] == [(100, 50)]


async def test_a_photograph_is_turned_and_forgets_where_it_was_taken(tmp_path: Path) -> None:
    photo = Image.new("RGB", (200, 100), "red")
    photo.paste("blue", (100, 0, 200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    exif[0x010F] = "A Camera"
    exif.get_ifd(0x8825)[1] = "N"
    photo.save(tmp_path / "a.jpg", exif=exif)
    images, _ = await derive(tmp_path / "a.jpg", tmp_path, "x", (100,), ("jpg", "webp", "avif"))
    for image in images:
        assert (image.width, image.height) == (100, 200)
        assert (at(image.path, 0.5, 0.2), at(image.path, 0.5, 0.8)) == ((256, 0, 0), (0, 0, 256))
        with Image.open(image.path) as made:
            assert dict(made.getexif()) == {}
        assert b"A Camera" not in image.path.read_bytes()


async def test_transparency_is_kept_where_it_can_be_and_black_elsewhere(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (255, 255, 255, 0)).save(tmp_path / "a.png")
    images, _ = await derive(tmp_path / "a.png", tmp_path, "x", (64,), ("webp", "jpg"))
    with Image.open(images[0].path) as webp:
        assert webp.mode == "RGBA"
        assert webp.getchannel("A").getextrema() == (0, 0)
    assert at(images[1].path, 0.5, 0.5) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "YCbCr", "LAB"])
async def test_every_kind_of_pixel_is_shown(tmp_path: Path, mode: str) -> None:
    ending = "png" if mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "tif"
    white: object = {"I;16": 65_535, "F": 1.0}.get(mode)
    base = (
        Image.new(mode, (64, 64), white)
        if white is not None
        else Image.new("RGB", (64, 64), "white").convert(mode)
        if mode != "LAB"
        else Image.new("LAB", (64, 64), (255, 128, 128))
    )  # type: ignore[arg-type]
    base.save(tmp_path / f"a.{ending}")
    images, _ = await derive(tmp_path / f"a.{ending}", tmp_path, "x", (64,), ("jpg",))
    assert at(images[0].path, 0.5, 0.5) == (256, 256, 256)


async def test_colours_of_another_profile_are_brought_to_srgb(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Image.new("RGB", (64, 64), (10, 200, 30)).save(tmp_path / "broken.png", icc_profile=b"no profile at all")
    Image.new("RGB", (64, 64), (10, 200, 30)).save(tmp_path / "xyz.png", icc_profile=profile)
    for name in ("broken", "xyz"):
        images, _ = await derive(tmp_path / f"{name}.png", tmp_path, name, (64,), ("jpg",))
        with Image.open(images[0].path) as made:
            assert "icc_profile" not in made.info
    assert at(tmp_path / "broken-64.jpg", 0.5, 0.5) == (0, 192, 0)


async def test_a_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png(30_000, 30_000))
    with pytest.raises(MediaError, match="picture-too-large"):
        await derive(tmp_path / "bomb.png", tmp_path, "x", (640,), ("jpg",))


async def test_a_bomb_below_the_limit_is_ended_when_it_takes_too_much(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png(14_000, 14_000))
    with pytest.raises(MediaError) as error:
        await derive(tmp_path / "bomb.png", tmp_path, "x", (640,), ("jpg",), limits=Limits(data_bytes=300 << 20))
    assert error.value.code in ("unreadable", "too-demanding")


@pytest.mark.parametrize("cut", [20, 60, -40])
async def test_a_picture_that_broke_off_is_unreadable(still: Path, tmp_path: Path, cut: int) -> None:
    (tmp_path / "cut.png").write_bytes(still.read_bytes()[:cut])
    with pytest.raises(MediaError, match="unreadable"):
        await derive(tmp_path / "cut.png", tmp_path, "x", (640,), ("jpg",))


async def test_a_film_is_no_heic(landscape: Path, tmp_path: Path, binary: str) -> None:
    (tmp_path / "a.heic").write_bytes(landscape.read_bytes()[:2_000])
    with pytest.raises(MediaError, match="heic"):
        await heic_to_png(binary, tmp_path / "a.heic", tmp_path)
