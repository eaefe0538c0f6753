"""Small folders of pairs, clips and photographs to be scored."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

__all__ = ["clear_picture", "clips_folder", "hazed", "pairs_folder", "write_png"]

AIRLIGHT = 0.8


def clear_picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Boxes on a ground, (H, W, 3) RGB."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(40, 120, 3), np.uint8)
    for _ in range(12):
        x, y = int(rng.integers(width - 8)), int(rng.integers(height - 8))
        picture[y : y + 10, x : x + 10] = rng.integers(0, 256, 3)
    return picture


def hazed(clear: np.ndarray, transmission: float) -> np.ndarray:
    return np.round(clear * transmission + 255 * AIRLIGHT * (1 - transmission)).astype(np.uint8)


def write_png(path: Path, rgb: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return path


def pairs_folder(folder: Path, transmissions: tuple[float, ...] = (0.3, 0.5, 0.7), **size: int) -> Path:
    """Pairs p0, p1, ... of known transmission and airlight."""
    for number, transmission in enumerate(transmissions):
        clear = clear_picture(number, **size)
        write_png(folder / "clear" / f"p{number}.png", clear)
        write_png(folder / "hazy" / f"p{number}.png", hazed(clear, transmission))
        (folder / "t").mkdir(exist_ok=True)
        level = np.full(clear.shape[:2], round(65535 * transmission), np.uint16)
        assert cv2.imwrite(str(folder / "t" / f"p{number}.png"), level)
    meta = {f"p{number}": {"airlight_rgb": [AIRLIGHT] * 3} for number in range(len(transmissions))}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def clips_folder(folder: Path, frames: int = 6, transmission: float = 0.5) -> Path:
    """One clip as folders of frames, panning over a wide picture by two pixels a frame."""
    wide = cv2.GaussianBlur(clear_picture(9, 64, 160), (5, 5), 1.0)
    for number in range(frames):
        view = wide[:, 2 * number : 2 * number + 96]
        write_png(folder / "clear" / "pan" / f"{number:03d}.png", view)
        write_png(folder / "hazy" / "pan" / f"{number:03d}.png", hazed(view, transmission))
    return folder
