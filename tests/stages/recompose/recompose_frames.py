"""Frames with padding behind their lines, and their planes taken apart again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from rtdehaze.core.colour import Colour
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Layout, PixelFormat, Plane
from rtdehaze.core.haze import Removal

PADDING = 5
UNTOUCHED = 77


def plane_sizes(pixels: PixelFormat, width: int, height: int) -> list[tuple[int, int]]:
    """(width, height) of Y, or of Y, U and V."""
    if pixels.layout is Layout.GRAY:
        return [(width, height)]
    return [(width, height), *[pixels.chroma_size(width, height)] * 2]


def make_frame(name: str, planes: Sequence[np.ndarray], full_range: bool | None = None) -> Frame:
    """A frame of Y, or Y, U and V, in levels."""
    pixels = PIXEL_FORMATS[name]
    stored = [(np.asarray(plane).astype(np.int64) << pixels.shift) for plane in planes]
    if pixels.layout is Layout.SEMIPLANAR:
        stored = [stored[0], np.stack(stored[1:], axis=-1).reshape(stored[1].shape[0], -1)]
    padded = [np.pad(plane, ((0, 0), (0, PADDING)), constant_values=UNTOUCHED).astype(pixels.dtype) for plane in stored]
    made = tuple(Plane(np.ascontiguousarray(data), plane.shape[1]) for data, plane in zip(padded, stored, strict=True))
    colour = Colour(full_range=pixels.full_range if full_range is None else full_range)
    return Frame(made, pixels, planes[0].shape[1], planes[0].shape[0], colour, 0, Fraction(1, 25))


def empty_frame(name: str, width: int, height: int) -> Frame:
    return make_frame(name, [np.zeros((h, w), int) for w, h in plane_sizes(PIXEL_FORMATS[name], width, height)])


def random_frame(name: str, width: int, height: int, rng: np.random.Generator, span: float = 1.0) -> Frame:
    """Noise about the middle of the range; a span of 1 takes every level there is."""
    pixels = PIXEL_FORMATS[name]
    top = 1 << pixels.bits
    low, high = round(top * (0.5 - span / 2)), round(top * (0.5 + span / 2))
    return make_frame(name, [rng.integers(low, high, (h, w)) for w, h in plane_sizes(pixels, width, height)])


def levels_of(frame: Frame) -> list[np.ndarray]:
    """Y, or Y, U and V, as float64 in levels."""
    planes = [(plane.samples >> frame.format.shift).astype(np.float64) for plane in frame.planes]
    if frame.format.layout is Layout.SEMIPLANAR:
        return [planes[0], planes[1][:, 0::2], planes[1][:, 1::2]]
    return planes


def chroma_step(pixels: PixelFormat) -> tuple[int, int]:
    return 1 << pixels.log2_chroma_w, 1 << pixels.log2_chroma_h


def physical(transmission: np.ndarray, airlight: Sequence[float] = (0.8, 0.82, 0.85)) -> Removal:
    """The haze model's maps, without a guide."""
    t = np.asarray(transmission, np.float32)
    veil = np.asarray(airlight, np.float32).reshape(3, 1, 1) * (1 - t)
    return Removal(t, t, veil.astype(np.float32))
