"""The encoding thread's work on what passes: hand over, adapt, fill the gaps."""

from __future__ import annotations

import time

from rtdehaze.core.live import Joined, LiveOutputs, Lost
from rtdehaze.core.stream import Packet
from rtdehaze.pipeline.live.accounts import Accounts, Drop
from rtdehaze.pipeline.live.fillers import Fillers
from rtdehaze.pipeline.live.passage import Passage

__all__ = ["Delivery"]


class Delivery:
    """Hands frames, packets and fillers to the outputs.

    Args:
        outputs: Where they go.
        accounts: Take the counts and the ages.
        fillers: Make the frames of gaps.
    """

    def __init__(self, outputs: LiveOutputs, accounts: Accounts, fillers: Fillers) -> None:
        self._outputs, self._accounts, self._fillers = outputs, accounts, fillers

    def wait(self) -> float | None:
        """Seconds until there is something to do even if nothing comes; None where there is not."""
        return self._fillers.wait(time.monotonic())

    def idle(self) -> None:
        """Nothing came within `wait`: fills the gap."""
        now = time.monotonic()
        filler = self._fillers.make(now)
        if filler is not None:
            self._outputs.write(filler)
            self._fillers.fill(filler, now)
            self._accounts.filled()

    def join(self, joined: Joined) -> None:
        """Prepares the outputs for a make."""
        self._outputs.adapt(joined)
        self._fillers.adapt(joined.video)

    def lose(self, _: Lost) -> None:
        """Begins to fill the gap."""
        self._fillers.lose(time.monotonic())

    def copy(self, packet: Packet) -> None:
        """Passes a packet on."""
        self._outputs.write(packet)
        self._accounts.copied()

    def write(self, passage: Passage) -> None:
        """Hands a recomposed frame over."""
        frame = passage.frame
        if self._fillers.passed(frame.pts):
            self._accounts.drop(Drop.ORDER)
            return
        begun = time.monotonic()
        with self._accounts.stages["encode"].measure():
            self._outputs.write(frame)
        now = time.monotonic()
        self._accounts.added.add(begun - passage.decoded)
        self._accounts.age.add(now - passage.arrival)
        self._accounts.went(now)
        self._fillers.follow(frame, begun)
