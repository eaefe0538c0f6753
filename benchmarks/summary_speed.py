"""Tables of what is fast: `rtdehaze bench`, peers, growth, limits, GPU, live."""

from __future__ import annotations

import json
from collections.abc import Callable

from tables import Figures, records, short, spread_of, table

__all__ = ["DRAWN"]


def _bench(bench: Figures) -> list[str]:
    def row(one: Figures) -> list[str]:
        where = [one["size"], one["codec"], one["model"], one["provider"]]
        ratio, fps = (
            spread_of({"it": one[name]["median"], "it_least": one[name]["low"], "it_most": one[name]["high"]}, "it")
            for name in ("ratio", "fps")
        )
        reference = f"{one['reference']['what']} {short(one['reference']['fps']['median'])}"
        return [*where, fps, reference, ratio, *(short(one["latency_ms"][name]) for name in ("p50", "p99"))]

    heads = ("size", "codec", "model", "provider", "fps", "reference, fps", "share", "added ms", "p99")
    told = ["", "Interrupted: some combinations are missing."] if bench.get("interrupted") else []
    return [*table(heads, map(row, bench["rows"])), *told]


def _transcode(figures: Figures) -> list[str]:
    def row(run: Figures) -> list[object]:
        ratios = spread_of(run, "ratio_to_plain"), spread_of(run, "ratio_to_plain_of_dehazed")
        return [run["preset"], run["model"], *run["fps"].values(), *ratios]

    heads = ("preset", "model", "plain fps", "rtdehaze fps", "plain fps of the dehazed clip", "ratio", "ratio to that")
    told = f"{figures['size']}, {figures['frames']} frames, x264."
    return [told, "", *table(heads, map(row, figures["runs"]))]


def _pipeline(rows: list[Figures]) -> list[str]:
    stages = list(rows[0]["stages_p50_ms"])
    cells = ((row["size"], spread_of(row, "ms_per_frame"), *row["stages_p50_ms"].values()) for row in rows)
    return table(("size", "ms a frame", *(f"{stage}, p50 ms" for stage in stages)), cells)


def _recompose(figures: Figures) -> list[str]:
    rows = figures["rows"]
    cases = list(dict.fromkeys((row["size"], row["threads"]) for row in rows))
    ms = {(row["format"], row["size"], row["threads"]): row["ms"] for row in rows}
    cells = (
        (name, *(ms.get((name, *case)) for case in cases), figures["linear"].get(name))
        for name in dict.fromkeys(row["format"] for row in rows)
    )
    heads = ("format, ms", *(f"{size}, {threads} thread{'s' * (threads > 1)}" for size, threads in cases), "linear")
    return table(heads, cells)


def _memory(figures: Figures) -> list[str]:
    (early, late), (before, after) = figures["frames"], figures["rss_mib"]
    return [
        f"From frame {early} to {late}: {before} to {after} MiB, {figures['growth_percent']} %; at most "
        f"{figures['peak_rss_mib']} MiB."
    ]


def _peers(figures: Figures) -> list[str]:
    lines = [
        f"At {figures['size']}; the last column is how many times faster the first row is: the median of the rounds, "
        "least and greatest."
    ]
    for codec, rows in figures.items():
        if isinstance(rows, list):
            names = ("fps", "ms_per_frame", "ours_over_it")
            cells = ((row["method"], *(spread_of(row, name) for name in names)) for row in rows)
            lines += ["", f"Codec {codec}:", "", *table(("method", "fps", "ms of dehazing", "ours over it"), cells)]
    return lines


def _tradeoff(figures: Figures) -> list[str]:
    domains, unjudged, spreads = figures["psnr"], figures.get("unjudged", {}), figures.get("spread", {})

    def row(name: str, ms: float | None) -> list[str]:
        judged = (f"{scores[name]:.2f}" if name in scores else unjudged.get(name, "") for scores in domains.values())
        return [name, spread_of({"ms": ms, **spreads.get(name, {})}, "ms"), *judged]

    heads = ("method", f"ms a frame of {figures['size']}", *(f"PSNR, {domain}" for domain in domains))
    times = {"untouched": None, **figures["ms_per_frame"]}
    lines = table(heads, (row(name, ms) for name, ms in times.items() if name != "without"))
    if "gunet-t-like" not in times:
        lines += [
            "",
            "`gunet-t-like` has random weights: a time, among the peers, and no picture to judge.",
        ]
    return lines


