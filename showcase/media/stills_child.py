"""The half of `stills` that decodes, run as a process of its own: `python -I stills_child.py STEM WIDTHS FORMATS`.

Standard input is a picture; the files go to the working directory, one JSON object to standard output. Like
`probe_child` it imports nothing of Showcase.
"""

from __future__ import annotations

import base64
import json
import sys
import warnings
from typing import Any

MAX_PIXELS = 200_000_000
FORMATS = {
    "avif": ("AVIF", {"quality": 60, "speed": 7, "max_threads": 2}),
    "webp": ("WEBP", {"quality": 80, "method": 4}),
    "jpg": ("JPEG", {"quality": 82, "optimize": True, "progressive": True}),
}


def main() -> None:
    """Write every width in every format and answer {"files": …, "thumbhash": …} or {"refused": code}."""
    from PIL import Image, ImageCms, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    stem, widths, formats = sys.argv[1], [int(w) for w in sys.argv[2].split(",")], sys.argv[3].split(",")
    try:
        with Image.open(sys.stdin.buffer, formats=("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF")) as source:
            if source.width * source.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            profile = source.info.get("icc_profile")
            if source.format == "JPEG":
                source.draft("RGB", (2 * max(widths), 2 * max(widths)))  # decode no more than is shown
            picture: Any = ImageOps.exif_transpose(source)
            if picture.mode.startswith(("I", "F")):  # 16 bit greys: scale rather than clip
                _, high = picture.getextrema()
                span = 65_535 if picture.mode.startswith("I") and int(high) > 255 else 255 if int(high) > 1 else 1
                picture = picture.convert("F").point(lambda v: v * (255.0 / span)).convert("L")
            alpha = picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
            wanted = "RGBA" if alpha else "RGB"
            if profile and picture.mode in ("RGB", "RGBA", "CMYK", "L"):
                picture = to_srgb(picture, profile, ImageCms)
            picture = picture.convert(wanted)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        print(json.dumps({"refused": "picture-too-large", "params": {"width": 0, "height": 0}}))  # noqa: T201
        return
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, MemoryError):
        print(json.dumps({"refused": "unreadable", "params": {}}))  # noqa: T201
        return
    files = []
    for width in widths:
        size = (min(width, picture.width), max(1, round(picture.height * min(width, picture.width) / picture.width)))
        small = picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture
        for ending in formats:
            name, options = FORMATS[ending]
            out = over_black(small, Image) if ending == "jpg" and small.mode == "RGBA" else small
            path = f"{stem}-{width}.{ending}"
            out.save(path, name, exif=b"", icc_profile=None, **options)
            files.append([path, *size])
    print(json.dumps({"files": files, "thumbhash": thumb(picture, Image)}))  # noqa: T201


def to_srgb(picture: Any, profile: bytes, cms: Any) -> Any:
    """Bring a picture to sRGB; one with a broken profile is taken as it is."""
    import io

    try:
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        return cms.profileToProfile(
            picture, cms.ImageCmsProfile(io.BytesIO(profile)), cms.createProfile("sRGB"), outputMode=mode
        )
    except (cms.PyCMSError, OSError, ValueError, TypeError):
        return picture


def over_black(picture: Any, image: Any) -> Any:
    """Flatten: JPEG knows no transparency."""
    flat = image.new("RGB", picture.size)
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


def thumb(picture: Any, image: Any) -> str:
    """ThumbHash of a picture, base64: some 25 bytes which give a blurred likeness while the real one loads."""
    from thumbhash import rgba_to_thumb_hash

    # Over black: the library fails on a picture that is transparent anywhere (it forgets brackets round a tuple).
    small = (over_black(picture, image) if picture.mode == "RGBA" else picture).convert("RGBA")
    small.thumbnail((64, 64))
    return base64.b64encode(bytes(rgba_to_thumb_hash(small.width, small.height, list(small.tobytes())))).decode()


if __name__ == "__main__":
    main()
