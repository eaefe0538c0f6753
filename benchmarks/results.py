"""Where benchmarks put their figures: JSON in benchmarks/results, with the day and the machine they came from."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rtdehaze.apps.bench.machine import machine
from rtdehaze.apps.bench.results import write_whole
from rtdehaze.apps.bench.stolen import StolenTime
from rtdehaze.core.errors import SinkError

__all__ = ["RESULTS", "add_out", "save"]

RESULTS = Path(__file__).parent / "results"

_STOLEN = StolenTime()
"""Since the benchmark began."""


def add_out(parser: argparse.ArgumentParser) -> None:
    """Adds `--out`, so that a try does not replace figures that are kept."""
    parser.add_argument(
        "--out",
        type=_folder,
        default=RESULTS,
        metavar="DIR",
        help="for the figures, made where it is not there  [default: benchmarks/results]",
    )


def _folder(word: str) -> Path:
    path = Path(word)
    nearest = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not nearest.is_dir():
        raise argparse.ArgumentTypeError(f"{nearest} is no folder")
    return path


def save(name: str, figures: Any, folder: Path = RESULTS) -> Path:
    """Writes figures to benchmarks/results/NAME.json beside the day, the machine and how much of it others took.

    Args:
        name: Of the benchmark; its file's name.
        figures: Anything that JSON can hold; no paths of this machine.
        folder: Another place than benchmarks/results.

    Returns:
        The file.

    Raises:
        SinkError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder} cannot be made ({error.strerror}); choose another place with --out") from error
    path = folder / f"{name}.json"
    day = datetime.now(UTC).date().isoformat()
    content = {"date": day, "machine": machine(), "stolen": _STOLEN.share(), "figures": figures}
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    return path
