"""Pixel formats, sizes and colours: what passes as it is, and what it is converted to."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from numpy.typing import NDArray

from rtdehaze.core.colour import ColourTags, Matrix, rgb_to_levels
from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Layout
from rtdehaze.stages.capture.colour import resolve
from rtdehaze.stages.capture.convert import Converter
from rtdehaze.stages.capture.formats import nearest_format
from rtdehaze.stages.capture.planes import plane_views
from rtdehaze.stages.capture.problems import Notices
from rtdehaze.stages.capture.source import open_source
from tests.media import picture, video_frame, write_image, write_video


def convert(frame: av.VideoFrame, *, codec: str = "rawvideo", is_picture: bool = False) -> Frame:
    return Converter(Notices("clip"), codec=codec, picture=is_picture).frame(frame, 0, Fraction(1, 25))


def frames_of(path: Path) -> list[Frame]:
    with open_source(path) as source:
        return [item for item in source.items() if isinstance(item, Frame)]


def to_rgb(frame: Frame) -> NDArray[np.float64]:
    """A 4:4:4 frame's picture in RGB levels of 8 bits, by this project's own colour arithmetic."""
    matrix, offset = rgb_to_levels(frame.colour, frame.format.bits)
    levels = np.stack([plane.samples.astype(np.float64) for plane in frame.planes], axis=-1)
    rgb: NDArray[np.float64] = 255 * (levels - offset) @ np.linalg.inv(matrix).T
    return rgb


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@pytest.mark.parametrize("size", [(64, 48), (17, 31), (2, 2), (1, 1), (8192, 32)])
def test_formats_of_the_frame_path_pass_without_a_copy(name: str, size: tuple[int, int]) -> None:
    native = video_frame(64, 48, 0, "yuv420p").reformat(*size, format=name, threads=1)
    frame = convert(native)
    assert frame.native is native
    assert (frame.format.name, frame.width, frame.height) == (name, *size)
    chroma = frame.format.chroma_size(*size)
    for index, (plane, theirs) in enumerate(zip(frame.planes, native.planes, strict=True)):
        width, height = size if index == 0 else chroma
        if index and frame.format.layout is Layout.SEMIPLANAR:
            width *= 2
        assert plane.samples.shape == (height, width)
        assert plane.data.ctypes.data == theirs.buffer_ptr
        assert plane.data.shape[1] * plane.data.itemsize == theirs.line_size


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("rgb24", "yuv444p"),
        ("bgra", "yuv444p"),
        ("gbrp", "yuv444p"),
        ("pal8", "yuv444p"),
        ("rgb48be", "yuv444p10le"),
        ("gbrp12le", "yuv444p10le"),
        ("gbrpf32le", "yuv444p10le"),
        ("x2rgb10le", "yuv444p10le"),
        ("yuva420p", "yuv420p"),
        ("yuva444p10le", "yuv444p10le"),
        ("yuv410p", "yuv420p"),
        ("yuv411p", "yuv422p"),
        ("yuv440p", "yuv444p"),
        ("yuvj440p", "yuv444p"),
        ("nv16", "yuv422p"),
        ("nv24", "yuv444p"),
        ("nv21", "yuv420p"),
        ("yuyv422", "yuv422p"),
        ("uyvy422", "yuv422p"),
        ("p210le", "yuv422p10le"),
        ("p016le", "yuv420p10le"),
        ("yuv420p12le", "yuv420p10le"),
        ("yuv422p16be", "yuv422p10le"),
        ("yuv420p9le", "yuv420p10le"),
        ("yuv420p10be", "yuv420p10le"),
        ("gray16le", "gray10le"),
        ("gray12le", "gray10le"),
        ("ya8", "gray"),
        ("monow", "gray"),
    ],
)
def test_other_formats_go_to_the_nearest(name: str, nearest: str) -> None:
    assert nearest_format(name).name == nearest


@pytest.mark.parametrize(
    "name", ["bgra", "gbrp", "rgb48le", "yuva420p", "yuv411p", "nv16", "yuyv422", "gray16le", "ya8"]
)
def test_converted_frames_show_the_same_picture(name: str) -> None:
    native = video_frame(64, 48, 3, name)
    frame = convert(native)
    expected = native.reformat(format="gray", threads=1).planes[0]
    luma = frame.planes[0].samples.astype(float) / (1 << (frame.format.bits - 8))
    if not frame.colour.full_range:
        luma = (luma - 16) * 255 / 219
    gray = np.frombuffer(expected, np.uint8).reshape(48, -1)[:, :64].astype(float)
    tolerance = 3 if not (name.startswith(("bgr", "gbr", "rgb"))) else 25  # there the matrices differ
    assert np.abs(luma - gray).mean() < tolerance


@pytest.mark.parametrize("is_picture", [True, False])
@pytest.mark.parametrize(("name", "error"), [("rgb24", 1.6), ("bgra", 1.6), ("rgb48le", 0.4)])
def test_rgb_becomes_full_range_yuv_whose_colour_says_how_to_get_back(
    name: str, error: float, is_picture: bool
) -> None:
    samples = picture(64, 48, 5).astype(np.uint16) * 257
    deep = av.VideoFrame.from_ndarray(samples, format="rgb48le")
    frame = convert(deep if name == "rgb48le" else video_frame(64, 48, 5, name), is_picture=is_picture)
    assert frame.colour.full_range
    assert frame.colour.matrix is (Matrix.BT601 if is_picture else Matrix.BT709)
    assert frame.colour.tags.range == 2
    assert frame.colour.tags.space == (6 if is_picture else 1)
    wrong = to_rgb(frame) - picture(64, 48, 5)
    assert np.abs(wrong).max() < error
    assert np.abs(wrong.mean(axis=(0, 1))).max() < 0.25, "no tint"


def test_a_conversion_is_told_once_and_names_dropped_transparency(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "alpha.mkv", codec="ffv1", pixel_format="yuva420p", frames=5)
    assert {frame.format.name for frame in frames_of(path)} == {"yuv420p"}
    assert len(caplog.records) == 1
    assert "yuva420p is converted to yuv420p, transparency is dropped" in caplog.records[0].message


def test_lines_that_run_upwards_are_put_in_order() -> None:
    native = video_frame(64, 48)
    graph = Graph()
    source = graph.add("buffer", video_size="64x48", pix_fmt="yuv420p", time_base="1/25", pixel_aspect="1/1")
    graph.link_nodes(source, graph.add("vflip"), graph.add("buffersink"))
    graph.configure()
    native.pts, native.time_base = 0, Fraction(1, 25)
    graph.vpush(native)
    flipped = graph.vpull()
    assert flipped.planes[0].line_size < 0
    for plane, upright in zip(
        plane_views(flipped, PIXEL_FORMATS["yuv420p"]), plane_views(native, PIXEL_FORMATS["yuv420p"]), strict=True
    ):
        assert plane.data.flags.c_contiguous
        assert np.array_equal(plane.samples, upright.samples[::-1])


@pytest.mark.parametrize(
    ("tags", "name", "codec", "size", "matrix", "full"),
    [
        (ColourTags(), "yuv420p", "h264", (1920, 1080), Matrix.BT709, False),
        (ColourTags(), "yuv420p", "h264", (1280, 400), Matrix.BT709, False),
        (ColourTags(), "yuv420p", "h264", (720, 576), Matrix.BT601, False),
        (ColourTags(), "yuv420p", "h264", (768, 577), Matrix.BT709, False),
        (ColourTags(), "yuvj420p", "mjpeg", (4000, 3000), Matrix.BT601, True),
        (ColourTags(range=2), "yuv420p", "h264", (640, 480), Matrix.BT601, True),
        (ColourTags(range=1, space=1), "yuv420p", "h264", (640, 480), Matrix.BT709, False),
        (ColourTags(space=5), "yuv420p", "h264", (1920, 1080), Matrix.BT601, False),
        (ColourTags(space=9), "yuv420p10le", "hevc", (1920, 1080), Matrix.BT2020, False),
        (ColourTags(), "gray", "png", (640, 480), Matrix.BT601, True),
        (ColourTags(), "gray", "hevc", (640, 480), Matrix.BT601, False),
        (ColourTags(range=1), "gray", "ffv1", (640, 480), Matrix.BT601, False),
    ],
)
def test_colour_is_resolved_from_tags_or_size(
    tags: ColourTags, name: str, codec: str, size: tuple[int, int], matrix: Matrix, full: bool
) -> None:
    colour = resolve(tags, name, codec, *size)
    assert (colour.matrix, colour.full_range, colour.tags) == (matrix, full, tags)


def test_tags_come_from_the_file_and_untagged_stays_untagged(tmp_path: Path) -> None:
    colour = {"color_range": 1, "colorspace": 1, "color_primaries": 1, "color_trc": 1}
    with open_source(write_video(tmp_path / "tagged.mp4", colour=colour)) as source:
        assert source.video.colour.tags == ColourTags(1, 1, 1, 1)
    with open_source(write_video(tmp_path / "untagged.mp4")) as source:
        assert source.video.colour.tags == ColourTags()
        assert source.video.colour.matrix is Matrix.BT601


@pytest.mark.parametrize("extension", ["png", "tif"])
def test_a_gray_photograph_is_full_range(tmp_path: Path, extension: str) -> None:
    path = write_image(tmp_path / f"gray.{extension}", pixel_format="gray")
    with open_source(path) as source:
        assert (source.video.format.name, source.video.colour.full_range) == ("gray", True)


def size_change(folder: Path, sizes: list[tuple[int, int]]) -> Path:
    """An MPEG-TS file whose stream takes up another size at a keyframe."""
    path = folder / "sizes.ts"
    content = b""
    for number, (width, height) in enumerate(sizes):
        part = write_video(folder / f"{number}.ts", width=width, height=height, frames=5)
        content += part.read_bytes()
    path.write_bytes(content)
    return path


def test_a_size_change_in_the_middle_keeps_the_first_size_and_every_frame(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = frames_of(size_change(tmp_path, [(64, 48), (128, 96)]))
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 10
    early, late = frames[0].planes[0].samples.astype(int), frames[5].planes[0].samples.astype(int)
    assert np.abs(early - late).mean() < 4
    assert sum("size changes to 128x96" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("name", ["yuv420p", "yuv444p10le", "nv12", "p010le", "gray"])
def test_other_proportions_are_letterboxed_in_black(name: str) -> None:
    converter = Converter(Notices("clip"), codec="rawvideo", picture=False)
    bright = av.VideoFrame.from_ndarray(np.full((40, 40, 3), 255, np.uint8), format="rgb24")
    converter.frame(video_frame(80, 40, 0, name), 0, Fraction(1, 25))
    frame = converter.frame(bright.reformat(format=name, threads=1), 1, Fraction(1, 25))
    unit = 1 << (frame.format.bits - 8 + frame.format.shift)
    luma = frame.planes[0].samples // unit
    black, white = (0, 255) if frame.colour.full_range else (16, 235)
    assert (luma[:, :19] == black).all()
    assert (luma[:, -19:] == black).all()
    assert (luma[:, 21:59] >= white - 1).all()
    for plane in frame.planes[1:]:
        assert np.abs(plane.samples // unit - 128.0).max() <= 1


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "nv12", "p010le"])
def test_letterboxed_colour_lies_where_the_luma_lies(name: str) -> None:
    converter = Converter(Notices("clip"), codec="rawvideo", picture=False)
    red = av.VideoFrame.from_ndarray(np.full((40, 40, 3), (255, 0, 0), np.uint8), format="rgb24")
    converter.frame(video_frame(80, 40, 0, name), 0, Fraction(1, 25))
    frame = converter.frame(red.reformat(format=name, threads=1), 1, Fraction(1, 25))
    red_difference = frame.planes[-1].samples[:, 1::2] if len(frame.planes) == 2 else frame.planes[-1].samples
    neutral = 128 << (frame.format.bits - 8 + frame.format.shift)
    assert [bool(column > neutral) for column in red_difference[10]] == [10 <= x < 30 for x in range(40)]


def test_a_change_of_matrix_or_range_in_the_middle_keeps_the_colours() -> None:
    converter = Converter(Notices("clip"), codec="rawvideo", picture=False)
    rgb = av.VideoFrame.from_ndarray(picture(64, 48), format="rgb24")
    seen = []
    for number, (space, levels) in enumerate([(5, 1), (1, 1), (5, 2), (9, 1)]):
        native = rgb.reformat(format="yuv444p", dst_colorspace=space, dst_color_range=levels, threads=1)
        frame = converter.frame(native, number, Fraction(1, 25))
        assert (frame.colour.matrix, frame.colour.full_range) == (Matrix.BT601, False)
        seen.append(to_rgb(frame))
    assert max(np.abs(other - seen[0]).mean() for other in seen[1:]) < 1.5


def test_a_format_change_in_the_middle_is_converted_to_the_first(caplog: pytest.LogCaptureFixture) -> None:
    converter = Converter(Notices("clip"), codec="rawvideo", picture=False)
    names = ["yuv420p", "yuv444p10le", "yuvj422p", "yuv420p"]
    frames = [converter.frame(video_frame(64, 48, 0, name), i, Fraction(1, 25)) for i, name in enumerate(names)]
    assert {frame.format.name for frame in frames} == {"yuv420p"}
    assert len({frame.colour for frame in frames}) == 1
    first = frames[0].planes[0].samples.astype(int)
    assert max(np.abs(frame.planes[0].samples - first).mean() for frame in frames) < 1.5
    assert len(caplog.records) == 1


def test_a_picture_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtdehaze.stages.capture.convert.MAX_PIXELS", 1000)
    with pytest.raises(SourceError, match="64x48 is too large"):
        convert(video_frame(64, 48))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 31), (8192, 32)])
@pytest.mark.parametrize("name", ["yuv420p", "yuv444p", "rgb24"])
def test_odd_sizes_are_read_as_they_are(tmp_path: Path, size: tuple[int, int], name: str) -> None:
    width, height = size
    pixel_format = {"rgb24": "bgr0"}.get(name, name)
    path = write_video(
        tmp_path / "odd.mkv", codec="ffv1", width=width, height=height, frames=2, pixel_format=pixel_format
    )
    assert [(frame.width, frame.height) for frame in frames_of(path)] == [size, size]
    photo = write_image(tmp_path / "odd.png", width, height)
    assert [(frame.width, frame.height) for frame in frames_of(photo)] == [size]
