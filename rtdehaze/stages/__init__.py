"""The stages of a frame's way, one folder each: capture, estimate, smooth, recompose, encode."""

from pathlib import Path

from rtdehaze.core.caches import ensure_place_for_loops

ensure_place_for_loops(Path(__file__).parent)
