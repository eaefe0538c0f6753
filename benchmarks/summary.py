"""All of benchmarks/results as tables in Markdown.

    python benchmarks/summary.py > benchmarks/results/README.md

Reads what the scripts and `rtdehaze bench --json bench.json --plot bench.png` saved; what is missing is left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import summary_quality
import summary_speed
from arguments import run_script
from results import RESULTS
from tables import Figures

__all__ = ["summary"]

DRAWN = summary_speed.DRAWN | summary_quality.DRAWN


def summary(folder: Path) -> str:
    """The tables of one folder of results."""
    parts = ["# Results", "", "Made by `python benchmarks/summary.py`; `../README.md` explains each figure."]
    for name, draw in DRAWN.items():
        path = folder / f"{name}.json"
        if path.is_file():
            content = json.loads(path.read_text(encoding="utf-8"))
            parts += ["", f"## {name}", "", _where(content), ""]
            if path.with_suffix(".png").is_file():
                parts += [f"![{name}]({name}.png)", ""]
            # What `rtdehaze bench` writes has its rows at the top.
            parts += draw(content.get("figures", content))
    others = sorted(path.name for path in folder.glob("*.json") if path.stem not in DRAWN)
    parts += ["", f"Without a table: {', '.join(others)}."] if others else []
    return "\n".join(parts) + "\n"


def _where(content: Figures) -> str:
    stolen = content.get("stolen")
    host = (
        "" if stolen is None else f"; other machines on its host got {100 * stolen:.0f} % of the processor time wanted"
    )
    told = ", ".join(f"{name} {_told(value)}" for name, value in content.get("settings", {}).items() if value)
    return f"{content['date'][:10]}, {_machine(content['machine'])}{host}.{' Settings: ' + told + '.' if told else ''}"


def _told(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _machine(machine: Figures) -> str:
    gpus = "".join(f", {gpu['name']} (driver {gpu['driver']})" for gpu in machine.get("gpus", ()))
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB{gpus}, {machine['revision']}"


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
