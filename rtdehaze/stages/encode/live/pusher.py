"""Pushes packets to a network address or a device, in a process of its own that can be killed at any moment.

FFmpeg's protocols connect, wait for answers and take leave while PyAV holds the interpreter's lock: one peer that says
nothing would stop every thread of the program. This file is run as a script and needs PyAV only. It reads from standard
input: a JSON line, a NUT header that describes the streams, and packets; it prints one line once it is connected, or
why not. The address comes this way, too, since others can read a command line.
"""

from __future__ import annotations

import io
import json
import signal
import struct
import sys
from fractions import Fraction
from typing import Any, BinaryIO

import av

__all__ = ["CONNECTED", "HEAD", "NO_TIME", "main"]

HEAD = struct.Struct("=IIqqqIIB")
"""Before each packet: its size, stream, pts, dts, duration, time base (numerator, denominator), whether it is a key."""

NO_TIME = -(1 << 63)
"""A pts or dts that is not there, as FFmpeg has it."""

CONNECTED = "connected"


def main() -> int:
    """Serves one connection; returns the exit status."""
    source = sys.stdin.buffer
    container = None
    try:
        order = json.loads(source.readline())
        head = av.open(io.BytesIO(source.read(order["head"])), format="nut")
        container = av.open(order["target"], "w", format=order["format"], container_options=order["options"])
        streams = [container.add_stream_from_template(stream, opaque=True) for stream in head.streams]
        _limit(order["limit"])
        container.start_encoding()
        print(CONNECTED, flush=True)  # noqa: T201 - to whoever started this
        _push(source, container, streams, order["limit"])
        _limit(order["limit"])
        container.close()
    except (av.FFmpegError, OSError, ValueError, RuntimeError) as error:
        print(" ".join((getattr(error, "strerror", None) or str(error)).split()), flush=True)  # noqa: T201
        return 1
    return 0


def _push(source: BinaryIO, container: Any, streams: list[Any], limit: int) -> None:
    while True:
        # Nothing may come for as long as the camera is away.
        _limit(0)
        head = source.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        size, stream, pts, dts, duration, numerator, denominator, key = HEAD.unpack(head)
        packet: Any = av.Packet(size)
        packet.update(source.read(size))
        packet.pts = None if pts == NO_TIME else pts
        packet.dts = None if dts == NO_TIME else dts
        packet.duration = duration
        packet.time_base = Fraction(numerator, denominator)
        packet.is_keyframe = bool(key)
        packet.stream = streams[stream]
        _limit(limit)
        container.mux(packet)


def _limit(seconds: int) -> None:
    """Lets the system end this process, should a call hang and nobody be left to kill it; 0 takes that back."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


if __name__ == "__main__":
    status = main()
    # A container that failed would try to take leave of its peer on the way out.
    sys.stdout.flush()
    import os

    os._exit(status)
