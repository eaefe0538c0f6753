"""Models beside each other: what each costs and what it is worth, as a table for a person and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import onnxruntime as ort

from rtdehaze.core.errors import SinkError
from rtdehaze.train.cost import SIZE, count, times
from rtdehaze.train.opened import open_model
from rtdehaze.train.validate import Pair, score

__all__ = ["ROUNDS", "Row", "compare", "table", "write_json"]

ROUNDS = 201
"""Timed runs of each model."""


@dataclass(frozen=True, slots=True)
class Row:
    """One exported model."""

    model: str
    parameters: int
    macs: int
    """Multiply-adds for a thumbnail of 256x144."""
    bytes: int
    """Size of the file."""
    milliseconds: float
    """For a thumbnail of 256x144 on one thread of ONNX Runtime; median."""
    psnr: float | None
    """Mean over the validation pairs in dB; None where there are none."""
    transmission: float | None
    """Mean absolute error of the transmission; None where it is not known."""


def compare(models: Sequence[tuple[str, Path]], pairs: list[Pair], rounds: int = ROUNDS) -> list[Row]:
    """Measures exported estimators side by side.

    Args:
        models: What to call each in the table, and its file.
        pairs: What to score on; scored by ONNX Runtime, through the code that scores while training.
        rounds: Timed runs of each, in turns.

    Raises:
        ModelError: A file is no exported estimator.
    """
    spent = times([path for _, path in models], rounds)
    rows = []
    for (name, path), milliseconds in zip(models, spent, strict=True):
        cost = count(path)
        scores = score(open_model(path), pairs) if pairs else None
        psnr = None if scores is None else scores.psnr
        wrong = None if scores is None or math.isnan(scores.transmission) else scores.transmission
        rows.append(Row(name, cost.parameters, cost.macs, cost.bytes, milliseconds, psnr, wrong))
    return rows


def table(rows: Sequence[Row]) -> str:
    """The rows as lines of text, aligned."""
    lines = [("model", "parameters", "M MACs", "kB", "ms", "PSNR dB", "t error")]
    for row in rows:
        psnr, wrong = (
            "-" if value is None else f"{value:.{n}f}" for value, n in ((row.psnr, 2), (row.transmission, 4))
        )
        numbers = (f"{row.parameters:,}", f"{row.macs / 1e6:.1f}", f"{row.bytes / 1e3:,.0f}", f"{row.milliseconds:.2f}")
        lines.append((row.model, *numbers, psnr, wrong))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Writes the rows with what they were measured with.

    Raises:
        SinkError: The file cannot be written.
    """
    known = {"onnxruntime": ort.__version__, "threads": 1, "size": f"{SIZE[1]}x{SIZE[0]}"}
    try:
        path.write_text(
            json.dumps(known | {"models": [asdict(row) for row in rows]}, indent=2) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise SinkError(f"table {path} cannot be written: {error.strerror}") from error
