"""Measure the rows of the table: ``python -m benchmarks --data FOLDER``."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import tempfile
from pathlib import Path

from benchmarks import (  # noqa: F401 - they register their rows
    folders,
    objects,
    report,
    size,
    speed,
    view,
)
from benchmarks.rows import Result, Setting, place_of, registry

if importlib.util.find_spec("benchmarks.quality"):
    importlib.import_module("benchmarks.quality")


def main() -> None:
    """Read the options, run the rows, print and write the table."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of measuring images")
    parser.add_argument(
        "--out", type=Path, default=Path("docs/benchmarks.md"), help="page to write"
    )
    parser.add_argument("--rows", help="names of rows, as S1,Q1; all unless given")
    parser.add_argument("--update", action="store_true", help="write --rows into the page")
    parser.add_argument("--quick", action="store_true", help="small sizes; writes no page")
    options = parser.parse_args()
    every = sorted(registry.rows, key=place_of)
    names = options.rows.split(",") if options.rows else every
    unknown = [name for name in names if name not in registry.rows]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(registry.rows)}")
    with tempfile.TemporaryDirectory(prefix="spinney-benchmarks-") as scratch:
        setting = Setting(options.data, Path(scratch), options.quick)
        results: list[Result] = []
        for result in registry.run(names, setting):
            print(" | ".join(text for text in report.cells_of(result) if text), flush=True)
            results.append(result)
        if not options.quick and (options.update or not options.rows):
            report.write(results, options.out, setting, update=options.update)
            print(f"Written: {options.out}")


if __name__ == "__main__":
    main()
