"""One output of a live run: a thread that opens, writes, fails, waits and tries again, whatever the others do."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Protocol

from rtdehaze.core.errors import RtdehazeError, SinkError
from rtdehaze.core.live import OutletState, OutletStatus
from rtdehaze.core.secrets import redacted
from rtdehaze.core.timing import remaining
from rtdehaze.stages.encode.live.feed import Feed, Parcel
from rtdehaze.stages.encode.live.mailbox import Mailbox
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["Opener", "Outlet", "OutletEndedError", "Target"]

_log = logging.getLogger("rtdehaze.encode")

_FIRST_DELAY = 0.1
"""Seconds before the second attempt; they double from there."""

_STEADY = 5.0
"""Seconds that an outlet must work to be said to work again; one that fails again at once is not news each time."""


class OutletEndedError(SinkError):
    """An outlet failed in a way that trying again cannot help."""


class Target(Protocol):
    """What an outlet writes to between opening and closing."""

    def write(self, parcel: Parcel) -> None:
        """Writes a packet; may block."""

    def close(self) -> None:
        """Completes what was written."""

    def abandon(self) -> None:
        """Releases everything after a failure; never waits for long."""


class Opener(Protocol):
    """How one outlet opens its targets."""

    prompt: bool
    """Whether what came while it was being opened is too old to be shown."""

    def open(self, feed: Feed, stop: threading.Event) -> Target:
        """Opens a target for packets of a feed; may block, but ends soon once `stop` is set."""

    def end(self) -> None:
        """The run is over: all targets are closed."""


class Outlet:
    """Writes the parcels that it is given, in a thread of its own.

    Args:
        location: What the user named.
        opener: How targets are opened.
        frames: How many may wait.
        size: How many bytes may wait.
        patience: Seconds that a write may take before the status says that it hangs.
        retry_cap: Seconds between attempts at most.
        lossless: Block the sender where the queue is full, and do not try again after a failure.
    """

    def __init__(
        self,
        location: str,
        opener: Opener,
        *,
        frames: int,
        size: int,
        patience: float,
        retry_cap: float,
        lossless: bool,
    ) -> None:
        self.location = redacted(location)
        """What the user named, credentials taken out."""
        self._opener = opener
        self._patience = patience
        self._retry_cap = retry_cap
        self._lossless = lossless
        self._stop = threading.Event()
        self._wish: Callable[[], None] = _nothing
        self._mailbox = Mailbox(frames, size, lossless=lossless, on_loss=lambda: self._wish())
        self._state = OutletState.OPENING
        self._frames = self._opened = 0
        self._error: str | None = None
        self._failing_since: float | None = None
        self._attempts = 0
        self._busy_since: float | None = None
        self._running_since = 0.0
        self._thread: threading.Thread | None = None
        self._given_up = False

    def change(self, feed: Feed, wish: Callable[[], None]) -> None:
        """From now on parcels are of this feed, whose keyframes are asked for by `wish`."""
        self._wish = wish
        self._mailbox.change(feed)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"rtdehaze-to-{self.location}", daemon=True)
            self._thread.start()

    def put(self, parcel: Parcel) -> None:
        """Hands a packet over; returns at once, unless lossless."""
        self._mailbox.put(parcel)

    def lose(self, frames: int) -> None:
        """Counts frames that were meant for it and not even encoded."""
        self._mailbox.lose(frames)

    def give_up(self, error: SinkError) -> None:
        """Nothing more will come, for the reason given."""
        self._error = redacted(str(error))
        _log.warning("%s: %s; given up", self.location, self._error)
        self._mailbox.refuse()
        self._mailbox.end()
        self._given_up = True

    def suspend(self, error: RtdehazeError) -> None:
        """Nothing will come until the next `change`, for the reason given."""
        self._mailbox.change(None)
        self._error = redacted(str(error))
        self._state = OutletState.WAITING
        _log.warning("%s: %s; waiting until the source changes", self.location, self._error)

    @property
    def ended(self) -> bool:
        """Whether it takes nothing any more."""
        return self._given_up or self._state is OutletState.CLOSED

    def status(self) -> OutletStatus:
        """Says how it fares; from any thread."""
        state, error = self._state, self._error
        since = self._busy_since
        if state is OutletState.RUNNING and since is not None and time.monotonic() - since > self._patience:
            state, error = OutletState.WAITING, f"it has taken nothing for {time.monotonic() - since:.0f} s"
        return OutletStatus(self.location, state, self._frames, self._mailbox.dropped, max(0, self._opened - 1), error)

    def end(self) -> None:
        """Writes what waits and completes it; returns at once."""
        self._mailbox.end()
        if self._state is not OutletState.RUNNING:
            self._stop.set()
        if self._thread is None:
            self._state = OutletState.CLOSED

    def let_go(self) -> None:
        """Lets go of whatever hangs; returns at once."""
        self._stop.set()

    def join(self, deadline: float | None) -> None:
        """Waits for the thread to end, until then by `time.monotonic()` at most."""
        if self._thread is not None:
            self._thread.join(remaining(deadline))

    def _work(self) -> None:
        while (feed := self._mailbox.wait_for_feed()) is not None and self._state is not OutletState.CLOSED:
            try:
                with sink_errors(self.location):
                    self._serve(feed)
            except SinkError as error:
                self._fail(error)
        self._mailbox.refuse()
        _quietly(self._opener.end)
        self._state = OutletState.CLOSED

    def _serve(self, feed: Feed) -> None:
        if self._opener.prompt:
            self._mailbox.refuse()
        target = self._opener.open(feed, self._stop)
        try:
            self._opened += 1
            self._state = OutletState.RUNNING
            self._running_since = time.monotonic()
            self._mailbox.admit()
            while (parcel := self._mailbox.take(feed)) is not None:
                self._write(target, parcel)
            self._state = OutletState.WAITING
            target.close()
        except BaseException:
            self._busy_since = time.monotonic()
            _quietly(target.abandon)
            raise
        finally:
            self._busy_since = None

    def _write(self, target: Target, parcel: Parcel) -> None:
        self._busy_since = time.monotonic()
        try:
            target.write(parcel)
        except BaseException:
            self._mailbox.lose(parcel.video)
            raise
        self._busy_since = None
        if parcel.video:
            self._frames += 1
            self._recovered()

    def _recovered(self) -> None:
        if self._failing_since is None or time.monotonic() - self._running_since < _STEADY:
            return
        _log.warning("%s: works again, after %.1f s", self.location, self._running_since - self._failing_since)
        self._attempts, self._failing_since = 0, None

    def _fail(self, error: SinkError) -> None:
        self._mailbox.refuse()
        if self._stop.is_set():
            return
        self._error = redacted(str(error)).removeprefix(f"{self.location}: ")
        final = self._lossless or isinstance(error, OutletEndedError)
        if self._failing_since is None:
            self._failing_since = time.monotonic()
            _log.warning("%s: %s; %s", self.location, self._error, "given up" if final else "trying again")
        if final:
            self._state = OutletState.CLOSED
            return
        self._state = OutletState.WAITING
        delay = min(self._retry_cap, _FIRST_DELAY * 2**self._attempts)
        self._attempts = min(self._attempts + 1, 30)
        self._stop.wait(delay * random.uniform(0.5, 1.0))  # noqa: S311 - to spread attempts, not to keep secrets


def _nothing() -> None:
    pass


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - it has failed already, and that is what is told
        _log.debug("after a failure: %s", error)
