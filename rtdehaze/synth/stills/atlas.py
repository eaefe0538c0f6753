"""All patterns in one picture with their smaller versions, so that one look-up textures a whole frame."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.synth.stills.patterns import SIDE, make_tiles

__all__ = ["Atlas", "atlas"]

_SEED = 20011
_LEVELS = 7  # the smallest version of a tile is 4 texels wide
_PAD = 1  # texels repeated around each tile, for interpolation over its seam
_SPREAD = 36.0  # levels of a byte per unit of detail and cast


class Atlas:
    """The patterns, stacked; sampled for all pixels of a frame at once."""

    def __init__(self, seed: int) -> None:
        self.numbers, tiles = make_tiles(seed)
        columns, self._left, left = [], [], 0
        for level in range(_LEVELS):
            side = SIDE >> level
            column = np.concatenate([_padded(tile, side) for tile in tiles])
            full = np.zeros((len(tiles) * (SIDE + 2 * _PAD), side + 2 * _PAD, 3), np.uint8)
            full[: len(column)] = column
            columns.append(full)
            self._left.append(left)
            left += side + 2 * _PAD
        self._image = np.concatenate(columns, axis=1)

    def sample(
        self, tile: NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32], footprint: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Looks the patterns up.

        Args:
            tile: (h, w), numbers of tiles.
            u: (h, w), place across in tiles.
            v: (h, w), place down in tiles.
            footprint: (h, w), tiles per pixel: how much of a pattern a pixel averages.

        Returns:
            (h, w, 3): detail, mix in [0, 1], cast.
        """
        level = np.clip(np.log2(np.maximum(footprint * np.float32(SIDE), np.float32(1))) + 0.3, 0, _LEVELS - 1)
        level = level.astype(np.int32)
        side = (SIDE >> level).astype(np.float32)
        x = np.asarray(self._left, np.float32)[level] + _PAD - 0.5 + (u - np.floor(u)) * side
        y = tile * (side + 2 * _PAD) + _PAD - 0.5 + (v - np.floor(v)) * side
        found = cv2.remap(self._image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
        found[..., 0::2] = (found[..., 0::2] - 128) * np.float32(1 / _SPREAD)
        found[..., 1] *= np.float32(1 / 255)
        return found


def _padded(tile: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], side: int) -> NDArray[np.uint8]:
    detail, mix, cast = (cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA) for part in tile)
    stacked = np.stack([128 + _SPREAD * detail, 255 * mix, 128 + _SPREAD * cast], axis=-1)
    bytes_ = np.clip(np.rint(stacked), 0, 255).astype(np.uint8)
    return np.pad(bytes_, ((_PAD, _PAD), (_PAD, _PAD), (0, 0)), mode="wrap")


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The patterns of this process; the same in every process."""
    return Atlas(_SEED)
