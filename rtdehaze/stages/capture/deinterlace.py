"""Interlaced frames made progressive by libavfilter's bwdif, one out for one in, timestamps exact."""

from __future__ import annotations

from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from rtdehaze.stages.capture.problems import Notices

__all__ = ["Deinterlacer"]

_MINIMUM = 4
"""Lines and columns that bwdif needs."""


class Deinterlacer:
    """Takes frames in presentation order; what comes out lags by one frame."""

    def __init__(self, notices: Notices, time_base: Fraction, *, flagged: bool) -> None:
        """Starts without a filter; it is built for the first frame, and again when the format changes.

        Args:
            notices: Where it is told that a picture is too small.
            time_base: Of the frames' timestamps.
            flagged: Whether the stream marks interlaced frames: only these are then touched. Without marks all are.
        """
        self._notices = notices
        self._time_base = time_base
        self._frames = "interlaced" if flagged else "all"
        self._graph: Graph | None = None
        self._key: tuple[str, int, int] | None = None

    def feed(self, frame: VideoFrame) -> list[VideoFrame]:
        """Returns the frames that are ready after this one."""
        key = (frame.format.name, frame.width, frame.height)
        ready: list[VideoFrame] = []
        if key != self._key:
            ready = self.flush()
            self._key = key
            if min(frame.width, frame.height) < _MINIMUM:
                self._notices.say("tiny", f"{frame.width}x{frame.height} is too small to deinterlace: left as it is")
            else:
                self._graph = self._build(frame)
        if self._graph is None:
            return [*ready, frame]
        self._graph.vpush(frame)
        return [*ready, *self._pull(self._graph)]

    def flush(self) -> list[VideoFrame]:
        """Returns the frames that were held back."""
        graph, self._graph, self._key = self._graph, None, None
        if graph is None:
            return []
        graph.vpush(None)
        return self._pull(graph)

    def _build(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        source = graph.add(
            "buffer",
            video_size=f"{frame.width}x{frame.height}",
            pix_fmt=frame.format.name,
            time_base=f"{self._time_base.numerator}/{self._time_base.denominator}",
            pixel_aspect="1/1",
            colorspace=str(frame.colorspace),
            range=str(frame.color_range),
        )
        graph.link_nodes(source, graph.add("bwdif", mode="send_frame", deint=self._frames), graph.add("buffersink"))
        graph.configure()
        return graph

    def _pull(self, graph: Graph) -> list[VideoFrame]:
        frames: list[VideoFrame] = []
        while True:
            try:
                frame = graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return frames
            if frame.pts is not None and frame.time_base is not None:
                # bwdif doubles the time base and the timestamps with it.
                frame.pts = int(frame.pts * frame.time_base / self._time_base)
                frame.time_base = self._time_base
            frames.append(frame)
