"""Network peers and devices as outlets: their muxers run in a process of their own, which is killed when it hangs."""

from __future__ import annotations

import io
import json
import math
import os
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from rtdehaze.core.errors import SinkError
from rtdehaze.stages.encode.live import pusher
from rtdehaze.stages.encode.live.feed import Feed, Parcel
from rtdehaze.stages.encode.live.writing import Writing

__all__ = ["Peer", "PushOpener"]

_LOOK = 0.05
"""Seconds between looks at whether it is time to stop."""

_FAREWELL = 1.0
"""Seconds for taking leave of a peer."""


_GRACE = 10
"""Seconds after our own patience at which a process that hangs ends by itself, should we be gone."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to push to."""

    target: str = field(repr=False)
    """May hold credentials."""
    format: str
    """FFmpeg's name of the muxer."""
    options: dict[str, str] = field(default_factory=dict)
    resumed: dict[str, str] = field(default_factory=dict)
    """Options besides, from the second connection on."""
    playlist: Path | None = None
    """A playlist in a folder of its own that the muxer writes."""
    continues: bool = False
    """Whether viewers take a new connection for the same stream, so that its times must go on."""


class _Push(Writing):
    """Describes the streams in a NUT header and sends each packet as soon as it is there."""

    def __init__(self, connection: _Connection, feed: Feed, origin: Fraction | None) -> None:
        self._connection = connection
        super().__init__(io.BytesIO(), feed, origin)
        connection.begin(self._header())

    def _opened(self, target: Any, feed: Feed) -> Any:  # noqa: ARG002 - another muxer writes it
        self._description = target
        return av.open(target, "w", format="nut")

    def _header(self) -> bytes:
        self._container.start_encoding()
        # A reader of NUT wants to see a packet of each stream.
        for stream in self._container.streams:
            packet: Any = av.Packet(16)
            packet.pts = packet.dts = 0
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, 1000), True, stream
            self._container.mux(packet)
        self._container.close()
        return bytes(self._description.getvalue())

    def _mux(self, native: Any) -> None:
        base = native.time_base
        head = pusher.HEAD.pack(
            native.size,
            native.stream_index,
            pusher.NO_TIME if native.pts is None else native.pts,
            pusher.NO_TIME if native.dts is None else native.dts,
            native.duration or 0,
            base.numerator,
            base.denominator,
            native.is_keyframe,
        )
        self._connection.send(head + bytes(native))

    def close(self) -> None:
        """Lets the peer know that this was all."""
        for passage in self._passages.values():
            self._write(passage.flush(), passage.output)
        self._connection.finish()

    def abandon(self) -> None:
        """Ends the connection at once."""
        self._connection.kill()


