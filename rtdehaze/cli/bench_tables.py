"""Benchmarks as tables for a terminal: a bar a stage shows where the time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rtdehaze.apps.bench.compare import Comparison
    from rtdehaze.apps.bench.results import Bench, Row, Spread

__all__ = ["print_bench", "print_comparison"]

_COLOURS = {"capture": "blue", "estimate": "red", "recompose": "green", "encode": "yellow"}

_BAR = 20
"""Characters of the longest bar of a row."""

_NOTICEABLE = 0.05
"""Share of stolen time from which on it is said."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def print_bench(bench: Bench) -> None:
    """Prints a table of the combinations, and of each the stages with their bars."""
    console = Console(highlight=False)
    machine = bench.machine
    gpus = "".join(f", {gpu['name']} (driver {gpu['driver']})" for gpu in machine["gpus"])
    governor = f", governor {machine['governor']}" if machine["governor"] else ""
    cores = f"{machine['cores']} cores{governor}, {machine['memory_gib']} GiB"
    console.print(f"{machine['processor']}, {cores}{gpus}", style="dim", markup=False)
    console.print(_speeds(bench.rows))
    console.print(_stages(bench.rows))
    if bench.stolen is not None and bench.stolen >= _NOTICEABLE:
        console.print(
            f"Other machines on this host got {100 * bench.stolen:.0f} % of the processor time that was wanted here: "
            "trust the ratios, not the times, or measure again when it is quieter.",
            style="yellow",
        )
    console.print(
        "fps: median, least to greatest of the rounds. share: fps over that of the reference, round by round (the "
        "same transcode without dehazing; with codec none, a copy of the planes). added: latency, p50 and p99, from a "
        "decoded frame to its clear picture, nothing else running. Stages run at the same time; bars show the mean.",
        style="dim",
    )


def _speeds(rows: tuple[Row, ...]) -> Table:
    on_gpu = any(row.gpu_memory_mib is not None for row in rows)
    table = _table("speed", "combination")
    for name in ("fps", "reference", "share", "added\nms", "cores\nbusy", "RSS\nMiB", *["GPU\nMiB"] * on_gpu):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        cells = [
            _spread(row.fps),
            _spread(row.reference.fps),
            f"[bold]{100 * row.ratio.median:.1f} %[/]\n[dim]{100 * row.ratio.low:.0f}-{100 * row.ratio.high:.0f}[/]",
            f"{row.latency_ms['p50']:.1f}\n[dim]{row.latency_ms['p99']:.1f}[/]",
            f"{row.cores.median:.2f}",
            f"{row.rss_mib:.0f}",
            *["-" if row.gpu_memory_mib is None else str(row.gpu_memory_mib)] * on_gpu,
        ]
        table.add_row(_name(row), *cells)
    return table


def _stages(rows: tuple[Row, ...]) -> Table:
    table = _table("where the time goes", "combination, stage")
    for name in ("p50 ms", "p95 ms", "p99 ms", "mean ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", min_width=_BAR)
    for row in rows:
        table.add_row(_name(row).replace("\n", " "))
        longest = max(times["mean"] for times in row.stages_ms.values()) or 1.0
        for stage, times in row.stages_ms.items():
            bar = Text(_bar(times["mean"] / longest), style=_COLOURS.get(stage, "white"))
            table.add_row(f"  {escape(stage)}", *(f"{times[name]:.2f}" for name in ("p50", "p95", "p99", "mean")), bar)
    return table


def _table(title: str, first: str, *, gap: int = 1) -> Table:
    """A table that fits 80 characters: no frame, one space and `gap` more between columns."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, gap, 0, 0))
    table.add_column(first, no_wrap=True)
    return table


def print_comparison(comparison: Comparison, first: str, second: str) -> None:
    """Prints what differs between the machines, and the ratios."""
    console = Console(highlight=False)
    if comparison.machines:
        table = _table("what differs", "")
        for name in (first, second):
            table.add_column(Text(name))
        for name, values in comparison.machines.items():
            table.add_row(Text(name), *(Text("-" if value is None else str(value)) for value in values))
        console.print(table)
    else:
        console.print("same machine, versions and settings")
    console.print(_speed_ratios(comparison, first, second))
    console.print(_stage_ratios(comparison))
    for name, rows in ((first, comparison.only_first), (second, comparison.only_second)):
        if rows:
            console.print(f"only in {name}: " + "; ".join(" ".join(row.key) for row in rows), style="dim", markup=False)
    console.print(
        f"ratios of {second} over {first}; ~ where the spreads overlap: no difference was shown. share: of the shares, "
        "fps over that of the same transcode without dehazing; of two machines compare these, fps tell how fast the "
        "machine is.",
        style="dim",
        markup=False,
    )


def _speed_ratios(comparison: Comparison, first: str, second: str) -> Table:
    table = _table("speed", "combination", gap=0)
    encoded = any(pair.share is not None for pair in comparison.pairs)
    names = (f"fps\n{first}", f"fps\n{second}", "fps\nx", *["share\nx"] * encoded, "added\nx", "cores\nx", "RSS\nx")
    for name in names:
        table.add_column(Text(name), justify="right")
    for pair in comparison.pairs:
        share = _verdict(pair.share, apart=pair.share_apart)
        table.add_row(
            _name(pair.first),
            _spread(pair.first.fps),
            _spread(pair.second.fps),
            _verdict(pair.fps, apart=pair.fps_apart),
            *[share] * encoded,
            *map(_times, (pair.latency, pair.cores, pair.rss)),
        )
    return table


def _verdict(ratio: float | None, *, apart: bool) -> Text:
    """A ratio above 1 is good, where it is more than noise."""
    if ratio is None:
        return Text("-")
    style = "" if not apart else "bold green" if ratio > 1 else "bold red"
    return Text(f"{'' if apart else '~'}{ratio:.3f}", style=style)


def _stage_ratios(comparison: Comparison) -> Table:
    table = _table("mean work on a frame, ms x", "combination")
    stages = list(comparison.pairs[0].stages)
    for stage in stages:
        table.add_column(Text(stage), justify="right")
    for pair in comparison.pairs:
        table.add_row(_name(pair.first), *(_times(pair.stages.get(stage)) for stage in stages))
    return table


def _name(row: Row) -> str:
    """Names are the user's, who may call a model [x]: they are no markup."""
    return f"{escape(f'{row.size} {row.codec}')}\n[dim]{escape(f'{row.model} on {row.provider}')}[/]"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _spread(spread: Spread) -> str:
    # A tenth of a hundred is less than the spread.
    digits = 1 if spread.high < 100 else 0
    if spread.low == spread.high:
        return f"{spread.median:.{digits}f}"
    return f"{spread.median:.{digits}f}\n[dim]{spread.low:.{digits}f}-{spread.high:.{digits}f}[/]"


def _bar(share: float) -> str:
    """A bar of eighths of a character."""
    eighths = round(share * _BAR * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
