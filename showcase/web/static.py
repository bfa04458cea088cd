"""Static files: one hash for the whole tree in their address, bytes from memory, cached by browsers for good.

The hash is of the tree and not of each file, since a hash per file breaks the relative imports of ES modules.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aiohttp import web

from showcase.settings import shipped

IN_MEMORY_BYTES = 1_000_000
WORTH_COMPRESSING_BYTES = 600
IMMUTABLE = "public, max-age=31536000, immutable"
STALE = "public, max-age=60"
DEVELOPMENT = "no-cache"
# Encodings in the order of preference, with the suffix of the sibling file that holds them.
ENCODINGS = {"br": ".br", "gzip": ".gz"}
TEXT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".xml": "application/xml",
}
TYPES = TEXT_TYPES | {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".glb": "model/gltf-binary",
    ".ico": "image/vnd.microsoft.icon",
    ".jpg": "image/jpeg",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes as they are and compressed; `plain` is None when the file is too large to hold."""

    path: Path
    content_type: str
    digest: str
    plain: bytes | None
    encoded: Mapping[str, bytes]


class Assets:
    """The static tree as it was at the start, or, with `dev`, as it is at each request.

    Reads the whole tree when made: call it before the loop runs.
    """

    def __init__(self, root: Path | None = None, *, dev: bool = False) -> None:
        self.root = (root or shipped("static")).resolve()
        self._dev = dev
        self._assets = {_name(self.root, path): _read(path, compress=not dev) for path in _files(self.root)}
        digest = hashlib.sha256()
        for name, asset in sorted(self._assets.items()):
            digest.update(f"{name}\0{asset.digest}\n".encode())
        self.hash = digest.hexdigest()[:16]

    def url(self, path: str) -> str:
        """Return the address of `path`, which is relative to static/ ("js/player.js")."""
        if path not in self._assets and not (self._dev and self._find(path)):
            raise KeyError(f"no static file {path!r}")
        return f"/static/{self.hash}/{path}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD of `/static/{hash}/{path:.*}`.

        A wrong hash comes from a page of an earlier version: it gets today's file, for a short time.
        """
        name = request.match_info["path"]
        asset = await asyncio.to_thread(self._reread, name) if self._dev else self._assets.get(name)
        if asset is None:
            raise web.HTTPNotFound(text="There is no such file.\n")
        headers = {"Cache-Control": self._caching(request.match_info["hash"])}
        if asset.plain is None:
            return web.FileResponse(asset.path, headers=headers | {"Content-Type": asset.content_type})
        body, etag = asset.plain, f'"{asset.digest}"'
        if asset.encoded:
            headers["Vary"] = "Accept-Encoding"
            if encoding := _choose(request.headers.get("Accept-Encoding", ""), asset.encoded):
                body, etag = asset.encoded[encoding], f'"{asset.digest}-{encoding}"'
                headers["Content-Encoding"] = encoding
        headers["ETag"] = etag
        if matches(request.headers.get("If-None-Match", ""), etag):
            headers.pop("Content-Encoding", None)
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = asset.content_type
        return web.Response(body=body, headers=headers)

    def _caching(self, asked: str) -> str:
        if self._dev:
            return DEVELOPMENT
        return IMMUTABLE if asked == self.hash else STALE

    def _reread(self, name: str) -> Asset | None:
        path = self._find(name)
        return _read(path, compress=False) if path else None

    def _find(self, name: str) -> Path | None:
        """Return the file of that name, never one outside the tree, hidden, or a compressed sibling."""
        if "\0" in name or not name:
            return None
        path = (self.root / name).resolve()
        inside = path.is_relative_to(self.root) and _name(self.root, path) == name
        return path if inside and path.is_file() and _servable(self.root, path) else None


def _files(root: Path) -> Iterator[Path]:
    yield from (path for path in root.rglob("*") if path.is_file() and _servable(root, path))


def _servable(root: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and path.suffix not in ENCODINGS.values()


def _name(root: Path, path: Path) -> str:
    return PurePosixPath(path.relative_to(root)).as_posix()


def _read(path: Path, *, compress: bool) -> Asset:
    plain = path.read_bytes()
    digest = hashlib.sha256(plain).hexdigest()[:16]
    content_type = TYPES.get(path.suffix.lower(), "application/octet-stream")
    if len(plain) >= IN_MEMORY_BYTES:
        return Asset(path, content_type, digest, None, {})
    encoded = {}
    if compress and path.suffix.lower() in TEXT_TYPES and len(plain) >= WORTH_COMPRESSING_BYTES:
        modified_ns = path.stat().st_mtime_ns
        for encoding, suffix in ENCODINGS.items():
            sibling = path.with_name(path.name + suffix)
            if sibling.is_file() and sibling.stat().st_mtime_ns >= modified_ns:
                encoded[encoding] = sibling.read_bytes()
        if "gzip" not in encoded:
            encoded["gzip"] = gzip.compress(plain, compresslevel=9, mtime=0)
    return Asset(path, content_type, digest, plain, encoded)


def _choose(accepted: str, offered: Mapping[str, bytes]) -> str | None:
    """Return the first encoding on offer that an Accept-Encoding header takes (RFC 9110 12.5.3)."""
    weights = {}
    for item in accepted.lower().split(","):
        coding, _, parameter = item.partition(";")
        weights[coding.strip()] = parameter.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return next((name for name in ENCODINGS if name in offered and weights.get(name, weights.get("*"))), None)


def matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match does (RFC 9110 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
