"""What every source promises, whatever it reads."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Layout
from rtdehaze.core.stream import Packet
from rtdehaze.stages.capture.base import BaseSource
from rtdehaze.stages.capture.source import open_source
from tests.media import write_image, write_video

FRAMES = 30
EXTENSIONS = ("mp4", "mkv", "ts", "avi", "mov", "webm")


def make_video(folder: Path, extension: str) -> str:
    return str(write_video(folder / f"clip.{extension}", width=50, height=34, frames=FRAMES, audio=1))


def make_pictures(folder: Path, suffix: str, count: int = FRAMES) -> None:
    for index in range(count):
        write_image(folder / f"{index:03d}{suffix}", 50, 34, index)


def make_sequence(folder: Path) -> str:
    make_pictures(folder, ".png")
    return str(folder / "%03d.png")


def make_folder(folder: Path) -> str:
    make_pictures(folder, ".jpg")
    return str(folder)


def make_photo(folder: Path) -> str:
    return str(write_image(folder / "photo.jpg", 50, 34))


MAKERS: dict[str, Callable[[Path], str]] = {
    **{extension: (lambda folder, extension=extension: make_video(folder, extension)) for extension in EXTENSIONS},
    "sequence": make_sequence,
    "folder": make_folder,
    "photo": make_photo,
}


@pytest.fixture(scope="module", params=MAKERS)
def location(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param))


def frames_of(source: BaseSource) -> list[Frame]:
    return [item for item in source.items() if isinstance(item, Frame)]


def test_every_frame_comes_out_with_strictly_increasing_timestamps(location: str) -> None:
    with open_source(location) as source:
        frames = frames_of(source)
    assert len(frames) == (1 if source.video.still else FRAMES)
    assert all(earlier.pts < later.pts for earlier, later in pairwise(frames))
    assert {frame.time_base for frame in frames} == {source.video.time_base}


def test_frames_look_as_the_source_said_they_would(location: str) -> None:
    with open_source(location) as source:
        video = source.video
        assert video.format is PIXEL_FORMATS[video.format.name]
        for frame in frames_of(source):
            assert (frame.width, frame.height, frame.format, frame.colour) == (50, 34, video.format, video.colour)


def test_planes_are_whole_contiguous_lines_of_the_formats_size(location: str) -> None:
    with open_source(location) as source:
        frame = frames_of(source)[0]
        chroma = frame.format.chroma_size(50, 34)
        sizes = {Layout.PLANAR: [(50, 34), chroma, chroma], Layout.GRAY: [(50, 34)]}[frame.format.layout]
        assert [(plane.width, plane.samples.shape[0]) for plane in frame.planes] == sizes
        for plane in frame.planes:
            assert plane.data.flags.c_contiguous
            assert plane.data.dtype == frame.format.dtype
            assert plane.samples.shape[1] == plane.width <= plane.data.shape[1]


def test_the_picture_is_the_one_that_was_written(location: str) -> None:
    with open_source(location) as source:
        luma = frames_of(source)[0].planes[0].samples.astype(float)
    assert luma[-4:, -4:].mean() > luma[:4, :4].mean() + 80, "red grows to the right, green downwards"


def test_expected_frames_and_duration_are_about_right(location: str) -> None:
    with open_source(location) as source:
        count = len(frames_of(source))
    assert source.video.frames == pytest.approx(count, abs=2)
    assert source.video.duration == pytest.approx(count / 25, abs=0.08)
    assert source.video.rate == Fraction(25)


def test_packets_belong_to_streams_that_were_announced(location: str) -> None:
    with open_source(location) as source:
        packets = [item for item in source.items() if isinstance(item, Packet)]
        assert {packet.stream for packet in packets} == set(source.copied)
        assert all(packet.native.size for packet in packets)


def test_closing_twice_is_safe(location: str) -> None:
    source = open_source(location)
    source.close()
    source.close()


def test_reading_after_close_is_a_source_error(location: str) -> None:
    with open_source(location) as source:
        pass
    with pytest.raises(SourceError, match="closed"):
        next(source.items())


def test_closing_in_the_middle_of_reading_ends_it_with_a_source_error(location: str) -> None:
    source = open_source(location)
    items = source.items()
    next(items)
    source.close()
    with pytest.raises(SourceError, match="closed"):
        next(items)


def test_another_thread_may_close_while_one_reads(location: str) -> None:
    source = open_source(location)
    begun = threading.Event()
    outcome: list[BaseException | None] = []

    def read() -> None:
        try:
            for _ in source.items():
                begun.set()
        except BaseException as error:  # noqa: BLE001 (the test looks at whatever it was)
            outcome.append(error)
        else:
            outcome.append(None)

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(20)
    source.close()
    reader.join(20)
    assert not reader.is_alive()
    assert outcome[0] is None or isinstance(outcome[0], SourceError)


def test_planes_outlive_the_source(location: str) -> None:
    with open_source(location) as source:
        plane = frames_of(source)[-1].planes[0]
    before = plane.samples.copy()
    del source
    gc.collect()
    assert np.array_equal(plane.samples, before)


def test_the_source_keeps_no_frame_that_it_has_handed_out(location: str) -> None:
    with open_source(location) as source:
        for item in source.items():
            if isinstance(item, Frame):
                array = weakref.ref(item.planes[0].data.base)
                del item
                gc.collect()
                assert array() is None
                break


def test_the_location_is_told_back(location: str) -> None:
    with open_source(location) as source:
        assert source.location == location
