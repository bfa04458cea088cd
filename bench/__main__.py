"""`python -m bench [NAME ...]`: measure, and print a Markdown table."""

from __future__ import annotations

import importlib
import sys
import tempfile
import traceback
from pathlib import Path

from bench.figures import Figure, load, table

NAMES = ("grants", "start", "pages", "delivery", "playing", "processing", "channels", "together", "programme")


def main(names: list[str]) -> int:
    """Measure what is named, all when nothing is; returns 1 when a figure misses its target or cannot be had."""
    if unknown := set(names) - set(NAMES):
        print(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    broken = False
    for name in names or NAMES:
        print(f"{name} … ({load()})", file=sys.stderr)
        module = importlib.import_module(f"bench.{name}")
        with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
            try:
                figures += module.measure(Path(folder).resolve())
            except Exception:  # noqa: BLE001 - what was measured before is worth seeing, and the rest worth measuring
                traceback.print_exc()
                broken = True
    print(table(figures))
    return 0 if not broken and all(f.met for f in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
