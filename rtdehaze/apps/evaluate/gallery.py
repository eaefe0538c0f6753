"""The pictures worth looking at: the best and the worst of each model, kept small while an evaluation runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Gallery", "Panel", "Scene"]

Picture = NDArray[np.uint8]

LONG_SIDE = 480
"""Pixels: enough on a phone and in a column on a desk."""
QUALITY = 82

Panels = Sequence[tuple[str, Picture]]
"""Captions and pictures, (H, W, 3) RGB."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of a scene."""

    caption: str
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of the domain in all its forms."""

    name: str
    why: str
    """Which place it has with which model."""
    panels: tuple[Panel, ...]


class Gallery:
    """Keeps the scenes with the lowest and the highest score of each model.

    Args:
        count: Scenes kept at either end, for each model; 0 keeps none.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._ranks: dict[str, list[tuple[float, str]]] = {}
        self._panels: dict[str, tuple[Panel, ...]] = {}

    def offer(self, name: str, scores: Mapping[str, float], panels: Callable[[], Panels]) -> None:
        """Takes the scene if it is among the best or worst so far.

        Args:
            name: Of the scene, unique.
            scores: Model -> score; more is better.
            panels: Called only for a scene that is kept.
        """
        for model, score in scores.items():
            if not math.isnan(score):
                ranked = sorted([*self._ranks.get(model, []), (score, name)])
                self._ranks[model] = (
                    [*ranked[: self._count], *ranked[self._count :][-self._count :]] if self._count else []
                )
        kept = {known for ranked in self._ranks.values() for _, known in ranked}
        if name in kept:
            self._panels[name] = tuple(Panel(caption, _jpeg(picture)) for caption, picture in panels())
        self._panels = {known: stored for known, stored in self._panels.items() if known in kept}

    def scenes(self) -> list[Scene]:
        """The scenes kept, the worst first, each once."""
        why: dict[str, list[str]] = {}
        for model, ranked in self._ranks.items():
            worst = min(self._count, len(ranked) // 2)
            for place, (_, name) in enumerate(ranked):
                word = "worst" if place < worst else "best"
                why.setdefault(name, []).append(f"{word} of {model}")
        ordered = sorted(why, key=lambda name: (not any("worst" in text for text in why[name]), name))
        return [Scene(name, ", ".join(why[name]), self._panels[name]) for name in ordered]


def _jpeg(picture: Picture) -> bytes:
    scale = LONG_SIDE / max(picture.shape[:2])
    if scale < 1.0:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    stored = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return bytes(stored.tobytes())
