"""Frames of the pipeline as pictures that can be measured and shown."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import rgb_to_levels
from rtdehaze.core.frame import Frame, Layout, Plane, Samples

__all__ = ["empty_frame", "rgb_of"]


def empty_frame(like: Frame) -> Frame:
    """Returns a writable frame of the size, format and time of another, its samples undefined."""
    planes = tuple(Plane(np.empty_like(plane.data), plane.width) for plane in like.planes)
    return replace(like, planes=planes, native=None)


def rgb_of(frame: Frame) -> NDArray[np.uint8]:
    """Turns a frame into RGB by its own matrix and range, chroma enlarged bilinearly.

    Returns:
        (H, W, 3), full range, rounded.
    """
    size = (frame.width, frame.height)
    luma, blue, red = (_plane(samples, size) for samples in _components(frame))
    matrix, offset = rgb_to_levels(frame.colour, frame.format.bits)
    scale = 1 << frame.format.shift
    inverse = np.linalg.inv(matrix) * (255.0 / scale)
    affine = np.hstack([inverse, -(inverse @ (offset * scale))[:, None]]).astype(np.float32)
    rgb = cv2.transform(cv2.merge([luma, blue, red]), affine)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _components(frame: Frame) -> tuple[Samples, Samples, Samples]:
    luma = frame.planes[0].samples
    if frame.format.layout is Layout.PLANAR:
        return luma, frame.planes[1].samples, frame.planes[2].samples
    if frame.format.layout is Layout.SEMIPLANAR:
        both = frame.planes[1].samples
        return luma, both[:, ::2], both[:, 1::2]
    grey = np.full((1, 1), 1 << (frame.format.bits - 1 + frame.format.shift), luma.dtype)
    return luma, grey, grey


def _plane(samples: Samples, size: tuple[int, int]) -> NDArray[np.float32]:
    floats = samples.astype(np.float32)
    if floats.shape == size[::-1]:
        return floats
    return np.asarray(cv2.resize(floats, size, interpolation=cv2.INTER_LINEAR), np.float32)
