"""What occlusion is to hide parts of a picture behind: bias of the effects for each way of hiding.

Three clear generated drives with one hazy patch each (t = 0.25). In the truth the patch raises the density, and clear
parts, compared with the average of the picture, do next to nothing. Printed for each model and fill: the mean effect of
a part on the patch and of a clear part.

    python benchmarks/occlusion_fills.py dcp cap
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from rtdehaze.apps.explain import Fill, explain_why
from rtdehaze.synth import FoggyDrive, add_haze

_SIZE = (512, 288)
_LEFT_EDGES = {1: 60, 2: 200, 3: 320}
"""Seed of a drive -> where its patch begins."""


def scene(seed: int, left: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns a clear picture with a hazy patch, RGB, and its transmission."""
    clear = FoggyDrive(*_SIZE, 25, 0.2, seed).frame(0).clear_float
    transmission = np.ones(clear.shape[:2], np.float32)
    transmission[120:240, left : left + 130] = 0.25
    transmission = cv2.GaussianBlur(transmission, (0, 0), 6)
    hazy = add_haze(clear, transmission, np.full(3, 0.8, np.float32))
    return np.rint(np.clip(hazy, 0, 1) * 255).astype(np.uint8), transmission


def main(models: list[str]) -> None:
    """Prints the table."""
    scenes = [scene(seed, left) for seed, left in _LEFT_EDGES.items()]
    print(f"{'model':12}{'fill':10}{'on the patch':>28}{'on clear parts':>28}")
    for model in models:
        for fill in Fill:
            patch, clear = [], []
            for picture, transmission in scenes:
                why = explain_why(picture, model, segments=60, samples=400, fill=fill)
                height, width = why.labels.shape
                t = cv2.resize(transmission, (width, height), interpolation=cv2.INTER_AREA)
                patch.append(f"{why.effect_map[t < 0.4].mean():+.4f}")
                clear.append(f"{why.effect_map[t > 0.98].mean():+.4f}")
            print(f"{model:12}{fill.value:10}{' '.join(patch):>28}{' '.join(clear):>28}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["dcp"])
