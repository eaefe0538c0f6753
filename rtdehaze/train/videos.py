"""Frames of videos as pictures to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from rtdehaze.train.decoding import LONG_SIDE, Picture, Scene, UnreadableError

__all__ = ["FrameOfVideo", "frames_of"]

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class FrameOfVideo:
    """The frame that is shown at a moment of a video."""

    path: Path
    seconds: float
    """Since the video's start."""

    def load(self) -> Scene:
        """Decodes it, from the key frame before."""
        try:
            picture = self._decode()
        except (av.FFmpegError, OSError) as error:
            raise UnreadableError(f"{self.path} cannot be decoded at {self.seconds:.2f} s: {error.strerror}") from error
        if picture is None:
            raise UnreadableError(f"{self.path} has no frame at {self.seconds:.2f} s")
        return Scene(f"{self.path.stem}@{self.seconds:.2f}s", picture)

    def _decode(self) -> Picture | None:
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            begin = (stream.start_time or 0) * stream.time_base if stream.time_base else 0
            wanted = float(begin) + self.seconds
            if self.seconds > 0 and container.duration:
                container.seek(int(wanted * MICROSECONDS))
            last: VideoFrame | None = None
            for frame in container.decode(stream):
                if last is not None and frame.time is not None and frame.time > wanted:
                    break
                last = frame
            return None if last is None else _shrunk(last)


def frames_of(path: Path, seconds: float) -> list[FrameOfVideo]:
    """Lists frames of a video, one every so many seconds; one where its length is not known.

    Raises:
        UnreadableError: It cannot be opened or holds no video.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableError(f"{path} holds no video")
            length = (container.duration or 0) / MICROSECONDS
    except (av.FFmpegError, OSError) as error:
        raise UnreadableError(f"{path} cannot be opened: {error.strerror}") from error
    # In the middle of each stretch: first frames are often black, and the last may be cut off.
    return [FrameOfVideo(path, (i + 0.5) * seconds) for i in range(int(length / seconds))] or [FrameOfVideo(path, 0.0)]


def _shrunk(frame: VideoFrame) -> Picture:
    scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
    picture = frame.reformat(width, height, format="rgb24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)), np.uint8)
