"""Events sent to a web address as JSON."""

from __future__ import annotations

import base64
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit

import rtdehaze
from rtdehaze.apps.watch.events import Event
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.errors import UsageError

__all__ = ["Webhook"]

_log = logging.getLogger("rtdehaze.watch")

_ROOM = 64
"""Events that may wait while the other side is away."""

_TIMEOUT_S = 5.0
_PAUSES_S = (1.0, 4.0, 15.0)
"""Before each further attempt: a server that restarts is back by then."""

_TRY_AGAIN = (408, 425, 429)
"""HTTP answers below 500 that a later attempt may better (RFC 9110, 8470, 6585)."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would go on as GET without its body, and perhaps to another host with our credentials."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Webhook:
    """Posts events to a URL, in a thread of its own, each up to four times.

    The name by which it is logged is the URL's scheme and host alone: user, path and query often hold a secret.

    Args:
        url: `http://` or `https://`; a user and password in it are sent as basic authentication.

    Raises:
        UsageError: It is no such URL.
    """

    def __init__(self, url: str, *, pauses: Sequence[float] = _PAUSES_S) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https"):
            raise UsageError("on-haze-webhook must be a URL that begins with http:// or https:// and names a host")
        bracketed = f"[{host}]" if ":" in host else host
        place = bracketed if port is None else f"{bracketed}:{port}"
        self.name = f"{parts.scheme}://{place}"
        self._url = parts._replace(netloc=place, fragment="").geturl()
        self._headers = {"Content-Type": "application/json", "User-Agent": f"rtdehaze/{rtdehaze.__version__}"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
        self._pauses = pauses
        self._opener = urllib.request.build_opener(_NoRedirect)
        self.worker: Worker[Event] = Worker("webhook", self._send_all, room=_ROOM)

    def abandon(self) -> None:
        """Says that the run will not wait for what is under way."""
        _log.warning("on-haze-webhook %s: the run ended before all events were delivered", self.name)

    def _send_all(self, events: Sequence[Event]) -> None:
        for event in events:
            if not self._send(event):
                self.worker.dropped += 1

    def _send(self, event: Event) -> bool:
        body = json.dumps(asdict(event)).encode()
        for pause in (*self._pauses, None):
            problem, hopeless = self._post(body)
            if problem is None:
                return True
            if pause is None or hopeless or self.worker.closing.wait(pause):
                _log.warning("on-haze-webhook %s: event %r was not delivered: %s", self.name, event.event, problem)
                return False
        return False

    def _post(self, body: bytes) -> tuple[str | None, bool]:
        """Tries once; returns what went wrong, None if nothing did, and whether trying again cannot help."""
        request = urllib.request.Request(self._url, body, self._headers)  # noqa: S310 - the scheme was checked
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S):
                return None, False
        except urllib.error.HTTPError as error:
            with error:
                where = "; give the address it redirects to" if 300 <= error.code < 400 else ""
                return f"HTTP {error.code} {error.reason}{where}", error.code < 500 and error.code not in _TRY_AGAIN
        except urllib.error.URLError as error:
            return str(error.reason), False
        except (OSError, HTTPException, ValueError) as error:
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, False
