"""What passes through a live run: frames with what is known of them, and between them what is no frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, Lost
from rtdehaze.core.stream import Packet
from rtdehaze.pipeline.decision import Decision

__all__ = ["Item", "Passage", "is_frame"]


@dataclass(slots=True, eq=False)
class Passage:
    """A frame on its way."""

    frame: Frame
    """As it came; once recomposed, as it goes out."""
    number: int
    """Among the frames that came in, from 0."""
    decoded: float
    """By `time.monotonic()`, and so is `arrival`."""
    arrival: float
    decision: Decision = field(default_factory=lambda: Decision(None, None))


Item = Passage | Packet | Joined | Lost


def is_frame(item: Item) -> bool:
    """Whether the item may be dropped: events and packets may not."""
    return isinstance(item, Passage)
