"""Live outputs: frames encoded once, their packets in any number of outlets, each isolated from the others."""

from __future__ import annotations

from rtdehaze.stages.encode.live.opening import open_live_outputs

__all__ = ["open_live_outputs"]
