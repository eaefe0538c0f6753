"""The thread that connects and reads: FFmpeg's blocking calls are its alone, and it can be left behind in one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from rtdehaze.stages.capture.live.backlog import Arrival, Backlog
from rtdehaze.stages.capture.live.burst import dated
from rtdehaze.stages.capture.live.connection import Connection
from rtdehaze.stages.capture.live.pacing import Pacer
from rtdehaze.stages.capture.live.pictures import whole_pictures

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

__all__ = ["Ended", "Failed", "Reader"]

_BROKEN = 100
"""Damaged packets in a row after which a connection is given up; a demuxer that resynchronises needs a few."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be opened or read, or no longer."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Ended:
    """There is no more to read."""


class Reader:
    """Opens one connection in a thread of its own and fills a backlog: the `Connection`, arrivals, how it ended.

    FFmpeg cannot be interrupted but by its own timeouts. So nobody waits for this thread: told to stop, it goes as
    soon as FFmpeg lets it, and closes what it had opened.
    """

    def __init__(self, open_connection: Callable[[threading.Event], Connection], name: str) -> None:
        """Starts nothing yet.

        Args:
            open_connection: Connects; called in the thread, with the event that is set when it is to stop.
            name: Of the thread.
        """
        self.backlog = Backlog()
        self._open = open_connection
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins to connect."""
        self._thread.start()

    def stop(self, wait: float) -> None:
        """Tells the thread to go, and gives it so many seconds; safe to call twice and from any thread."""
        self._stop.set()
        self.backlog.close()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(wait)

    def _run(self) -> None:
        try:
            connection = self._open(self._stop)
        except Exception as error:  # noqa: BLE001 - whoever takes from the backlog judges it
            self.backlog.put(Failed(error))
            return
        try:
            if self.backlog.put(connection):
                self._read(connection)
        except Exception as error:  # noqa: BLE001
            self.backlog.put(Failed(error))
        finally:
            connection.container.close()

    def _read(self, connection: Connection) -> None:
        # Over damage: what is known of the pieces, and a keyframe that is held back, must outlive it.
        packets = whole_pictures(self._packets(connection), connection.main)
        if connection.paced:
            arrivals = self._paced(packets)
        elif connection.stamped:
            arrivals = dated(packets, time.monotonic())
        else:
            arrivals = ((packet, time.monotonic()) for packet in packets)
        for packet, came in arrivals:
            video = packet.stream_index == connection.main
            taken = self.backlog.put(Arrival(packet, came, video, video and packet.is_keyframe))
            if not taken or self._stop.is_set():
                return
        self.backlog.put(Ended())

    def _packets(self, connection: Connection) -> Iterator[Packet[Stream]]:
        """Yields packets until the end; goes on after some that are damaged."""
        failures = 0
        while True:
            try:
                for packet in connection.packets():
                    failures = 0
                    yield packet
            except av.error.InvalidDataError:
                failures += 1
                if failures > _BROKEN:
                    raise
            else:
                return

    def _paced(self, packets: Iterator[Packet[Stream]]) -> Iterator[tuple[Packet[Stream], float]]:
        pacer = Pacer(self._stop)
        for packet in packets:
            stamp = packet.dts if packet.dts is not None else packet.pts
            if stamp is not None and not pacer.wait(float(stamp * packet.time_base)):
                return
            yield packet, time.monotonic()
