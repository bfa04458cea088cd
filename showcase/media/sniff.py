"""What a file is, by its first bytes. Neither its name nor what the browser says counts.

Pure on bytes. Used when the first bytes of an upload are in, and again before FFmpeg sees the file: FFmpeg is then
allowed the one demuxer that belongs to the kind (`Sniffed.demuxer`), so that a playlist or script which poses as a
film is never followed.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from showcase.errors import MediaError

HEAD_BYTES = 4_096
"""So many first bytes are enough; fewer are fine while more are on the way."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A recognised kind of file.

    `kind` is "video" (may hold sound only), "audio", "image", "model", "document" or "other". `demuxer` is FFmpeg's
    name for `-format_whitelist`, None where FFmpeg never sees the file. `refusal` is the failure code with which a
    work made of this is turned away, None where it can be shown.
    """

    container: str
    kind: str
    media_type: str
    extension: str
    demuxer: str | None = None
    refusal: str | None = None


_MOV = "mov,mp4,m4a,3gp,3g2,mj2"
KINDS = (
    Sniffed("mp4", "video", "video/mp4", "mp4", _MOV),
    Sniffed("mov", "video", "video/quicktime", "mov", _MOV),
    Sniffed("m4a", "audio", "audio/mp4", "m4a", _MOV),
    Sniffed("matroska", "video", "video/matroska", "mkv", "matroska,webm"),
    Sniffed("webm", "video", "video/webm", "webm", "matroska,webm"),
    Sniffed("avi", "video", "video/x-msvideo", "avi", "avi"),
    Sniffed("mpegts", "video", "video/mp2t", "ts", "mpegts"),
    Sniffed("mpeg", "video", "video/mpeg", "mpg", "mpeg"),
    Sniffed("mxf", "video", "application/mxf", "mxf", "mxf"),
    Sniffed("asf", "video", "video/x-ms-asf", "wmv", "asf"),
    Sniffed("flv", "video", "video/x-flv", "flv", "flv"),
    Sniffed("ogg", "video", "application/ogg", "ogg", "ogg"),
    Sniffed("wav", "audio", "audio/wav", "wav", "wav"),
    Sniffed("w64", "audio", "audio/x-w64", "w64", "w64"),
    Sniffed("caf", "audio", "audio/x-caf", "caf", "caf"),
    Sniffed("flac", "audio", "audio/flac", "flac", "flac"),
    Sniffed("mp3", "audio", "audio/mpeg", "mp3", "mp3"),
    Sniffed("aac", "audio", "audio/aac", "aac", "aac"),
    Sniffed("aiff", "audio", "audio/aiff", "aiff", "aiff"),
    Sniffed("jpeg", "image", "image/jpeg", "jpg"),
    Sniffed("png", "image", "image/png", "png"),
    Sniffed("webp", "image", "image/webp", "webp"),
    Sniffed("avif", "image", "image/avif", "avif"),
    Sniffed("heic", "image", "image/heic", "heic", _MOV),
    Sniffed("gif", "image", "image/gif", "gif", "gif"),
    Sniffed("tiff", "image", "image/tiff", "tif"),
    Sniffed("bmp", "image", "image/bmp", "bmp", refusal="image-kind"),
    Sniffed("psd", "image", "image/vnd.adobe.photoshop", "psd", refusal="image-kind"),
    Sniffed("jxl", "image", "image/jxl", "jxl", refusal="image-kind"),
    Sniffed("glb", "model", "model/gltf-binary", "glb", refusal="model"),
    Sniffed("gltf", "model", "model/gltf+json", "gltf", refusal="model"),
    Sniffed("pdf", "document", "application/pdf", "pdf", refusal="document"),
    Sniffed("zip", "other", "application/zip", "zip", refusal="archive"),
    Sniffed("archive", "other", "application/octet-stream", "bin", refusal="archive"),
    Sniffed("playlist", "other", "text/plain", "txt", refusal="playlist"),
    Sniffed("ffconcat", "other", "text/plain", "txt", refusal="playlist"),
    Sniffed("sdp", "other", "application/sdp", "sdp", refusal="playlist"),
    Sniffed("svg", "other", "image/svg+xml", "svg", refusal="svg"),
    Sniffed("html", "other", "text/html", "html", refusal="web-page"),
    Sniffed("xml", "other", "application/xml", "xml", refusal="web-page"),
    Sniffed("program", "other", "application/octet-stream", "bin", refusal="program"),
    Sniffed("captions", "other", "text/vtt", "vtt", refusal="captions-as-film"),
)
_BY_NAME = {k.container: k for k in KINDS}

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"OggS", "ogg"),
    (b"caff", "caf"),
    (b"FLV\x01", "flv"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"8BPS", "psd"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL ", "jxl"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02", "mxf"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "asf"),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", "w64"),
    (b"glTF", "glb"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"#!", "program"),
)
_STILL_BRANDS = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"heim": "heic",
    b"heis": "heic",
}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SRT = re.compile(rb"\d{1,9}\s*\n\s*\d\d?:\d\d:\d\d[,.]\d+\s*-->")
_FIRST_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def sniff(head: bytes) -> Sniffed:
    """Recognise a file by its first bytes (`HEAD_BYTES` of them, or all it has).

    Raises MediaError "empty" for no bytes and "unknown-kind" for what is none of the known kinds.
    """
    if not head:
        raise MediaError("empty")
    name = _riff(head) or _iso(head) or _by_start(head) or _mpeg(head) or _text(head)
    if name is None:
        raise MediaError("unknown-kind")
    return _BY_NAME[name]


def media(head: bytes) -> Sniffed:
    """As `sniff`, and raise MediaError with the precise code for all that cannot be shown as film, sound or picture."""
    found = sniff(head)
    if found.refusal is not None:
        raise MediaError(found.refusal, kind=found.container)
    return found


def _by_start(head: bytes) -> str | None:
    return next((name for start, name in _STARTS if head.startswith(start)), None)


def _riff(head: bytes) -> str | None:
    form, what = head[:4], head[8:12]
    if form in (b"RIFF", b"RF64", b"BW64"):
        return {b"AVI ": "avi", b"WAVE": "wav", b"WEBP": "webp"}.get(what)
    if form == b"FORM":
        return {b"AIFF": "aiff", b"AIFC": "aiff"}.get(what)
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "bmp"
    return None


def _iso(head: bytes) -> str | None:
    """ISO base media (ISO/IEC 14496-12 4.3): the brands say whether it is a film, a sound or a still."""
    if head[4:8] in _FIRST_BOXES:
        return "mov"  # QuickTime from before there were brands
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        major = head[8:12]
        brands = {head[i : i + 4] for i in range(16, min(size, len(head), 512) - 3, 4)} | {major}
        if major in _STILL_BRANDS:
            return _STILL_BRANDS[major]
        if major in (b"mif1", b"msf1", b"miaf"):
            return "avif" if b"avif" in brands else "heic"
        if major in (b"M4A ", b"M4B "):
            return "m4a"
        return "mov" if major == b"qt  " else "mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):  # EBML; the DocType stands within the first bytes
        return "webm" if b"webm" in head[:64] else "matroska"
    return None


def _mpeg(head: bytes) -> str | None:
    """Transport streams by their sync bytes, MP3 and ADTS by a frame header that makes sense."""
    if head.startswith(_UTF16) and b"\0" in head[2:4]:
        return None  # text, though its mark looks like the first bytes of an MP3
    for first, step in ((0, 188), (4, 192)):
        syncs = head[first : first + 8 * step : step]
        if len(head) > first + step and syncs == b"\x47" * len(syncs):
            return "mpegts"
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        if head[1] & 0xF6 == 0xF0:  # ADTS: 12 bits of sync, layer 0
            return "aac" if head[2] >> 2 & 0xF < 13 else None
        version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
        rate, frequency = head[2] >> 4, head[2] >> 2 & 3
        return "mp3" if version != 1 and layer != 0 and rate not in (0, 15) and frequency != 3 else None
    return None


def _text(head: bytes) -> str | None:
    """Scripts and pages which some readers would follow."""
    if head.startswith(_UTF16):
        head = head[: len(head) & ~1].decode("utf-16", "replace").encode("utf-8", "replace")
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith((b"#extm3u", b"[playlist]")) or b"<mpd" in start[:1024]:
        return "playlist"
    if start.startswith((b"ffconcat", b"file '", b'file "')):
        return "ffconcat"
    if start.startswith(b"v=0") and b"\no=" in start:
        return "sdp"
    if start.startswith(b"webvtt") or _SRT.match(start):
        return "captions"
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in start):
        return "svg"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<script", b"<body")):
        return "html"
    if start.startswith(b"<"):
        return "xml"
    if start.startswith(b"{") and b'"asset"' in start:
        return "gltf"
    return None
