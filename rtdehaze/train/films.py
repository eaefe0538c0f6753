"""Clips to learn from that move by themselves: generated drives with exact depth and motion, and videos."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SourceError
from rtdehaze.synth.drive import FoggyDrive
from rtdehaze.train.scenes import VIDEOS

__all__ = ["Film", "found_motion", "read_films", "render_drive"]

log = logging.getLogger("rtdehaze.train")

Floats = NDArray[np.float32]

SIZE = (176, 288)
"""(height, width) that drives are rendered at: a little more than a thumbnail, so that crops differ."""
LONG_SIDE = 384
"""Samples of a video's longer side."""
LONGEST = 250
"""Frames of a video that are kept: ten seconds, 60 MB."""
RATES = (12.5, 25.0, 25.0, 30.0)
"""Frames a second of drives: dashboard cameras have few."""
SKY = 150.0
"""Metres that the sky counts as."""


@dataclass(frozen=True, slots=True)
class Film:
    """A clear clip, decoded or rendered, kept in memory."""

    clear: list[NDArray[np.uint8]]
    """(H, W, 3) RGB each."""
    depth: list[NDArray[np.float16]] | None = None
    """(H, W) each, metres; None where it is not known."""
    flow: list[NDArray[np.float16]] | None = None
    """(H, W, 2) each: backward flow in pixels; None where it is not known."""
    valid: list[NDArray[np.bool_]] | None = None
    """(H, W) each: where the flow holds."""


def render_drive(seed: int, seconds: float) -> Film:
    """Renders a generated drive; the same seed gives the same film."""
    fps = RATES[seed % len(RATES)]
    drive = FoggyDrive(SIZE[1], SIZE[0], fps, seconds, seed, median_transmission=1.0)
    frames = [drive.frame(index) for index in range(len(drive))]
    motions = [drive.motion(index) for index in range(len(drive))]
    return Film(
        [frame.clear for frame in frames],
        [np.minimum(frame.depth, SKY).astype(np.float16) for frame in frames],
        [flow.astype(np.float16) for flow, _ in motions],
        [valid for _, valid in motions],
    )


def read_films(places: Iterable[str]) -> list[Film]:
    """Decodes the first seconds of each video that is named, or that lies in a folder that is named.

    Raises:
        SourceError: None of them can be used.
    """
    films: list[Film] = []
    for place in map(Path, places):
        paths = sorted(place.iterdir()) if place.is_dir() else [place]
        for path in paths:
            if path.suffix.lower() in VIDEOS or path == place:
                try:
                    films.append(_film(path))
                except SourceError as error:
                    log.warning("video left out: %s", error)
    if not films:
        raise SourceError("clips.video_share is above 0, but data.videos names no video that can be used")
    return films


def _film(path: Path) -> Film:
    frames: list[NDArray[np.uint8]] = []
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
                width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
                picture = frame.reformat(width, height, format="rgb24", interpolation="AREA").to_ndarray()
                frames.append(np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)), np.uint8))
                if len(frames) == LONGEST:
                    break
    except (av.FFmpegError, OSError, IndexError) as error:
        raise SourceError(f"video {path} cannot be decoded: {error}") from error
    if len(frames) < 2 or any(frame.shape != frames[0].shape for frame in frames):
        raise SourceError(f"video {path} holds no clip to learn from: {len(frames)} frames, or frames of several sizes")
    return Film(frames)


def found_motion(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.bool_]]:
    """Backward flow of two clear RGB pictures (h, w, 3) by DIS (Kroeger et al. 2016), and where both agree on it."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    first, second = (np.asarray(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), np.uint8) for one in (before, now))
    empty = np.zeros((*first.shape, 2), np.float32)
    back = np.asarray(search.calc(second, first, empty.copy()), np.float32)
    forth = np.asarray(search.calc(first, second, empty.copy()), np.float32)
    height, width = now.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    places = np.dstack([columns, rows]) + back
    returned = cv2.remap(forth, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    inside = (places >= 0).all(-1) & (places[..., 0] < width) & (places[..., 1] < height)
    return back, np.asarray(inside & (np.abs(back + returned).max(-1) < 1.0), np.bool_)
