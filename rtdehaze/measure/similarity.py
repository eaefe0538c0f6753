"""How alike two pictures look: SSIM and CIEDE2000 as scikit-image computes them. Needs the extra `[evaluate]`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import MissingDependencyError

__all__ = ["assert_available", "ciede2000", "ssim"]

Picture = NDArray[np.uint8]

WINDOW = 11
"""Samples across SSIM's window: a Gaussian of standard deviation 1.5, cut at 3.5 of them."""


def assert_available() -> None:
    """Returns if both measures can be computed.

    Raises:
        MissingDependencyError: scikit-image is not installed.
    """
    _skimage("metrics")
    _skimage("color")


def _skimage(part: str) -> Any:
    """A module of scikit-image, untyped as its functions are."""
    try:
        return import_module(f"skimage.{part}")
    except ImportError as error:
        raise MissingDependencyError(
            "SSIM and CIEDE2000 need scikit-image; install it with: pip install 'rtdehaze[evaluate]'"
        ) from error


def ssim(result: Picture, truth: Picture) -> float:
    """Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) as published dehazing scores take it.

    `skimage.metrics.structural_similarity` with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    data_range=255, channel_axis=2`: the paper's own window and statistics, the mean over the three RGB channels.
    In single precision, which takes three quarters of the time and changes the eighth digit.

    Args:
        result: (H, W, 3) RGB.
        truth: Same shape.

    Returns:
        At most 1, which is an equal picture; NaN for a picture smaller than the window of 11 x 11.

    Raises:
        MissingDependencyError: scikit-image is not installed.
        ValueError: The shapes differ.
    """
    metrics = _skimage("metrics")
    if min(truth.shape[:2]) < WINDOW:
        return float("nan")
    return float(
        metrics.structural_similarity(
            result.astype(np.float32),
            truth.astype(np.float32),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            channel_axis=2,
        )
    )


def ciede2000(result: Picture, truth: Picture) -> float:
    """Mean colour difference CIEDE2000 (Sharma, Wu, Dalal 2005), pictures taken for sRGB under D65.

    Args:
        result: (H, W, 3) RGB.
        truth: Same shape.

    Returns:
        0 for equal pictures; about 1 is just noticeable side by side.

    Raises:
        MissingDependencyError: scikit-image is not installed.
        ValueError: The shapes differ.
    """
    color = _skimage("color")
    if result.shape != truth.shape:
        raise ValueError(f"pictures of {result.shape} and {truth.shape} cannot be compared")
    first, second = (color.rgb2lab(picture / np.float32(255)) for picture in (result, truth))
    return float(color.deltaE_ciede2000(first, second).mean(dtype=np.float64))
