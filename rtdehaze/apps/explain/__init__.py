"""What the program believes of a picture's haze, what it does about it, and what its answers rest on."""

from __future__ import annotations

from rtdehaze.apps.explain.asking import atlas, explain_why, why
from rtdehaze.apps.explain.explainer import View
from rtdehaze.apps.explain.files import Explained, explain, explain_picture
from rtdehaze.apps.explain.why import Fill, Question, Why
from rtdehaze.apps.explain.why_sheet import draw_why

__all__ = [
    "Explained",
    "Fill",
    "Question",
    "View",
    "Why",
    "atlas",
    "draw_why",
    "explain",
    "explain_picture",
    "explain_why",
    "why",
]
