"""A run's curves as a picture: the loss's terms, the learning rate, and the scores on the validation set."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from rtdehaze.core.errors import SinkError

__all__ = ["CURVES", "SCORES", "draw_curves"]

CURVES, SCORES = "curves.csv", "scores.csv"
"""Files of a run, a line for every report and for every scoring."""
PICTURE = "curves.png"

_TAKEN = {"step", "seconds", "rate"}
"""Columns that are no terms of the loss."""

Columns = dict[str, list[float]]


def draw_curves(out: Path) -> None:
    """Draws a run's files of curves as `curves.png` beside them; does nothing before there is something to draw.

    Raises:
        SinkError: The picture cannot be written.
    """
    curves, scores = _columns(out / CURVES), _columns(out / SCORES)
    if not curves and not scores:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), dpi=100, layout="constrained")
    axes = figure.subplots(2, 2)
    _draw_terms(axes[0, 0], curves)
    _draw_rate(axes[1, 0], curves)
    _draw_fidelity(axes[0, 1], scores)
    _draw_errors(axes[1, 1], scores)
    for panel in axes.flat:
        panel.grid(visible=True, alpha=0.3)
        panel.set_xlabel("step")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=8)
        else:
            panel.text(0.5, 0.5, "nothing yet", ha="center", transform=panel.transAxes, color="grey")
    try:
        figure.savefig(out / PICTURE)
    except OSError as error:
        raise SinkError(f"curves {out / PICTURE} cannot be written: {error.strerror}") from error


def _draw_terms(panel: Any, curves: Columns) -> None:
    """Every term relative to its first report: they differ a hundredfold, what matters is that they fall."""
    panel.set_title("terms of the loss, relative to the first report")
    for name in (name for name in curves if name not in _TAKEN):
        # The term `decibel` is a logarithm and may be negative: its difference is the ratio of what it is of.
        is_log = name == "decibel"
        values = [math.exp(value - curves[name][0]) if is_log else value for value in curves[name]]
        label = "mean squared error (decibel)" if is_log else name
        base = values[0] if values[0] > 0.0 else 1.0
        panel.plot(curves["step"], [value / base for value in values], label=label, linewidth=1.2)
    panel.set_ylim(bottom=0.0)


def _draw_rate(panel: Any, curves: Columns) -> None:
    panel.set_title("learning rate")
    if curves:
        panel.plot(curves["step"], curves["rate"], label="rate", color="tab:gray")
        panel.set_ylim(bottom=0.0)


def _draw_fidelity(panel: Any, scores: Columns) -> None:
    panel.set_title("validation: PSNR")
    panel.set_ylabel("dB")
    for name, label in (("psnr", "restored"), ("untouched", "untouched"), ("clear_psnr", "clear pictures, no gate")):
        if scores:
            style = "--" if name == "untouched" else "-"
            panel.plot(scores["step"], scores[name], style, label=label, marker="." if style == "-" else "")


def _draw_errors(panel: Any, scores: Columns) -> None:
    panel.set_title("validation: mean absolute errors, and density for the gate")
    labels = {
        "transmission": "transmission", "airlight": "airlight",
        "density_clear": "density, clear (9 in 10 below)", "density_hazy": "density, hazy (9 in 10 above)",
    }  # fmt: skip
    for name, label in labels.items():
        if scores:
            panel.plot(scores["step"], scores[name], ":" if "density" in name else "-", label=label, marker=".")
    if scores:
        panel.set_ylim(bottom=0.0)


def _columns(path: Path) -> Columns:
    """A file's columns, by step; where a resumed run came by a step again, what it said last."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise SinkError(f"curves {path} cannot be drawn: {error}; move the file away to go on") from error
    last = {row["step"]: row for row in rows}
    ordered = [last[step] for step in sorted(last)]
    return {key: [row[key] for row in ordered] for key in ordered[0]} if ordered else {}
