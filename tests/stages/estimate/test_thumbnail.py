from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtdehaze.core.colour import Colour, Matrix, rgb_to_levels
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Layout, Plane
from rtdehaze.stages.estimate.thumbnail import thumbnail_of, thumbnail_of_rgb

FORMATS = sorted(PIXEL_FORMATS)
COLOURS = [Colour(matrix, full) for matrix in Matrix for full in (False, True)]


def random_frame(name: str, width: int, height: int, colour: Colour, seed: int = 0) -> Frame:
    """Noise in the picture, and in the padding levels that no average may contain."""
    form, rng = PIXEL_FORMATS[name], np.random.default_rng(seed)
    chroma_w, chroma_h = form.chroma_size(width, height)
    sizes = {
        Layout.PLANAR: [(width, height), (chroma_w, chroma_h), (chroma_w, chroma_h)],
        Layout.SEMIPLANAR: [(width, height), (chroma_w * 2, chroma_h)],
        Layout.GRAY: [(width, height)],
    }[form.layout]
    planes = []
    for columns, rows in sizes:
        data = np.full((rows, columns + 13), np.iinfo(form.dtype).max, form.dtype)
        low, high = (60 << form.bits - 8, 190 << form.bits - 8)
        data[:, :columns] = rng.integers(low, high, (rows, columns)) << form.shift
        planes.append(Plane(data, columns))
    return Frame(tuple(planes), form, width, height, colour, 0, Fraction(1, 25))


def full_size_rgb(frame: Frame) -> np.ndarray:
    """The frame as (3, height, width) RGB in float64, chroma repeated, unclipped."""
    form = frame.format
    planes = [plane.samples.astype(np.float64) / (1 << form.shift) for plane in frame.planes]
    matrix, offset = rgb_to_levels(frame.colour, form.bits)
    if form.layout is Layout.GRAY:
        planes += [np.full(planes[0].shape, offset[1])] * 2
    elif form.layout is Layout.SEMIPLANAR:
        planes = [planes[0], planes[1][:, 0::2], planes[1][:, 1::2]]
    factor = (1 << form.log2_chroma_h, 1 << form.log2_chroma_w)
    for index in (1, 2):
        if planes[index].shape != planes[0].shape:
            repeated = planes[index].repeat(factor[0], 0).repeat(factor[1], 1)
            planes[index] = repeated[: frame.height, : frame.width]
    return np.tensordot(np.linalg.inv(matrix), np.stack(planes) - offset[:, None, None], 1)


def area_mean(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """The box average in its definition: overlap matrices left and right."""

    def overlap(cells: int, samples: int) -> np.ndarray:
        edges = np.arange(cells + 1)[:, None] * samples / cells
        at = np.arange(samples)
        shared = np.minimum(edges[1:], at + 1) - np.maximum(edges[:-1], at)
        return np.clip(shared, 0, None) * cells / samples

    return overlap(height, picture.shape[1]) @ picture @ overlap(width, picture.shape[2]).T


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [(64, 48), (67, 41), (17, 31), (1, 1), (2, 2), (300, 8)])
def test_the_thumbnail_is_the_area_mean_of_the_rgb_picture(name: str, size: tuple[int, int]) -> None:
    colour = COLOURS[(len(name) + size[0]) % len(COLOURS)]
    frame = random_frame(name, *size, colour)
    for width, height in ((16, 12), (8, 8), size):
        wanted = np.clip(area_mean(full_size_rgb(frame), width, height), 0, 1)
        np.testing.assert_allclose(thumbnail_of(frame, width, height), wanted, atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 11), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_at_whole_ratios_the_mean_is_exact(fx: int, fy: int, width: int, height: int, seed: int) -> None:
    frame = random_frame("gray", width * fx, height * fy, Colour(full_range=True), seed)
    blocks = frame.planes[0].samples.reshape(height, fy, width, fx).mean(axis=(1, 3), dtype=np.float64) / 255
    np.testing.assert_allclose(thumbnail_of(frame, width, height)[1], blocks, atol=1e-6)


@pytest.mark.parametrize("colour", COLOURS, ids=str)
def test_matrix_and_range_are_the_frames(colour: Colour) -> None:
    frame = random_frame("yuv420p", 48, 32, colour)
    wanted = np.clip(area_mean(full_size_rgb(frame), 12, 8), 0, 1)
    np.testing.assert_allclose(thumbnail_of(frame, 12, 8), wanted, atol=2e-5)


def test_where_rows_are_left_out_the_mean_stays_close() -> None:
    y, x = np.mgrid[0:2160, 0:640]
    samples = (128 + 60 * np.sin(x / 37) * np.cos(y / 53)).astype(np.uint8)
    frame = Frame((Plane(samples, 640),), PIXEL_FORMATS["gray"], 640, 2160, Colour(full_range=True), 0, Fraction(1))
    exact = area_mean(samples[None] / 255.0, 64, 90)
    assert np.abs(thumbnail_of(frame, 64, 90) - exact).max() < 0.01


def test_super_white_is_clipped() -> None:
    frame = random_frame("gray", 8, 8, Colour())
    frame.planes[0].data[:] = 255
    assert thumbnail_of(frame, 2, 2).max() == 1.0


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("view", [np.s_[:, :], np.s_[::2, ::-1]])
def test_a_picture_of_either_order_and_any_strides_is_averaged(order: str, view: tuple[slice, slice]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)[view]
    planes = picture.transpose(2, 0, 1) / 255.0
    wanted = area_mean(planes if order == "rgb" else planes[::-1], 20, 11)
    np.testing.assert_allclose(thumbnail_of_rgb(picture, order, 20, 11), wanted, atol=1e-5)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="order = 'gbr' must be 'rgb' or 'bgr'"):
        thumbnail_of_rgb(np.zeros((4, 4, 3), np.uint8), "gbr", 2, 2)
    for picture in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(UsageError, match="H x W x 3 array of uint8"):
            thumbnail_of_rgb(picture, "rgb", 2, 2)
    with pytest.raises(UsageError, match="float32"):
        thumbnail_of_rgb(np.zeros((4, 4, 3), np.float32), "rgb", 2, 2)  # type: ignore[arg-type]
