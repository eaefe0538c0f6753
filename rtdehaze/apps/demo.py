"""The demonstration: a generated foggy drive, its clear video, and a picture of both."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.drive import DRIVE_RATE, DriveSource
from rtdehaze.core.errors import OutputExistsError, SinkError
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Options
from rtdehaze.core.stream import Source
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.report import Progress, Report
from rtdehaze.pipeline.transcode import transcode
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.encode.sink import open_sink
from rtdehaze.synth.drive import FoggyDrive

__all__ = ["Demo", "make_demo", "write_drive", "write_frames"]

_log = logging.getLogger("rtdehaze.demo")

_PICTURE_AT_S = 1.2
"""Which frame is drawn side by side: by then the first oncoming car is near."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What `make_demo` wrote."""

    foggy: Path
    clear: Path
    side_by_side: Path
    report: Report


def write_drive(
    path: Path,
    *,
    width: int,
    height: int,
    seconds: float,
    fps: float = DRIVE_RATE,
    overwrite: bool = False,
    **drive: Any,
) -> None:
    """Renders a drive into a video file of high quality.

    Args:
        path: Where to.
        width: Pixels, even.
        height: Pixels, even.
        seconds: Length.
        fps: Frames a second.
        overwrite: Replace an existing file.
        **drive: Anything else that `FoggyDrive` takes.
    """
    _encode(DriveSource(FoggyDrive(width, height, fps, seconds, **drive)), path, overwrite=overwrite)


def write_frames(path: Path, frames: list[Frame], count: int, stop: threading.Event | None = None) -> None:
    """Encodes given frames over and over into a video file of `count` frames; leaves none where `stop` is set."""
    _encode(MemorySource(frames, count=count), path, overwrite=False, stop=stop)


def make_demo(
    clear: Path,
    options: Options,
    *,
    seconds: float = 8.0,
    size: tuple[int, int] = (960, 540),
    seed: int = 10,
    on_progress: Callable[[Progress], None] | None = None,
) -> Demo:
    """Renders a foggy drive, dehazes it, and draws one frame of both side by side.

    Args:
        clear: Where the clear video goes; the foggy one and the picture go beside it.
        options: How to dehaze.
        seconds: Length of the drive.
        size: Width and height, even.
        seed: The place and the weather.
        on_progress: As in `transcode`.

    Raises:
        OutputExistsError: One of the files exists and `options.overwrite` is false.
        SinkError: A file cannot be written.
    """
    foggy = clear.with_name(f"{clear.stem}-foggy{clear.suffix}")
    picture = clear.with_name(f"{clear.stem}-side-by-side.png")
    for path in (clear, foggy, picture):
        if path.exists() and not options.overwrite:
            raise OutputExistsError(f"{path} exists; give --overwrite to replace it, or another name with -o")
    try:
        clear.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{clear.parent} cannot be made ({error.strerror}); choose another place with -o") from error
    width, height = size
    drive = FoggyDrive(width, height, DRIVE_RATE, seconds, seed, median_transmission=0.4, noise=0.006)
    _log.info("rendering a drive through fog: %d frames of %dx%d", len(drive), width, height)
    _encode(DriveSource(drive), foggy, overwrite=options.overwrite)
    report = transcode(foggy, clear, options, on_progress=on_progress)
    _write_png(picture, side_by_side(drive.frame(min(round(_PICTURE_AT_S * DRIVE_RATE), len(drive) - 1)).hazy, options))
    return Demo(foggy, clear, picture, report)


def side_by_side(hazy: NDArray[np.uint8], options: Options) -> NDArray[np.uint8]:
    """Returns an RGB picture (H, W, 3) and what becomes of it, (H, 2 * W, 3)."""
    dehazer = Dehazer.load(options.model, mode=options.mode, strength=options.strength, provider=options.provider)
    return np.concatenate([hazy, dehazer.process(hazy)], axis=1)


def _encode(source: Source, path: Path, *, overwrite: bool, stop: threading.Event | None = None) -> None:
    sink = open_sink(str(path), source, codec="h264", crf=16, preset="veryfast", overwrite=overwrite)
    try:
        for item in source.items():
            if stop is not None and stop.is_set():
                return
            if isinstance(item, Frame):
                sink.write(_into(sink.allocate(item), item))
        sink.finish()
    finally:
        sink.abort(keep=False)


def _into(out: Frame, frame: Frame) -> Frame:
    for target, plane in zip(out.planes, frame.planes, strict=True):
        target.samples[:] = plane.samples
    return out


def _write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    try:
        path.write_bytes(cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes())
    except OSError as error:
        raise SinkError(f"{path} cannot be written ({error.strerror}); choose another place with -o") from error
