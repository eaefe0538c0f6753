"""The encode stage: frames and copied packets in, a file or pictures out, complete or not at all."""

from __future__ import annotations

from rtdehaze.stages.encode.encoders import EncoderState, available_encoders
from rtdehaze.stages.encode.sink import open_sink

__all__ = ["EncoderState", "available_encoders", "open_sink"]
