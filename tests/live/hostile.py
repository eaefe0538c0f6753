"""Servers on loopback that say nothing, send garbage, or stop in the middle."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["Behaviour", "HostileServer", "dripping", "garbage", "sends", "silence"]

Behaviour = Callable[[socket.socket, threading.Event], None]
"""What a hostile server does with one connection, until the event is set or the peer has gone."""


def silence(connection: socket.socket, over: threading.Event) -> None:
    """Listens and never says a word."""
    connection.settimeout(0.1)
    while not over.is_set():
        try:
            if not connection.recv(4096):
                return
        except TimeoutError:
            continue


def garbage(connection: socket.socket, over: threading.Event) -> None:
    """Sends random bytes, for ever."""
    while not over.wait(0.005):
        connection.sendall(os.urandom(4096))


def dripping(connection: socket.socket, over: threading.Event) -> None:
    """Answers by HTTP, a byte at a time and for ever: no timeout of a client's ends that."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.2):
        connection.sendall(b"x")


def sends(payload: bytes, *, rate: float | None = None, hold: bool = False) -> Behaviour:
    """Returns a server that sends these bytes to whoever connects, then closes or (`hold`) keeps quiet.

    Args:
        payload: Also an HTTP answer; what the client asks is not read.
        rate: Bytes per second; None is as fast as it goes.
        hold: Keep the connection open afterwards.
    """

    def behave(connection: socket.socket, over: threading.Event) -> None:
        step = len(payload) if rate is None else max(1, int(rate / 50))
        for start in range(0, len(payload), max(1, step)):
            connection.sendall(payload[start : start + step])
            if rate is not None and over.wait(0.02):
                return
        if hold:
            silence(connection, over)

    return behave


class HostileServer:
    """A TCP server that treats every connection by one behaviour, in threads of this process."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def url(self, scheme: str, path: str = "stream") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(1.0)
            try:
                self._behaviour(connection, self._over)
            except OSError:
                return

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
