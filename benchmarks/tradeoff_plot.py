"""Quality beside speed as one picture, a panel for each domain."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labels import Box, place

from rtdehaze.apps.bench.results import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "draw", "plot"]

COLOURS = {"ours": "#4477aa", "peer": "#ee6677"}
_DPI = 120
_DOT = 9
"""Points across."""

Scores = Mapping[str, float]


def plot(times: Scores, domains: Mapping[str, Scores], size: str, unjudged: Mapping[str, str], path: Path) -> None:
    """Draws and writes the picture, as `draw`."""
    content = io.BytesIO()
    draw(times, domains, size, unjudged).savefig(content, format="png", dpi=_DPI)
    write_whole(path, content.getvalue())


def draw(times: Scores, domains: Mapping[str, Scores], size: str, unjudged: Mapping[str, str]) -> Figure:
    """Draws a panel for each domain.

    Args:
        times: Milliseconds a frame by method.
        domains: PSNR by method, and of `untouched` pictures, by domain.
        size: Of the frames that were timed.
        unjudged: Why a method has no quality, or none in some domain.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6 * len(domains), 5.3), layout="constrained", dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(domains), squeeze=False)[0]
    for axes, (domain, scores) in zip(panels, domains.items(), strict=True):
        _dots(axes, scores, times)
        axes.set(title=domain, xlabel=f"ms a frame of {size}, no codecs")
    missing = [f"{name} ({why})" for name, why in unjudged.items() if name in times]
    if missing:
        figure.supxlabel(f"not judged, or not everywhere: {', '.join(missing)}", fontsize=8, color="#666666")
    handles, words = panels[0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside upper right", ncols=2, fontsize=9)
    # Names are placed in pixels, which are known once all else has its place.
    canvas.draw()
    for axes, scores in zip(panels, domains.values(), strict=True):
        _names(axes, scores, times, canvas.get_renderer())
    return figure


def _dots(axes: Any, scores: Scores, times: Scores) -> None:
    for kind, label in (("ours", "rtdehaze"), ("peer", "peers")):
        axes.plot([], [], "o", color=COLOURS[kind], label=label)
    for name in sorted(scores.keys() & times.keys()):
        axes.plot(times[name], scores[name], "o", ms=_DOT, color=COLOURS["ours" if _is_ours(name) else "peer"])
    axes.axhline(scores["untouched"], ls="--", color="#999999", lw=1)
    axes.annotate("untouched", (0.99, scores["untouched"]), xycoords=("axes fraction", "data"), ha="right", va="bottom",
                  fontsize=8, color="#666666", gid="untouched")  # fmt: skip
    axes.set(xscale="log", ylabel="PSNR, dB")
    axes.margins(x=0.25, y=0.12)
    axes.grid(alpha=0.3)


def _names(axes: Any, scores: Scores, times: Scores, renderer: Any) -> None:
    frame, radius = axes.get_window_extent(renderer), _DOT * _DPI / 72 / 2
    height = axes.transData.transform((1.0, scores["untouched"]))[1]
    taken: list[Box] = [(frame.x0, height - 2, frame.x1, height + 2)]
    taken += [text.get_window_extent(renderer).extents for text in axes.texts]
    names = sorted(scores.keys() & times.keys(), key=lambda one: (times[one], scores[one]))
    dots = [tuple(axes.transData.transform((times[name], scores[name]))) for name in names]
    texts = [axes.text(0, 0, name.removeprefix("rtdehaze "), fontsize=9) for name in names]
    extents = [text.get_window_extent(renderer) for text in texts]
    for text in texts:
        text.remove()
    sizes = [(one.width, one.height) for one in extents]
    boxes = place(dots, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), radius=radius, taken=taken)
    for name, (x, y), box in zip(names, dots, boxes, strict=True):
        # No line is drawn where the name stands beside its dot.
        far = max(box[0] - x, x - box[2], box[1] - y, y - box[3]) > 2 * radius
        line = {"arrowstyle": "-", "color": "#999999", "lw": 0.8, "shrinkA": 0, "shrinkB": radius * 72 / _DPI}
        axes.annotate(name.removeprefix("rtdehaze "), (times[name], scores[name]), (box[0] - x, box[1] - y),
                      textcoords="offset pixels", fontsize=9, ha="left", va="bottom", gid="name", in_layout=False,
                      arrowprops=line if far else None)  # fmt: skip


def _is_ours(name: str) -> bool:
    return name.startswith("rtdehaze ")
