from __future__ import annotations

import numpy as np
import pytest
from recompose_frames import UNTOUCHED, chroma_step, empty_frame, levels_of, make_frame, plane_sizes, random_frame

from rtdehaze.core.frame import PIXEL_FORMATS, Frame
from rtdehaze.stages.recompose.compare import Comparison
from rtdehaze.stages.recompose.recomposer import Recomposer

RNG = np.random.default_rng(9)


def compare(kind: str, name: str, width: int, height: int, level: int = 120) -> tuple[Frame, Frame]:
    """The input, noise; and the comparison in which the recomposed picture is of one level."""
    pixels = PIXEL_FORMATS[name]
    unit = 1 << (pixels.bits - 8)
    frame = random_frame(name, width, height, RNG)
    clear = make_frame(name, [np.full((h, w), level * unit) for w, h in plane_sizes(pixels, width, height)])
    comparison = Comparison(kind)
    out = empty_frame(name, *comparison.size(width, height))
    Recomposer().apply(clear, None, out, left=comparison.left(width))
    comparison.draw(frame, out)
    return frame, out


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 2), (17, 31), (64, 48), (640, 360)])
@pytest.mark.parametrize("kind", ["split", "side"])
def test_the_input_is_left_and_the_output_right_in_every_format_and_size(
    kind: str, name: str, width: int, height: int
) -> None:
    frame, out = compare(kind, name, width, height)
    assert (out.width, out.height) == ((width, height) if kind == "split" else (2 * (width + width % 2), height))
    unit = 1 << (frame.format.bits - 8)
    below = slice(height // 2, None)
    for number, (plane, shown) in enumerate(zip(levels_of(frame), levels_of(out), strict=True)):
        step = chroma_step(frame.format)[0] if number else 1
        half = width // 2 if kind == "split" else width
        before = max(half // step - 4, 0)
        rows = below if number == 0 else slice(-(-height // 2 // chroma_step(frame.format)[1]), None)
        np.testing.assert_array_equal(shown[rows, :before], plane[rows, :before])
        after = shown[rows, -(-half // step) + 4 :]
        assert ((after == 120 * unit) | (after == 0)).all()
    for plane in out.planes:
        assert (plane.data[:, plane.width :] == UNTOUCHED).all()
    if frame.format.shift:
        assert not (out.planes[1].samples & ((1 << frame.format.shift) - 1)).any()


@pytest.mark.parametrize("kind", ["split", "side"])
def test_a_white_line_without_colour_divides_the_two(kind: str) -> None:
    _, out = compare(kind, "yuv420p", 640, 360)
    middle = 320 if kind == "split" else 640
    luma, u, v = levels_of(out)
    assert (luma[:, middle - 1 : middle + 1] == 235).all()
    assert (luma[200:, middle + 4 :] == 120).all()
    assert (u[:, middle // 2] == 128).all()
    assert (v[:, middle // 2 - 1] == 128).all()


@pytest.mark.parametrize("level", [16, 120, 235])
def test_labels_are_white_letters_with_a_dark_outline_on_any_ground(level: int) -> None:
    _, out = compare("side", "gray", 640, 360, level)
    corner = levels_of(out)[0][8:40, 650:800]
    assert corner.max() >= 230
    assert corner.min() <= 20
    assert (corner == level).mean() > 0.2


def test_a_tall_picture_has_labels_too() -> None:
    _, out = compare("split", "gray", 360, 640)
    right = levels_of(out)[0][:60, 184:]
    assert right.max() >= 230


def test_labels_are_left_out_where_they_could_not_be_read() -> None:
    for width, height in ((64, 48), (1000, 100), (60, 600)):
        _, out = compare("split", "gray", width, height)
        right = levels_of(out)[0][:, width // 2 + 4 :]
        assert (right == 120).all()


def test_an_odd_width_is_made_even_by_repeating_the_last_column() -> None:
    frame, out = compare("side", "yuv420p", 63, 20)
    luma = levels_of(out)[0]
    np.testing.assert_array_equal(luma[:, 61], levels_of(frame)[0][:, 61])
    assert out.width == 128
    assert (luma[:, 126] == luma[:, 127]).all()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="diagonal"):
        Comparison("diagonal")
