"""What the program believes of a picture's haze, what it does about it, and what its answers rest on."""

from __future__ import annotations

from rtdehaze.apps.explain.explainer import View
from rtdehaze.apps.explain.files import Explained, explain, explain_picture

__all__ = ["Explained", "View", "explain", "explain_picture"]
