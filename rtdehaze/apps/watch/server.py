"""`/metrics` and `/healthz` over HTTP."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.core.watch import LiveStatus

__all__ = ["MetricsServer", "health", "parse_address"]

_log = logging.getLogger("rtdehaze.watch")

_LOOPBACK = "127.0.0.1"
_PATIENCE_S = 5.0
"""A client that says nothing for so long is left: it holds a thread."""


def parse_address(text: str) -> tuple[str, int]:
    """Reads `[HOST:]PORT`; without a host it is loopback. An IPv6 address stands in brackets.

    Raises:
        UsageError: It is none.
    """
    match = re.fullmatch(r"(?:(?:\[([^\[\]]+)\]|([^:\[\]]+)):)?(\d{1,5})", text)
    if not match or int(match[3]) > 65535:
        raise UsageError(f"metrics must be [HOST:]PORT, such as 9600 or 0.0.0.0:9600, not {text!r}")
    return match[1] or match[2] or _LOOPBACK, int(match[3])


def health(status: LiveStatus | None, after: float) -> tuple[bool, str]:
    """Says in one line whether frames go out.

    Args:
        status: The run's state; None before there is a run.
        after: Seconds without a frame that are too long.
    """
    if status is None:
        return False, "starting: no frame has gone out yet"
    source = "connected" if status.connected else "away"
    if not status.frames_out:
        return False, f"no frame has gone out yet, {status.seconds:.1f} s after the start; the source is {source}"
    if status.silent <= after:
        return True, f"ok: a frame went out {status.silent:.1f} s ago"
    return False, f"no frame went out for {status.silent:.1f} s; the source is {source}"


class MetricsServer:
    """Serves one run's metrics from threads of its own.

    Args:
        host: Where to listen.
        port: 0 takes a free one.
        registry: What is served.
        status: As of `health`.
        health_after: Seconds without a frame after which `/healthz` answers 503.

    Raises:
        SinkError: The address cannot be listened at.
    """

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        status: Callable[[], LiveStatus | None],
        health_after: float,
    ) -> None:
        handler = type("_Handler", (_Answers,), {"registry": registry, "status": status, "after": health_after})
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            server = type("_Server", (_Server,), {"address_family": family})
            self._server: ThreadingHTTPServer = server(address, handler)
        except OSError as error:
            why = error.strerror or str(error)
            raise SinkError(f"metrics cannot be served at {host}:{port}: {why}; choose another host or port") from None
        self.port: int = self._server.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        _log.info("metrics at http://%s:%d/metrics, health at /healthz", shown, self.port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="watch-metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    """A client that hangs must not keep the program from ending."""

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the name service who we are: that may take seconds where there is none.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news."""


class _Answers(BaseHTTPRequestHandler):
    registry: CollectorRegistry
    status: Callable[[], LiveStatus | None]
    after: float
    timeout = _PATIENCE_S
    server_version = "rtdehaze"
    sys_version = ""

    def do_GET(self) -> None:
        """Answers the two addresses that there are."""
        path = self.path.partition("?")[0]
        try:
            if path == "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(self.registry), kind)
            elif path == "/healthz":
                well, line = health(type(self).status(), self.after)
                self._answer(200 if well else 503, f"{line}\n".encode())
            else:
                self._answer(404, b"there are /metrics and /healthz\n")
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: whoever asks gets an answer
            self._answer(503, f"the run's state cannot be told: {type(error).__name__}\n".encode())

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Questions every few seconds would fill the log."""

    def _answer(self, code: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
