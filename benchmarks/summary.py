"""All of benchmarks/results as tables in Markdown.

    python benchmarks/summary.py > benchmarks/results/README.md

Reads what `compare_peers`, `tradeoff`, `growth`, `limits`, `gpu` and `quality` saved; what is missing is left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from arguments import run_script
from results import RESULTS

__all__ = ["summary"]

Figures = dict[str, Any]


def summary(folder: Path) -> str:
    """The tables of one folder of results."""
    parts = ["# Results", "", "Made by `python benchmarks/summary.py`; `../README.md` explains each figure."]
    for name, draw in _DRAWN.items():
        path = folder / f"{name}.json"
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            where = f"{content['date']}, {_machine(content['machine'])}{_stolen(content.get('stolen'))}."
            parts += ["", f"## {name}", "", where, ""]
            parts += draw(content["figures"])
    return "\n".join(parts) + "\n"


def _machine(machine: Figures) -> str:
    gpus = "".join(f", {gpu['name']} (driver {gpu['driver']})" for gpu in machine.get("gpus", ()))
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB{gpus}, {machine['revision']}"


def _stolen(share: float | None) -> str:
    return "" if share is None else f"; other machines on its host got {100 * share:.0f} % of the processor time wanted"


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    heads = list(heads)
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---', *['---:'] * (len(heads) - 1)])} |"]
    return lines + [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]


def _peers(figures: Figures) -> list[str]:
    lines = [f"At {figures['size']}; the last column is how many times faster the first row is, median of the rounds."]
    for codec, rows in figures.items():
        if isinstance(rows, list):
            cells = ((row["method"], row["fps"], row["ms_per_frame"], row["ours_over_it"]) for row in rows)
            lines += ["", f"Codec {codec}:", "", *_table(("method", "fps", "ms of dehazing", "ours over it"), cells)]
    return lines


def _tradeoff(figures: Figures) -> list[str]:
    domains = list(figures["psnr"])
    rows = (
        (name, ms, *(figures["psnr"][domain].get(name, "") for domain in domains))
        for name, ms in figures["ms_per_frame"].items()
    )
    untouched = ("untouched", "", *(figures["psnr"][domain]["untouched"] for domain in domains))
    heads = ("method", f"ms a frame of {figures['size']}", *(f"PSNR, {domain}" for domain in domains))
    return ["![tradeoff](tradeoff.png)", "", *_table(heads, (untouched, *rows))]


def _growth(figures: Figures) -> list[str]:
    lines = ["![growth](growth.png)"]
    for part, found in figures.items():
        rows = found["rows"]
        lines += ["", f"{part}{', ' + found['size'] if 'size' in found else ''}:", ""]
        lines += _table(rows[0], (row.values() for row in rows))
        for name, law in found.get("laws", {}).items():
            lines += ["", f"`{name}`: {law['law']}, off by {100 * law['largest_error']:.0f} % at most."]
    return lines


def _limits(figures: Figures) -> list[str]:
    lines = [", ".join(f"{name} {value}" for name, value in figures["machine_limits"].items()) + "."]
    for size, found in figures["sizes"].items():
        cells = (
            (stage, row["ms"], row.get("limit_ms", ""), row.get("times_its_limit", ""), row.get("limit", ""))
            for stage, row in found["stages"].items()
        )
        lines += ["", f"{size}:", "", *_table(("stage", "ms", "limit, ms", "times its limit", "the limit"), cells)]
        if found["transcodes"]:
            rows = [(f"x264 {preset}", *row.values()) for preset, row in found["transcodes"].items()]
            heads = next(iter(found["transcodes"].values()))
            lines += ["", *_table(("transcode", *(head.replace("_", " ") for head in heads)), rows)]
    return lines


def _gpu(figures: Figures) -> list[str]:
    lines = [f"Device: {figures['device']}."]
    if "limits" in figures:
        lines.append(", ".join(f"{name} {value}" for name, value in figures["limits"].items()) + ".")
    if "codecs" in figures:
        lines += ["", f"Codecs: `{json.dumps(figures['codecs'])}`."]
    cells = (
        (
            f"{row['size']} {row['format']}",
            row["way"],
            row["precision"],
            "yes" if row["cuda_graph"] else "no",
            row["lanes"],
            row.get("fps", row.get("failed")),
            row.get("latency_ms", {}).get("p50", ""),
            row.get("latency_ms", {}).get("p99", ""),
        )
        for row in figures["rows"]
    )
    heads = ("frames", "way", "precision", "CUDA graph", "lanes", "fps", "latency, ms", "p99, ms")
    return [*lines, "", *_table(heads, cells)]


def _quality(figures: Figures) -> list[str]:
    from quality import table

    return [table(name, found) for name, found in figures.items()]


_DRAWN: dict[str, Callable[[Figures], list[str]]] = {
    "peers": _peers,
    "tradeoff": _tradeoff,
    "growth": _growth,
    "limits": _limits,
    "gpu": _gpu,
    "quality": _quality,
}


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=RESULTS)
    folder = parser.parse_args().folder
    if not folder.is_dir():
        parser.error(f"--folder {folder}: is no folder")
    print(summary(folder), end="")


if __name__ == "__main__":
    run_script(main)
