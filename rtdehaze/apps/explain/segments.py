"""A picture cut into pieces that a person recognises: superpixels."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.haze import Map

__all__ = ["cut_up"]

Labels = NDArray[np.int32]

_ROUNDS = 8
"""Rounds of k-means; the borders move no more after about five."""
_CLEANINGS = 3
"""Rounds in the end that take crumbs and frayed borders away."""
_COMPACTNESS = 15.0
"""What a distance of one grid step weighs against a difference in CIELAB, as SLIC's m: 10 to 40 in the paper."""


def cut_up(thumbnail: Map, count: int) -> Labels:
    """Cuts a picture into superpixels: SLIC (Achanta et al. 2012), each centre bound to its cell's neighbours.

    Haze is flat and gives k-means little to go by: there the pieces stay the grid that they began as.

    Args:
        thumbnail: (3, h, w), RGB in [0, 1].
        count: How many pieces about; a small picture has fewer.

    Returns:
        (h, w), labels from 0 without gaps; most pieces are of one part.
    """
    height, width = thumbnail.shape[1:]
    step = max(2.0, (height * width / count) ** 0.5)
    rows, columns = max(1, round(height / step)), max(1, round(width / step))
    lab = cv2.cvtColor(np.ascontiguousarray(thumbnail.transpose(1, 2, 0)), cv2.COLOR_RGB2LAB)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    weight = np.float32(_COMPACTNESS / step)
    features = np.concatenate([lab, (y * weight)[..., None], (x * weight)[..., None]], axis=2)
    own_row = np.minimum((y * rows / height).astype(np.int32), rows - 1)
    own_column = np.minimum((x * columns / width).astype(np.int32), columns - 1)
    labels = own_row * columns + own_column
    for _ in range(_ROUNDS):
        labels = _assign(features, _means(features, labels, rows * columns), (own_row, own_column), rows, columns)
    for _ in range(_CLEANINGS):
        labels = _by_majority(labels, (own_row, own_column), rows, columns)
    return np.unique(labels, return_inverse=True)[1].reshape(height, width).astype(np.int32)


def _means(features: Map, labels: Labels, count: int) -> Map:
    flat = labels.reshape(-1)
    sizes = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, weights=channel.reshape(-1), minlength=count) for channel in np.moveaxis(features, 2, 0)]
    return (np.stack(sums, axis=1) / sizes[:, None]).astype(np.float32)


def _assign(features: Map, centres: Map, own: tuple[Labels, Labels], rows: int, columns: int) -> Labels:
    """Gives every sample the nearest of the centres of its own cell and the eight around it."""
    best = np.full(features.shape[:2], np.inf, np.float32)
    labels = np.zeros(features.shape[:2], np.int32)
    for row, column in _around(own, rows, columns):
        candidate = row * columns + column
        distance = ((features - centres[candidate]) ** 2).sum(axis=2)
        nearer = distance < best
        best[nearer], labels[nearer] = distance[nearer], candidate[nearer]
    return labels


def _by_majority(labels: Labels, own: tuple[Labels, Labels], rows: int, columns: int) -> Labels:
    """Gives every sample the label that most of the 5 x 5 samples about it have."""
    # Of the nine cells about a sample no two are alike in row and column modulo 3: nine counts do for all labels.
    kinds = labels // columns % 3 * 3 + labels % columns % 3
    counts = np.stack([cv2.boxFilter((kinds == kind).astype(np.float32), -1, (5, 5)) for kind in range(9)])
    best = np.full(labels.shape, -1.0, np.float32)
    found = labels.copy()
    for row, column in _around(own, rows, columns):
        count = np.take_along_axis(counts, (row % 3 * 3 + column % 3)[None], axis=0)[0]
        more = count > best
        best[more], found[more] = count[more], (row * columns + column)[more]
    return found


def _around(own: tuple[Labels, Labels], rows: int, columns: int) -> Iterator[tuple[Labels, Labels]]:
    """The row and column of every sample's own cell, then of the eight around it."""
    for down in (0, -1, 1):
        for across in (0, -1, 1):
            yield np.clip(own[0] + down, 0, rows - 1), np.clip(own[1] + across, 0, columns - 1)
