"""Where benchmarks put their figures: JSON in benchmarks/results, with the day and the machine they came from."""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rtdehaze.apps.bench.machine import machine
from rtdehaze.apps.bench.results import write_whole
from rtdehaze.apps.bench.stolen import StolenTime
from rtdehaze.core.errors import SinkError

__all__ = ["RESULTS", "add_out", "save", "settings_of", "spread"]

RESULTS = Path(__file__).parent / "results"

_STOLEN = StolenTime()
"""Since the benchmark began."""


_FEW = 20
"""Runs that are kept one by one."""


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


def settings_of(given: argparse.Namespace) -> dict[str, Any]:
    """What a benchmark was told, for JSON; of paths only the last part, which says nothing about this machine."""
    return {name: _told(value) for name, value in vars(given).items() if name != "out" and value is not None}


def _told(value: object) -> object:
    if isinstance(value, list):
        return [_told(one) for one in value]
    return re.sub(r"[^=]*/(?=.)", "", str(value)) if isinstance(value, str | Path) else value


def spread(name: str, values: Sequence[float], digits: int = 2) -> dict[str, Any]:
    """A figure that was measured several times: its median, least and greatest, and where they are few, all.

    Args:
        name: Of the figure; the others are called `NAME_least`, `NAME_most` and `NAME_runs`.
        values: In the order of the rounds.
        digits: That are kept.
    """
    rounded = [round(value, digits) for value in values]
    found = {name: round(statistics.median(values), digits)}
    found |= {f"{name}_least": min(rounded), f"{name}_most": max(rounded)}
    return found | ({f"{name}_runs": rounded} if len(rounded) <= _FEW else {})


def save(name: str, figures: Any, folder: Path = RESULTS, settings: dict[str, Any] | None = None) -> Path:
    """Writes figures to benchmarks/results/NAME.json beside the day, the machine and how much of it others took.

    Args:
        name: Of the benchmark; its file's name.
        figures: Anything that JSON can hold; no paths of this machine.
        folder: Another place than benchmarks/results.
        settings: Seconds, rounds, sizes: what the benchmark was told.

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
    content = {"date": day, "machine": machine(), "stolen": _STOLEN.share()}
    content |= {"settings": settings or {}, "figures": figures}
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
    return path
