"""Two benchmarks side by side: ratios of what both measured, and what differs between the machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rtdehaze.apps.bench.plan import NO_CODEC
from rtdehaze.apps.bench.results import Bench, Row, Spread
from rtdehaze.core.errors import UsageError

__all__ = ["Comparison", "Paired", "compare"]


@dataclass(frozen=True, slots=True)
class Paired:
    """One combination that both measured; ratios are the second over the first."""

    first: Row
    second: Row
    fps: float
    """Above 1: the second is faster."""
    fps_apart: bool
    """Whether the two spreads do not overlap: only then is the ratio more than noise."""
    share: float | None
    """Of the shares, each ours over the reference, which travel between machines; None without a codec: a copy of
    planes tells of the memory."""
    share_apart: bool
    """As `fps_apart`, of the shares."""
    stages: dict[str, float | None]
    """Of the means; below 1: the second takes less time. None where a stage took none."""
    latency: float | None
    cores: float | None
    rss: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that two benchmarks have in common, and what not."""

    pairs: tuple[Paired, ...]
    only_first: tuple[Row, ...]
    only_second: tuple[Row, ...]
    machines: dict[str, tuple[Any, Any]]
    """What differs between the machines, the versions and the settings, by name."""


def compare(first: Bench, second: Bench) -> Comparison:
    """Compares what both measured.

    Raises:
        UsageError: They have no combination in common.
    """
    ours, theirs = ({row.key: row for row in bench.rows} for bench in (first, second))
    both = [key for key in ours if key in theirs]
    if not both:
        raise UsageError("the two files have no combination of size, codec, model and provider in common")
    return Comparison(
        pairs=tuple(_pair(ours[key], theirs[key]) for key in both),
        only_first=tuple(row for key, row in ours.items() if key not in theirs),
        only_second=tuple(row for key, row in theirs.items() if key not in ours),
        machines=_differences(first, second),
    )


def _pair(first: Row, second: Row) -> Paired:
    return Paired(
        first,
        second,
        fps=second.fps.median / first.fps.median,
        fps_apart=_apart(first.fps, second.fps),
        share=None if first.codec == NO_CODEC else _ratio(second.ratio.median, first.ratio.median),
        share_apart=_apart(first.ratio, second.ratio),
        stages={
            stage: _ratio(second.stages_ms[stage]["mean"], times["mean"])
            for stage, times in first.stages_ms.items()
            if stage in second.stages_ms
        },
        latency=_ratio(second.latency_ms["p50"], first.latency_ms["p50"]),
        cores=_ratio(second.cores.median, first.cores.median),
        rss=second.rss_mib / first.rss_mib,
    )


def _ratio(second: float, first: float) -> float | None:
    return second / first if first > 0 else None


def _apart(first: Spread, second: Spread) -> bool:
    return second.low > first.high or second.high < first.low


def _differences(first: Bench, second: Bench) -> dict[str, tuple[Any, Any]]:
    flat = [_flat(bench.machine | {"stolen": bench.stolen} | bench.settings) for bench in (first, second)]
    names = dict.fromkeys([*flat[0], *flat[1]])
    return {name: (flat[0].get(name), flat[1].get(name)) for name in names if flat[0].get(name) != flat[1].get(name)}


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Versions of libraries one by one, GPUs in words."""
    flat = {name: value for name, value in values.items() if name not in ("libraries", "gpus")}
    flat |= values["libraries"]
    gpus = (f"{gpu['name']} ({gpu['memory_mib']} MiB, driver {gpu['driver']})" for gpu in values["gpus"])
    return flat | {"gpu": ", ".join(gpus) or None}
