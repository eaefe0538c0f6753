"""The rounds of one combination: ours and the reference in turns, summed up as a row."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable

from rtdehaze.apps.bench.opened import Opened
from rtdehaze.apps.bench.plan import Case
from rtdehaze.apps.bench.results import Reference, Row, Spread
from rtdehaze.apps.bench.running import Bed, Run, frames_for, latency, run_once
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.runner import STAGES, FrameDehazer

__all__ = ["Rounds"]

_WARM_UP_FRAMES = 6
"""Of the first run, in which compiled loops are loaded and pools filled."""


class Rounds:
    """Rounds of one combination: a run of ours, one of the reference, and the latency.

    Args:
        bed: Where runs begin and end.
        ours: Makes a dehazer for a run.
        plain: Makes the reference's.
        seconds: Length of a run.
        stop: Set it to end early.
    """

    def __init__(
        self,
        bed: Bed,
        ours: Callable[[], FrameDehazer],
        plain: Callable[[], FrameDehazer],
        seconds: float,
        stop: threading.Event,
    ) -> None:
        self._bed, self._make, self._seconds, self._stop = bed, {"ours": ours, "plain": plain}, seconds, stop
        self._counts: dict[str, int] = {}
        self.ours: list[Run] = []
        self._plain: list[Run] = []
        self._latencies: list[dict[str, float]] = []

    def take(self, number: int) -> bool:
        """Takes turns once; returns whether it was completed."""
        found: dict[str, Run] = {}
        for which in ("ours", "plain") if number % 2 else ("plain", "ours"):
            run = self._run(which)
            if run is None:
                return False
            found[which] = run
        dehazer = self._make["ours"]()
        try:
            times = latency(dehazer, self._bed.frames, self._seconds / 2, self._stop)
        finally:
            _close(dehazer)
        if self._stop.is_set():
            # Too few frames for a percentile.
            return False
        self._latencies.append(times)
        self.ours.append(found["ours"])
        self._plain.append(found["plain"])
        return True

    def _run(self, which: str) -> Run | None:
        if which not in self._counts:
            # Twice: the first fills caches, the second is long enough to say how fast it is.
            first = self._once(which, _WARM_UP_FRAMES)
            warm = first and self._once(which, frames_for(self._seconds / 4, first.fps))
            if warm is None:
                return None
            self._counts[which] = frames_for(self._seconds, warm.fps)
        return self._once(which, self._counts[which])

    def _once(self, which: str, count: int) -> Run | None:
        if self._stop.is_set():
            return None
        dehazer = self._make[which]()
        try:
            return run_once(self._bed, dehazer, count, self._stop)
        finally:
            _close(dehazer)

    def row(self, case: Case, opened: Opened) -> Row:
        """Sums the rounds up."""
        ours, plain = self.ours, self._plain
        ratios = [a.fps / b.fps for a, b in zip(ours, plain, strict=True)]
        return Row(
            size=f"{case.size[0]}x{case.size[1]}",
            codec=case.codec.label,
            model=case.model,
            provider=case.provider,
            provider_note=opened.estimator.provider_note,
            rounds=len(ours),
            frames=ours[-1].frames,
            fps=Spread.of([run.fps for run in ours], 2),
            reference=Reference(
                what="copy" if self._bed.in_memory else "transcode",
                fps=Spread.of([run.fps for run in plain], 2),
                cores=Spread.of([run.cores for run in plain], 2),
                rss_mib=round(max(run.rss_mib for run in plain), 1),
            ),
            ratio=Spread.of(ratios),
            stages_ms={stage: _stage(ours, stage) for stage in STAGES},
            latency_ms={name: _middle([one[name] for one in self._latencies]) for name in self._latencies[0]},
            cores=Spread.of([run.cores for run in ours], 2),
            rss_mib=round(max(run.rss_mib for run in ours), 1),
            held_mib=round(self._bed.held_mib, 1),
            gpu_memory_mib=opened.gpu_mib,
        )


def _stage(runs: list[Run], stage: str) -> dict[str, float]:
    times = [run.stages[stage] for run in runs]
    return {
        "p50": _middle([one.p50_ms for one in times]),
        "p95": _middle([one.p95_ms for one in times]),
        "p99": _middle([one.p99_ms for one in times]),
        "mean": _middle([1e3 * one.total_s / run.frames for one, run in zip(times, runs, strict=True)]),
    }


def _middle(values: list[float]) -> float:
    return round(statistics.median(values), 3)


def _close(dehazer: FrameDehazer) -> None:
    if isinstance(dehazer, Dehazer):
        dehazer.close()
