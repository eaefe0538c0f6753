"""From cameras and network streams to frames and packets, again and again."""

from __future__ import annotations

from rtdehaze.stages.capture.live.locations import is_live
from rtdehaze.stages.capture.live.opening import open_live_source

__all__ = ["is_live", "open_live_source"]
