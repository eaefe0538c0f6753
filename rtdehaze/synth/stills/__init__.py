"""Still scenes for learning: landscapes, towns, rooms, things, and shapes upon shapes, with exact depth."""

from __future__ import annotations

from rtdehaze.synth.stills.render import KINDS, render_still

__all__ = ["KINDS", "render_still"]
