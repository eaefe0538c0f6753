"""Runs of the pipeline that take turns, so that what the machine does meanwhile falls on all alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from rtdehaze.apps.bench.running import Bed, Run, frames_for, resident_mib, run_once
from rtdehaze.core.freed import give_back_freed
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.runner import FrameDehazer
from rtdehaze.pipeline.threads import available_cores, opencv_threads

__all__ = ["Contestant", "added_mib", "in_turn", "once", "take_turns"]

Name = TypeVar("Name")

_WARM_UP_FRAMES = 2
"""The slowest peers take seconds each."""

_MEMORY_RUNS, _MEMORY_FRAMES = 3, 20
"""Queues are full after a few frames; a run more or less differs by how it was timed."""


@dataclass(frozen=True)
class Contestant:
    """What is measured, and on what."""

    bed: Bed
    make: Callable[[], FrameDehazer]


def in_turn(names: Iterable[Name], number: int) -> list[Name]:
    """The order of a round: who begins changes, who follows whom does not.

    Args:
        names: Of all that take turns.
        number: Of the round, from 0.
    """
    order = list(names)
    begin = number % len(order) if order else 0
    return order[begin:] + order[:begin]


def take_turns(
    contestants: Mapping[str, Contestant], seconds: float, rounds: int, cores: int | None = None
) -> dict[str, list[Run]]:
    """Measures all, round by round, after a warm-up that also says how many frames make a run.

    Args:
        contestants: By name.
        seconds: Length of a run, about.
        rounds: Runs of each.
        cores: That OpenCV gets for others than ours; None gives it all that the process may use.
    """
    counts = {}
    for name, one in contestants.items():
        first = once(one, _WARM_UP_FRAMES, cores)
        warm = once(one, frames_for(seconds / 4, first.fps), cores)
        counts[name] = frames_for(seconds, warm.fps)
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name in in_turn(contestants, number):
            runs[name].append(once(contestants[name], counts[name], cores))
    return runs


def added_mib(one: Contestant) -> list[float]:
    """What a run adds to the process's memory while it lasts, at most, run by run.

    The model and the frames that it is fed are there before. What was freed earlier is given back to the system first:
    otherwise a run would find its memory in what a larger one left.
    """
    found = []
    for _ in range(_MEMORY_RUNS):
        give_back_freed()
        before = resident_mib()
        found.append(once(one, _MEMORY_FRAMES).rss_mib - before)
    return found


def once(one: Contestant, count: int, cores: int | None = None) -> Run:
    """One run; OpenCV on one thread for ours, as the pipeline has it, and on so many cores for others."""
    dehazer = one.make()
    ours = isinstance(dehazer, Dehazer)
    with opencv_threads(1 if ours else cores or available_cores()), ExitStack() as held:
        if isinstance(dehazer, Dehazer):
            held.enter_context(dehazer)
        run = run_once(one.bed, dehazer, count)
    if run is None:
        raise RuntimeError("a run ended before its last frame")
    return run
