"""An encoding and the outlets that share it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rtdehaze.core.errors import SinkError
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.copying import StreamPlan
from rtdehaze.stages.encode.live.encoding import Encoding, Lane
from rtdehaze.stages.encode.live.feed import Parcel
from rtdehaze.stages.encode.live.outlet import Outlet

__all__ = ["Group"]


@dataclass(slots=True, eq=False)
class Group:
    """What an encoding makes goes to all of its members, and its failure is theirs alone."""

    encoding: Encoding
    members: list[tuple[Outlet, ContainerKind, list[StreamPlan]]] = field(default_factory=list)
    lane: Lane | None = None
    early: deque[Parcel] = field(default_factory=deque)
    """Copied packets that wait until an encoder that looks ahead has come as far."""
    failed: bool = False
    """Whether its encoder can go on no more."""

    def deliver(self, parcels: Sequence[Parcel]) -> None:
        """Hands over what has come out of the encoder, copied packets in their places between."""
        for parcel in parcels:
            self._put(parcel)
            while self.early and self.early[0].time <= parcel.native.dts * parcel.native.time_base:
                self._put(self.early.popleft())

    def copy(self, parcel: Parcel) -> None:
        """Hands a copied packet over, in time."""
        if self.encoding.plan.prompt:
            self._put(parcel)
        else:
            self.early.append(parcel)

    def finish(self) -> None:
        """Hands over what still waits."""
        while self.early:
            self._put(self.early.popleft())

    def _put(self, parcel: Parcel) -> None:
        for outlet, _, _ in self.members:
            outlet.put(parcel)

    def drop(self) -> None:
        """Counts a frame that will not be encoded."""
        for outlet, _, _ in self.members:
            outlet.lose(1)

    def fail(self, error: SinkError) -> None:
        """Gives its members up: the encoder can go on no more."""
        self.failed = True
        self.early.clear()
        for outlet, _, _ in self.members:
            outlet.give_up(error)
