"""The curves of `growth.py` as one picture."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from laws import CROWDS, at

from rtdehaze.apps.bench.results import write_whole

__all__ = ["plot"]


def plot(found: dict[str, Any], path: Path) -> None:
    """Draws what was measured."""
    from matplotlib.figure import Figure

    drawn = [part for part in found if part in _DRAWN]
    figure = Figure(figsize=(6.4 * min(2, len(drawn)), 4.4 * -(-len(drawn) // 2)), layout="constrained")
    cells = figure.subplots(-(-len(drawn) // 2), min(2, len(drawn)), squeeze=False).ravel()
    for axes, part in zip(cells, drawn, strict=False):
        _DRAWN[part](axes, found[part])
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    for axes in cells[len(drawn) :]:
        axes.set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_whole(path, content.getvalue())


def draw_sizes(axes: Any, part: dict[str, Any]) -> None:
    """Milliseconds over megapixels, both by their logarithm."""
    x = np.array([one["megapixels"] for one in part["rows"]])
    dense = np.geomspace(x.min(), x.max(), 100)
    series = (("ms_per_frame", "a frame", "#333333"), ("estimate_ms", "estimate", "#ee6677"))
    for name, label, colour in (*series, ("recompose_ms", "recompose", "#228833")):
        law = part["laws"][name]
        axes.plot(x, [one[name] for one in part["rows"]], "o", color=colour)
        axes.plot(dense, at(law, dense), color=colour, label=f"{label}: {law['law']}")
    axes.set(xscale="log", yscale="log", ylabel="ms", title="size of the picture, no codecs")
    axes.set_xticks(x, [one["size"] for one in part["rows"]], fontsize=8)
    low, high = axes.get_ylim()
    steps = [step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if low <= step <= high]
    axes.set_yticks(steps, [str(step) for step in steps])
    axes.minorticks_off()
    axes.legend(fontsize=8)


def draw_streams(axes: Any, part: dict[str, Any]) -> None:
    """Frames a second together over streams."""
    law = part["laws"]["ms_per_frame"]
    over = CROWDS[law["over"]]

    def together(streams: np.ndarray) -> np.ndarray:
        return np.asarray(1e3 / (law["a"] + law["b"] * over(streams)))

    _dots_and_law(axes, part, "streams", "fps_together", law, together, "#4477aa")
    axes.set(xlabel="streams", ylabel="fps of all together", title=f"streams of {part['size']}", ylim=(0, None))


def draw_models(axes: Any, part: dict[str, Any]) -> None:
    """Estimate and recompose of each model."""
    names = [one["model"] for one in part["rows"]]
    estimate = [one["estimate_ms"] for one in part["rows"]]
    axes.bar(names, estimate, color="#ee6677", label="estimate")
    axes.bar(names, [one["recompose_ms"] for one in part["rows"]], bottom=estimate, color="#228833", label="recompose")
    axes.set(ylabel="ms of work on a frame", title=f"models at {part['size']}")
    axes.legend(fontsize=8)


def draw_every(axes: Any, part: dict[str, Any]) -> None:
    """Estimate over n."""
    law = part["laws"]["estimate_ms"]
    _dots_and_law(axes, part, "every", "estimate_ms", law, lambda x: law["a"] + law["b"] / x, "#ee6677")
    axes.set(xlabel="n: every n-th frame is estimated", ylabel="estimate, ms a frame", ylim=(0, None))
    axes.set_title(f"--every n at {part['size']}")


def _dots_and_law(
    axes: Any,
    part: dict[str, Any],
    over: str,
    what: str,
    law: dict[str, Any],
    curve: Callable[[np.ndarray], np.ndarray],
    colour: str,
) -> None:
    x = [one[over] for one in part["rows"]]
    dense = np.linspace(min(x), max(x), 100)
    axes.plot(x, [one[what] for one in part["rows"]], "o", color=colour)
    axes.plot(dense, curve(dense), color=colour, label=law["law"])
    axes.set_xticks(x)
    axes.legend(fontsize=8)


_DRAWN = {"sizes": draw_sizes, "streams": draw_streams, "models": draw_models, "every": draw_every}