def _growth(figures: Figures) -> list[str]:
    lines: list[str] = []
    for part, found in figures.items():
        lines += ["", f"{part}{', ' + found['size'] if 'size' in found else ''}:", ""]
        # The first results have the process's memory there, which is that of all that ran before.
        lines += records(found["rows"], without=["rss_mib"])
        for name, law in found.get("laws", {}).items():
            lines += ["", f"`{name}`: {law['law']}, off by {100 * law['largest_error']:.0f} % at most."]
    return lines[1:]


def _limits(figures: Figures) -> list[str]:
    lines = [", ".join(f"{name} {value}" for name, value in figures["machine_limits"].items()) + "."]
    for size, found in figures["sizes"].items():
        cells = (
            (stage, spread_of(row, "ms"), *(row.get(name) for name in ("limit_ms", "times_its_limit", "limit")))
            for stage, row in found["stages"].items()
        )
        lines += ["", f"{size}:", "", *table(("stage", "ms", "limit, ms", "times its limit", "the limit"), cells)]
        if found["transcodes"]:
            rows = [{"transcode": f"x264 {preset}", **row} for preset, row in found["transcodes"].items()]
            lines += ["", *records(rows)]
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
            row["cuda_graph"],
            row["lanes"],
            str(row.get("fps", row.get("failed"))),
            str(row.get("latency_ms", {}).get("p50", "")),
            str(row.get("latency_ms", {}).get("p99", "")),
        )
        for row in figures["rows"]
    )
    heads = ("frames", "way", "precision", "CUDA graph", "lanes", "fps", "latency, ms", "p99, ms")
    return [*lines, "", *table(heads, cells)]


def _live(figures: Figures) -> list[str]:
    lines: list[str] = []
    if "latency" in figures:
        cells = (
            (row["input"], row["output"], f"{row['frames_in']}, {row['frames_out']}", sum(row["dropped"].values()))
            + tuple(row[name][rank] for name in ("added_ms", "age_ms") for rank in ("p50", "p99"))
            for row in figures["latency"]["rows"]
        )
        heads = ("input", "output", "frames in, out", "dropped", "added ms", "p99", "age ms", "p99")
        lines += ["", f"latency, {figures['latency']['date']}:", "", *table(heads, cells)]
    if "ends" in figures:
        ends = figures["ends"]
        programs = {name: one for name, one in ends.items() if isinstance(one, dict) and "p50_ms" in one}
        turns = (
            (name, one["frames"], one["p50_ms"], one["p99_ms"], ", ".join(map(short, one["medians_ms"])))
            for name, one in programs.items()
        )
        heads = ("later than the camera", "frames", "p50 ms", "p99 ms", "medians of the turns, ms")
        lines += ["", f"ends, {ends.get('date', '')}, {ends['video']}:", "", *table(heads, turns)]
    if "soak" in figures:
        soak = {name: one for name, one in figures["soak"].items() if not isinstance(one, dict)}
        soak["rss_mib"] = " to ".join(map(short, soak["rss_mib"]))
        lines += ["", f"soak, {soak.pop('date', '')}:", "", *records([soak])]
    return lines[1:]


DRAWN: dict[str, Callable[..., list[str]]] = {
    "bench": _bench,
    "transcode": _transcode,
    "pipeline": _pipeline,
    "recompose": _recompose,
    "memory": _memory,
    "peers": _peers,
    "tradeoff": _tradeoff,
    "growth": _growth,
    "limits": _limits,
    "gpu": _gpu,
    "live": _live,
}
"""By the name of the file; each takes its figures."""
