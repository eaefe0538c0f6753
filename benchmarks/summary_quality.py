"""Tables of what is good: models, public sets, steadiness, edges, visibility."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tables import Figures, records, table

__all__ = ["DRAWN"]

_SCORES = ("psnr", "ssim", "ciede2000", "transmission", "clear_psnr_auto", "gate_f1")
"""Of the many of `rtdehaze evaluate`; domains without truth have others, of which as many as these are shown."""


def _models(figures: Figures) -> list[str]:
    lines = table(("model", "ms", "least"), ((name, *times.values()) for name, times in figures["time"].items()))
    for place, domain in figures.items():
        if place == "time":
            continue
        known = list(dict.fromkeys(score for scores in domain["means"].values() for score in scores))
        shown = [score for score in _SCORES if score in known] or known[: len(_SCORES)]
        cells = ((method, *(_score(scores, name) for name in shown)) for method, scores in domain["means"].items())
        heads = ("method", *(score.replace("_", " ") for score in shown))
        lines += ["", f"{place}, {domain['kind']}, {domain['count']}:", "", *table(heads, cells)]
    return lines


def _score(scores: Figures, name: str) -> object:
    """Decibels and SSIM with the digits that papers give."""
    digits = {"psnr": 2, "ssim": 4}.get(name)
    return scores.get(name) if digits is None or name not in scores else f"{scores[name]:.{digits}f}"


def _quality(figures: Figures) -> list[str]:
    from quality import table as of_set

    return [of_set(name, found) for name, found in figures.items()]


def _smoothing(rows: list[Figures]) -> list[str]:
    measured = ("jitter", "beyond", "error", "edge_error", "psnr", "ms")
    groups: dict[tuple[str, str], list[Figures]] = {}
    for row in rows:
        groups.setdefault((row["estimate"], row["method"]), []).append(row)
    means = [
        {"estimate": estimate, "method": method}
        | {name: statistics.fmean(row[name] for row in group) for name in measured}
        for (estimate, method), group in groups.items()
    ]
    return [f"Means over {len(next(iter(groups.values())))} clips of different noise and seeds.", "", *records(means)]


def _edges(cases: list[Figures]) -> list[str]:
    heads = [f"{case['size']}, map {case['map']}, noise {case['noise']:g}" for case in cases]
    cells = (
        (row["way"], *("{edge:.1f} / {far:.1f}, {ms:.0f} ms".format_map(case["ways"][number]) for case in cases))
        for number, row in enumerate(cases[0]["ways"])
    )
    return ["PSNR at depth edges / away from them, and time.", "", *table(("way", *heads), cells)]


def _visibility(figures: Figures) -> list[str]:
    lines = [f"{figures['seeds']} places; estimated over true, and what one in ten falls short of and exceeds."]
    for model, found in figures["models"].items():
        cells = (
            (true, f"{row['ratio'][0]:.2f} ({row['ratio'][1]:.2f} to {row['ratio'][2]:.2f})")
            + (row["index, true"], row["index, median"])
            for true, row in found["by median transmission"].items()
        )
        heads = ("median transmission", "estimated over true", "index, true", "index, median")
        lines += ["", f"{model}, order right in {100 * found['order']:.0f} %:", "", *table(heads, cells)]
    return lines


DRAWN: dict[str, Callable[..., list[str]]] = {
    "models": _models,
    "quality": _quality,
    "video": records,
    "smoothing": _smoothing,
    "edges": _edges,
    "visibility": _visibility,
}
"""By the name of the file; each takes its figures."""
