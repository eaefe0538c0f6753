"""How the cores are shared out between codecs, inference and recomposition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2

__all__ = ["ThreadPlan", "opencv_threads", "plan_live_threads", "plan_threads"]


@dataclass(frozen=True, slots=True)
class ThreadPlan:
    """Threads for each part of a run."""

    decode: int
    inference: int
    recompose: int
    encode: int
    aside: bool
    """Whether motion is followed in a thread of its own while the model estimates."""


def plan_threads(cores: int | None = None) -> ThreadPlan:
    """Shares the cores out.

    The encoder is where the time goes, and half as many threads again as cores keep it busy over its own waits; the
    decoder is light beside it. Inference and recomposition take a core's fraction each: more threads there would only
    take the codecs' turns. Motion is followed beside inference, which is a tenth more frames without codecs, and with
    them neither more nor fewer.

    Args:
        cores: Cores to plan for; None takes those that this process may use.
    """
    cores = cores or available_cores()
    fraction = max(1, min(4, cores // 4))
    return ThreadPlan(
        decode=max(1, cores // 2),
        inference=fraction,
        recompose=fraction,
        encode=max(1, cores * 3 // 2),
        aside=cores > 1,
    )


def plan_live_threads(cores: int | None = None) -> ThreadPlan:
    """Shares the cores out where each frame has to be quick, one after the other.

    Only slices of one frame are worked on together (frame threads would hold frames back), and every stage waits for
    the camera most of the time: so each may use all cores, up to where slices cost more than they save. Inference
    leaves a core to the motion, which is followed meanwhile.

    Args:
        cores: Cores to plan for; None takes those that this process may use.
    """
    cores = cores or available_cores()
    return ThreadPlan(
        decode=min(4, cores),
        inference=max(1, min(4, cores // 2)),
        recompose=min(4, cores),
        encode=min(8, cores),
        aside=cores > 1,
    )


def available_cores() -> int:
    """Returns the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def opencv_threads(threads: int) -> Iterator[None]:
    """Sets OpenCV's threads, which are the process's, and gives the caller's setting back."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
