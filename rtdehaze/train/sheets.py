"""Contact sheets: what the network will see, and what it makes of pictures that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import SinkError
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.config import Config
from rtdehaze.train.data import Samples
from rtdehaze.train.networks import Estimator
from rtdehaze.train.scenes import Scene
from rtdehaze.train.validate import Pair, restore

__all__ = ["preview", "restored", "write_sheet"]

Bytes = NDArray[np.uint8]

TILE = (144, 192)
"""(height, width) of a picture on a sheet."""


def preview(scenes: Sequence[Scene], config: Config, rows: int = 8, columns: int = 3) -> Bytes:
    """The first samples of a run: for each the hazy picture, the clear one and the transmission.

    Returns:
        (H, W, 3) RGB.
    """
    samples = Samples(scenes, config)
    tiles = []
    for number in range(rows * columns):
        sample = samples[number, *TILE]
        tiles.append(np.concatenate([sample.hazy, sample.clear, _grey(sample.transmission)], axis=1))
    return _grid(tiles, columns)


def restored(model: Estimator | AODNet, pairs: list[Pair], columns: int = 2) -> Bytes:
    """For each pair the hazy picture, the restored one, the truth and, of an estimator, its transmission.

    Args:
        model: In evaluation mode.
        pairs: What to show.
        columns: Pairs beside each other.

    Returns:
        (H, W, 3) RGB.
    """
    tiles = []
    for pair in pairs:
        picture, estimate = restore(model, pair.hazy)
        shown: list[NDArray[Any]] = [
            pair.hazy,
            np.round(picture * 255),
            pair.clear,
        ]
        if estimate is not None:
            shown.append(_grey(estimate.transmission[0, 0].cpu().numpy()))
        tiles.append(np.concatenate([_fit(part) for part in shown], axis=1))
    return _grid(tiles, columns)


def write_sheet(path: Path, sheet: Bytes) -> None:
    """Writes a sheet as a PNG.

    Raises:
        SinkError: It cannot be written.
    """
    try:
        path.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())
    except OSError as error:
        raise SinkError(f"sheet {path} cannot be written: {error.strerror}") from error


def _grey(values: NDArray[np.float32]) -> Bytes:
    return np.repeat(np.round(values * 255).astype(np.uint8)[..., None], 3, axis=2)


def _fit(picture: NDArray[Any]) -> Bytes:
    """The picture within a tile, its shape kept, the rest black."""
    scale = min(TILE[0] / picture.shape[0], TILE[1] / picture.shape[1])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    tile = np.zeros((*TILE, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(picture.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    return tile


def _grid(tiles: list[Bytes], columns: int) -> Bytes:
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    lines = [np.concatenate(tiles[i : i + columns], axis=1) for i in range(0, len(tiles), columns)]
    return np.concatenate(lines, axis=0)
