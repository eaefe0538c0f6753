"""The figures as a picture: frames a second beside the reference, and where the time of a frame goes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rtdehaze.apps.bench.results import Bench, Row, write_whole
from rtdehaze.core.errors import MissingDependencyError, UsageError

__all__ = ["STAGE_COLOURS", "assert_plottable", "plot_bench"]

STAGE_COLOURS = {"capture": "#4477aa", "estimate": "#ee6677", "recompose": "#228833", "encode": "#ccbb44"}
"""Paul Tol's bright scheme: told apart by every eye."""

_REFERENCE_COLOUR = "#bbbbbb"
_KINDS = frozenset({".png", ".svg", ".pdf"})


def assert_plottable(path: Path) -> None:
    """Refuses, before anything is measured, what could not be drawn afterwards.

    Raises:
        UsageError: The name is that of no picture that can be drawn.
        MissingDependencyError: matplotlib is not installed.
    """
    if path.suffix.lower() not in _KINDS:
        raise UsageError(f"plot {path.name} must end in {', '.join(sorted(_KINDS))}")
    try:
        import matplotlib as _  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingDependencyError("matplotlib is not installed: pip install 'rtdehaze[evaluate]'") from error


def plot_bench(bench: Bench, path: Path) -> None:
    """Draws the figures.

    Args:
        bench: With one row at least.
        path: A .png, .svg or .pdf; replaced where it exists.

    Raises:
        SinkError: It cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = list(bench.rows)
    figure = Figure(figsize=(13.0, 2.6 + 0.62 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    speed, time = figure.subplots(1, 2, sharey=True)
    _draw_speed(speed, rows)
    _draw_time(time, rows)
    speed.set_yticks(range(len(rows)), [_name(row) for row in rows])
    speed.invert_yaxis()
    figure.legend(*speed.get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False)
    figure.legend(*time.get_legend_handles_labels(), loc="outside lower right", ncols=4, frameon=False)
    memory = bench.machine["memory_gib"]
    graphics = "".join(f", {gpu['name']}" for gpu in bench.machine["gpus"])
    where = f"{bench.machine['processor']}, {bench.machine['cores']} cores, {memory} GiB{graphics}"
    figure.suptitle(f"rtdehaze bench, {bench.date[:10]}\n{where}", fontsize=11)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix[1:].lower(), dpi=130)
    write_whole(path, content.getvalue())


def _name(row: Row) -> str:
    return f"{row.size}  {row.codec}\n{row.model} on {row.provider}"


def _draw_speed(axes: Any, rows: list[Row]) -> None:
    places = range(len(rows))
    half = 0.36
    reference = [row.reference.fps for row in rows]
    ours = [row.fps for row in rows]
    for spreads, shift, colour, label in (
        (ours, -half / 2, STAGE_COLOURS["capture"], "with dehazing"),
        (reference, half / 2, _REFERENCE_COLOUR, "same without (no codec: a copy)"),
    ):
        middles = [one.median for one in spreads]
        errors = [[one.median - one.low for one in spreads], [one.high - one.median for one in spreads]]
        spots = [place + shift for place in places]
        axes.barh(spots, middles, half, color=colour, label=label, xerr=errors, error_kw={"lw": 1, "alpha": 0.6})
    for place, row in zip(places, rows, strict=True):
        share = f", {100 * row.ratio.median:.0f} %" if row.reference.what == "transcode" else ""
        text = f" {row.fps.median:.0f} fps{share}"
        axes.annotate(text, (row.fps.high, place - half / 2), va="center", fontsize=9)
    # Copies of frames in memory are so much faster that only a logarithm shows both.
    if max(one.high for one in reference) > 20 * min(one.low for one in ours):
        axes.set_xscale("log")
    axes.margins(x=0.24)
    axes.set_xlabel("frames a second (median, least to greatest)")
    axes.set_title("speed, and its share of the same transcode without", fontsize=10)


def _draw_time(axes: Any, rows: list[Row]) -> None:
    places = range(len(rows))
    begin = [0.0] * len(rows)
    for stage, colour in STAGE_COLOURS.items():
        widths = [row.stages_ms[stage]["mean"] for row in rows]
        axes.barh(places, widths, 0.6, left=begin, color=colour, label=stage)
        begin = [start + width for start, width in zip(begin, widths, strict=True)]
    for place, row in zip(places, rows, strict=True):
        axes.annotate(f" +{row.latency_ms['p50']:.1f} ms latency", (begin[place], place), va="center", fontsize=9)
    axes.margins(x=0.3)
    axes.set_xlabel("ms of work on a frame (mean); stages run at the same time")
    axes.set_title("where the time goes", fontsize=10)
