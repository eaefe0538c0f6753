"""How steady a video is, measured along the true motion so that movement itself does not count."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["jitter", "warp_backward", "warping_error"]

Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]


def warp_backward(previous: NDArray[Any], flow: Flow) -> NDArray[np.float32]:
    """Moves the previous picture to where the present one has it: out(p) = previous(p + flow(p)), bilinear.

    Args:
        previous: (H, W) or (H, W, C), any real type.
        flow: (H, W, 2) float32, pixels (x, y), from a pixel of the present frame to where its surface point was.

    Returns:
        Float32 of the shape of `previous`, in its unit. Outside the picture the border is repeated; mask such
        places out.

    Raises:
        ValueError: The sizes do not agree.
    """
    if flow.shape != (*previous.shape[:2], 2):
        raise ValueError(f"a flow of {flow.shape} does not go with a picture of {previous.shape}")
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    warped = cv2.remap(previous.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.float32).reshape(previous.shape)


def jitter(current: NDArray[Any], previous: NDArray[Any], flow: Flow, valid: Mask) -> float:
    """Mean |current(p) - previous(p + flow(p))| over the valid pixels: what flickers, in the maps' own unit.

    For a transmission map the true value is not quite 0: a surface that comes nearer clears a little. Compare
    methods with one another, or with the jitter of the truth.

    Args:
        current: (H, W) or (H, W, C), the present frame's map or picture.
        previous: The frame's before, same shape.
        flow: (H, W, 2) float32, true backward motion in pixels.
        valid: (H, W) bool, where the surface point was seen in the previous frame.

    Returns:
        The mean, or NaN where nothing is valid.
    """
    difference = np.abs(current.astype(np.float32) - warp_backward(previous, flow))[valid]
    return float(difference.mean(dtype=np.float64)) if difference.size else float("nan")


def warping_error(current: NDArray[Any], previous: NDArray[Any], flow: Flow, valid: Mask) -> float:
    """Mean squared difference to the warped previous frame over the valid pixels (Lai et al. 2018, eq. 11).

    Arguments as for `jitter`; the squares are summed over the channels and divided by the number of valid pixels.
    The error of a video is the mean over its frames.
    """
    difference = (current.astype(np.float64) - warp_backward(previous, flow))[valid]
    return float(np.square(difference).sum() / len(difference)) if len(difference) else float("nan")
