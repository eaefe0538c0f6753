"""How near a picture is to the truth."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["band_around_edges", "mean_absolute_error", "psnr"]

Mask = NDArray[np.bool_]


def _difference(result: NDArray[Any], truth: NDArray[Any], mask: Mask | None) -> NDArray[np.float64]:
    if result.shape != truth.shape:
        raise ValueError(f"pictures of {result.shape} and {truth.shape} cannot be compared")
    if mask is None:
        return np.asarray(result.astype(np.float64) - truth)
    if mask.shape != result.shape[: mask.ndim]:
        raise ValueError(f"a mask of {mask.shape} does not go with a picture of {result.shape}")
    return np.asarray(result[mask].astype(np.float64) - truth[mask])


def psnr(result: NDArray[Any], truth: NDArray[Any], mask: Mask | None = None, peak: float | None = None) -> float:
    """Peak signal-to-noise ratio over all samples of one picture: 10 log10(peak^2 / mean squared error).

    Args:
        result: The picture that is judged, any shape.
        truth: The picture that it should be, same shape.
        mask: Boolean, of the shape of the picture or of its first axes; only samples where it is true count.
        peak: The largest level; by default 255 for uint8, 65535 for uint16, 1 for floats.

    Returns:
        Decibels; infinity for equal pictures, NaN when the mask selects nothing.

    Raises:
        ValueError: The shapes differ, or one picture is of integers and the other of floats.
    """
    if np.issubdtype(result.dtype, np.floating) != np.issubdtype(truth.dtype, np.floating):
        raise ValueError(f"pictures of {result.dtype} and {truth.dtype} are not on one scale")
    if peak is None:
        peak = float(np.iinfo(truth.dtype).max) if np.issubdtype(truth.dtype, np.integer) else 1.0
    difference = _difference(result, truth, mask)
    if difference.size == 0:
        return float("nan")
    error = float(np.mean(np.square(difference)))
    return float("inf") if error == 0.0 else float(10.0 * np.log10(peak * peak / error))


def mean_absolute_error(result: NDArray[Any], truth: NDArray[Any], mask: Mask | None = None) -> float:
    """The mean of |result - truth|, in the pictures' own unit; NaN when the mask selects nothing.

    Raises:
        ValueError: The shapes differ.
    """
    difference = _difference(result, truth, mask)
    return float(np.mean(np.abs(difference))) if difference.size else float("nan")


def band_around_edges(values: NDArray[np.float32], radius: float, threshold: float = 0.1) -> Mask:
    """The pixels within `radius` of an edge: where errors of an enlarged map gather.

    A pixel is on an edge where the largest and the smallest value among itself and its eight neighbours differ
    by more than `threshold`: absolutely, so give a transmission map, or the logarithm of a depth.

    Args:
        values: (H, W) float32; infinities count as an edge against anything finite.
        radius: Pixels (Euclidean); 0 gives the edges themselves.
        threshold: In the unit of `values`.

    Returns:
        (H, W) bool.
    """
    finite = np.where(np.isfinite(values), values, np.float32(np.finfo(np.float32).max / 4)).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    edges = cv2.dilate(finite, kernel) - cv2.erode(finite, kernel) > threshold
    if not edges.any():
        return np.zeros(values.shape, dtype=np.bool_)
    distance = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= radius)
