"""The one place that opens live inputs."""

from __future__ import annotations

import functools
import os

from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live.locations import Kind, parse_location
from rtdehaze.stages.capture.live.paced import PacedSource
from rtdehaze.stages.capture.live.plan import plan_of
from rtdehaze.stages.capture.live.source import ReconnectingSource
from rtdehaze.stages.capture.opening import hardware_device
from rtdehaze.stages.capture.options import DEFAULT_PICTURE_RATE, CaptureOptions
from rtdehaze.stages.capture.source import open_source

__all__ = ["open_live_source"]


def open_live_source(
    location: str | os.PathLike[str],
    options: LiveOptions,
    *,
    threads: int = 0,
    hwaccel: str | None = None,
    hdr: str = "refuse",
    deinterlace: bool = False,
    start: float | None = None,
    duration: float | None = None,
    fps: float = float(DEFAULT_PICTURE_RATE),
    loop: bool = False,
) -> ReconnectingSource | PacedSource:
    """Makes a live source of a stream, a camera, a screen, filters, standard input, or a file at its own speed.

    Args:
        location: `rtsp[s]://`, `rtmp[s]://`, `http[s]://` (MJPEG, HLS), `udp://`, `rtp://`, `tcp://`, `camera:0`,
            `/dev/video0`, `screen:`, `screen::0.0`, `lavfi:GRAPH`, `-`, or what `open_source` takes.
        options: Timeouts, retries, and how a camera is set.
        threads: Decoder threads; 0 leaves it to the codec.
        hwaccel: Device that decodes, for example `cuda`; None is the CPU.
        hdr: `refuse` PQ and HLG video, or `passthrough`.
        deinterlace: Make interlaced video progressive, one frame for one.
        start: Of a file, seconds from its first frame.
        duration: Of a file, seconds to read.
        fps: Rate of pictures in a row.
        loop: Of a file, begin anew at its end.

    Returns:
        The source. A live one connects once it is iterated.

    Raises:
        UsageError: The location or an option cannot be used.
        SourceError: A file cannot be read.
    """
    text = os.fspath(location)
    where = parse_location(text)
    capture = CaptureOptions.checked(threads=threads, hwaccel=hwaccel, hdr=hdr, deinterlace=deinterlace)
    if where.kind is Kind.FILE:
        open_file = functools.partial(
            open_source,
            text,
            start=start,
            duration=duration,
            threads=threads,
            hwaccel=hwaccel,
            hdr=hdr,
            deinterlace=deinterlace,
            fps=fps,
        )
        return PacedSource(text, open_file, loop=loop)
    if hwaccel is not None:
        hardware_device(hwaccel)
    return ReconnectingSource(where, plan_of(where, options), options, capture)
