"""What is dehazed while it is measured: frames in memory, or a clip that is read again and again."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.bench.plan import GENERATED
from rtdehaze.apps.drive import DRIVE_RATE, DriveSource
from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame, Layout, Plane
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, Source, VideoInfo
from rtdehaze.synth.drive import FoggyDrive, forget_places

__all__ = ["Material", "Repeated", "gather", "playable"]

Item = TypeVar("Item")

_RENDERED = 8
"""Frames of the drive that are rendered; played there and back they make 14."""

_LARGEST_RENDERED = 4096 * 2304
"""Pixels; larger frames are rendered at half their sides and enlarged."""

_READ = 25
"""Frames that are read of a file."""

_HELD_BYTES = 512 * 2**20
"""Frames in memory, at most; 8K frames of 8 bits have 50 MB."""

_LOOPS = 4
"""Turns of the frames in the clip that is encoded: reopening it must be rare."""


@dataclass(frozen=True, slots=True)
class Material:
    """Frames of one size, and where the codecs' input is."""

    frames: tuple[Frame, ...]
    file: Path | None
    """The user's own file, where it has this size."""

    @property
    def mib(self) -> float:
        """Memory that the frames hold."""
        return sum(plane.data.nbytes for frame in self.frames for plane in frame.planes) / 2**20


class Repeated:
    """A source that opens a file again and again, with timestamps that go on, and stops after `count` frames.

    Args:
        reopen: Opens the file.
        count: Frames to deliver; packets of other streams are left out.
    """

    def __init__(self, reopen: Callable[[], Source], count: int) -> None:
        self._reopen, self._count = reopen, count
        with closing(reopen()) as first:
            self.location = first.location
            self.video: VideoInfo = replace(first.video, frames=count)
        self.copied: tuple[CopiedStream, ...] = ()
        self.chapters: tuple[Chapter, ...] = ()
        self.metadata: dict[str, str] = {}

    def items(self) -> Iterator[Frame | Packet]:
        """Yields the frames.

        Raises:
            SourceError: The file cannot be read, or holds no frame.
        """
        number, shift = 0, 0
        while number < self._count:
            before, last, step = number, 0, 1
            with closing(self._reopen()) as source:
                for item in source.items():
                    if not isinstance(item, Frame):
                        continue
                    step, last = max(1, item.pts - last), item.pts
                    yield replace(item, pts=item.pts + shift)
                    number += 1
                    if number == self._count:
                        return
            if number == before:
                raise SourceError(f"{self.location!r} holds no frame that can be read")
            shift += last + step

    def close(self) -> None:
        """Nothing stays open between two frames that are not read."""


def gather(source: str, size: tuple[int, int] | None, stop: threading.Event | None = None) -> Material:
    """Renders or reads the frames for a size.

    Args:
        source: `generated` or a video file.
        size: Width and height; None takes the file's own.
        stop: Set it to end early, with the frames that are there by then, which may be none.

    Raises:
        SourceError: The file cannot be read.
    """
    if source == GENERATED:
        return _rendered(*(size or (1920, 1080)), stop)
    read = _read(source)
    own = read[0].width, read[0].height
    if size is None or size == own:
        return Material(tuple(read), Path(source))
    return Material(tuple(_resized(frame, *size) for frame in _until(stop, read)), None)


@contextmanager
def playable(
    material: Material, threads: int, stop: threading.Event | None = None
) -> Iterator[Callable[[int], Source]]:
    """Gives what opens a source of so many frames, decoded from a file while it is read.

    Args:
        material: Its own file is taken where it has one; otherwise its frames are encoded into one.
        threads: Of the decoder.
        stop: Set it to encode no further; what is given then opens nothing.
    """
    from rtdehaze.stages.capture.source import open_source

    with tempfile.TemporaryDirectory(prefix="rtdehaze-bench-") as folder:
        path = material.file
        if path is None:
            from rtdehaze.apps.demo import write_frames

            path = Path(folder) / "hazy.mkv"
            write_frames(path, list(material.frames), len(material.frames) * _LOOPS, stop)
        yield lambda count: Repeated(lambda: open_source(str(path), threads=threads), count)


def _until(stop: threading.Event | None, items: Iterable[Item]) -> Iterator[Item]:
    """The items until someone says stop: an 8K frame takes seconds to draw."""
    for item in items:
        if stop is not None and stop.is_set():
            return
        yield item


def _rendered(width: int, height: int, stop: threading.Event | None) -> Material:
    count = max(2, min(_RENDERED, _HELD_BYTES // (width * height * 3 // 2)))
    # Beyond 4K rendering takes longer than measuring.
    factor = 2 if width * height > _LARGEST_RENDERED and width % 4 == height % 4 == 0 else 1
    small = width // factor, height // factor
    drive = DriveSource(FoggyDrive(*small, DRIVE_RATE, count / DRIVE_RATE, seed=10, noise=0.006))
    drawn = [item for item in _until(stop, drive.items()) if isinstance(item, Frame)]
    # It would count as memory of every row from here on.
    del drive
    forget_places()
    there = drawn if factor == 1 else [_resized(frame, width, height) for frame in _until(stop, drawn)]
    return Material((*there, *there[-2:0:-1]), None)


def _read(path: str) -> list[Frame]:
    from rtdehaze.stages.capture.source import open_source

    frames: list[Frame] = []
    with closing(open_source(path)) as source:
        video = source.video
        most = max(2, min(_READ, _HELD_BYTES // (video.width * video.height * 3)))
        for item in source.items():
            if isinstance(item, Frame):
                frames.append(item)
            if len(frames) == most:
                break
    if not frames:
        raise SourceError(f"{path} holds no frame that can be read")
    return frames


def _resized(frame: Frame, width: int, height: int) -> Frame:
    """The frame at another size, plane by plane, its lines aligned as codecs align them."""
    pixels = frame.format
    chroma = pixels.chroma_size(width, height)
    way = cv2.INTER_AREA if width * height < frame.width * frame.height else cv2.INTER_LINEAR
    planes = []
    for number, plane in enumerate(frame.planes):
        size = chroma if number else (width, height)
        samples: NDArray[np.integer[Any]] = plane.samples
        if number and pixels.layout is Layout.SEMIPLANAR:
            pairs = samples.reshape(samples.shape[0], -1, 2)
            smaller = np.asarray(cv2.resize(pairs, size, interpolation=way)).reshape(size[1], -1)
        else:
            smaller = np.asarray(cv2.resize(samples, size, interpolation=way))
        planes.append(_padded(smaller))
    return replace(frame, planes=tuple(planes), width=width, height=height, native=None)


def _padded(samples: NDArray[Any]) -> Plane:
    height, width = samples.shape
    lines = np.zeros((height, -(-width // 64) * 64), samples.dtype)
    lines[:, :width] = samples
    return Plane(lines, width)