class _Connection:
    """A process that pushes, and the way to it."""

    def __init__(
        self, peer: Peer, options: dict[str, str], timeouts: tuple[float, float], stop: threading.Event
    ) -> None:
        self._peer, self._options = peer, options
        self._open_timeout, self._write_timeout = timeouts
        self._stop = stop
        self._socket, order = socket.socketpair()
        self._words, answer = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-P", str(Path(pusher.__file__))],
                stdin=order.fileno(),
                stdout=answer,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for us; we end it in order.
                start_new_session=True,
            )
        except OSError:
            self._socket.close()
            os.close(self._words)
            raise
        finally:
            order.close()
            os.close(answer)
        self._said = b""
        self._answers = select.poll()
        self._answers.register(self._words, select.POLLIN)

    def begin(self, header: bytes) -> None:
        """Sends the order and waits until the peer has taken the connection."""
        limit = max(self._open_timeout, self._write_timeout)
        order = {
            "limit": 0 if math.isinf(limit) else math.ceil(limit) + _GRACE,
            "target": self._peer.target,
            "format": self._peer.format,
            "options": self._options,
            "head": len(header),
        }
        self.send(json.dumps(order).encode() + b"\n" + header)
        deadline = time.monotonic() + self._open_timeout
        while (line := self._line()) is None:
            if self._stop.is_set():
                raise SinkError("stopped while connecting")
            if time.monotonic() > deadline:
                raise SinkError(f"no connection within {self._open_timeout:g} s")
        if line != pusher.CONNECTED:
            raise SinkError(line or "the connection ended")

    def _line(self) -> str | None:
        """Returns the next line that the process says, "" at its end, None where there is none yet."""
        if b"\n" not in self._said:
            if not self._answers.poll(1000 * _LOOK):
                return None
            self._said += os.read(self._words, 4096) or b"\n"
            if b"\n" not in self._said:
                return None
        line, _, self._said = self._said.partition(b"\n")
        return line.decode(errors="replace").strip()

    def send(self, data: bytes) -> None:
        """Sends to the process, as fast as the peer takes it.

        Raises:
            SinkError: The peer takes nothing any more, or the process has ended: why.
        """
        view = memoryview(data)
        deadline = time.monotonic() + self._write_timeout
        while view:
            self._socket.settimeout(_LOOK)
            try:
                view = view[self._socket.send(view) :]
                deadline = time.monotonic() + self._write_timeout
            except TimeoutError:
                if self._stop.is_set():
                    raise SinkError("it did not take the rest in time") from None
                if time.monotonic() > deadline:
                    raise SinkError(f"it has taken nothing for {self._write_timeout:g} s") from None
            except OSError as error:
                raise SinkError(self._last_words()) from error

    def _last_words(self) -> str:
        deadline = time.monotonic() + _FAREWELL
        while time.monotonic() < deadline:
            line = self._line()
            if line:
                return line
            if line == "":
                break
        return "the connection ended"

    def finish(self) -> None:
        """Lets the process take leave of the peer, but not for long."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + _FAREWELL
        while self._process.poll() is None and time.monotonic() < deadline and not self._stop.is_set():
            time.sleep(_LOOK)
        self.kill()

    def kill(self) -> None:
        """Ends the process, whatever it does."""
        if self._words < 0:
            return
        self._socket.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_FAREWELL)
        os.close(self._words)
        self._words = -1


class PushOpener:
    """Connects to a peer.

    Args:
        peer: Whom to push to.
        open_timeout: Seconds that connecting may take.
        write_timeout: Seconds that the peer may take nothing.
    """

    prompt = True

    def __init__(self, peer: Peer, *, open_timeout: float, write_timeout: float) -> None:
        self._peer = peer
        self._timeouts = open_timeout, write_timeout
        self._origin: Fraction | None = None
        self._used = False

    def open(self, feed: Feed, stop: threading.Event) -> _Session:
        """Connects.

        Raises:
            SinkError: The peer cannot be reached, refuses, or says nothing.
        """
        if self._peer.playlist is not None:
            self._peer.playlist.parent.mkdir(parents=True, exist_ok=True)
        options = {**self._peer.options, **(self._peer.resumed if self._used else {})}
        connection = _Connection(self._peer, options, self._timeouts, stop)
        try:
            push = _Push(connection, feed, self._origin if self._peer.continues else None)
        except BaseException:
            connection.kill()
            raise
        self._used = True
        return _Session(push, self)

    def end(self) -> None:
        """Tells players of a playlist that no more will come; until then they ask for more."""
        if self._used and self._peer.playlist is not None:
            with self._peer.playlist.open("a") as file:
                file.write("#EXT-X-ENDLIST\n")

    def note(self, origin: Fraction | None) -> None:
        """Keeps where the times of the first connection began."""
        self._origin = self._origin or origin


class _Session:
    def __init__(self, push: _Push, opener: PushOpener) -> None:
        self._push, self._opener = push, opener

    def write(self, parcel: Parcel) -> None:
        self._push.write(parcel)
        self._opener.note(self._push.origin)

    def close(self) -> None:
        self._push.close()

    def abandon(self) -> None:
        self._push.abandon()
