"""What every sink promises, whatever it writes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.core.stream import CopiedStream, Packet
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import decoded, write_image, write_video
from tests.stages.encode.passing import feed, transcode

FILES = ["out.mp4", "out.mov", "out.mkv", "out.webm", "out.ts", "out.avi"]
ROWS = ["row/%05d.png", "folder/"]
ALL = [*FILES, *ROWS, "photo.png"]
FRAMES = 7


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Seven frames at a rate that no container rounds, with B-frames and sound."""
    folder = tmp_path / "in"
    folder.mkdir()
    return write_video(folder / "clip.mkv", frames=FRAMES, time_base=Fraction(1, 1000), b_frames=2, audio=1)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    return write_image(folder / "photo.png")


def origin_for(name: str, clip: Path, photo: Path) -> Path:
    return photo if name.startswith("photo") else clip


def place(tmp_path: Path, name: str) -> str:
    """A place in an empty folder of its own; a trailing slash stays."""
    (tmp_path / "out").mkdir(exist_ok=True)
    return f"{tmp_path / 'out'}/{name}"


def left_in(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def frames_of(tmp_path: Path) -> list[av.VideoFrame]:
    return [frame for path in sorted(left_in(tmp_path)) for frame in decoded(path)]


@pytest.mark.parametrize("name", ALL)
def test_every_frame_comes_out(name: str, clip: Path, photo: Path, tmp_path: Path) -> None:
    origin = origin_for(name, clip, photo)
    transcode(origin, place(tmp_path, name))
    assert len(frames_of(tmp_path)) == len(decoded(origin))


@pytest.mark.parametrize("name", FILES)
def test_frames_keep_their_distance_in_time(name: str, clip: Path, tmp_path: Path) -> None:
    transcode(clip, place(tmp_path, name))
    before = [Fraction(frame.pts) * frame.time_base for frame in decoded(clip)]
    after = [Fraction(frame.pts) * frame.time_base for frame in frames_of(tmp_path)]
    # TS and AVI begin where their decoding begins; all streams are moved alike.
    assert [time - after[0] for time in after] == [time - before[0] for time in before]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
def test_timestamps_are_kept_as_they_are(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    uneven = [500, 533, 601, 602, 900, 1010, 2000]
    origin = write_video(
        tmp_path / "in" / "vfr.mkv", frames=len(uneven), time_base=Fraction(1, 1000), pts=uneven, b_frames=2
    )
    transcode(origin, place(tmp_path, name))
    assert [round(frame.time * 1000) for frame in frames_of(tmp_path)] == uneven


@pytest.mark.parametrize("name", ALL)
def test_a_flat_colour_survives(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    origin = tmp_path / "in" / ("flat.png" if name.startswith("photo") else "flat.mkv")
    colour = (196, 106, 40)
    _write_flat(origin, colour)
    transcode(origin, place(tmp_path, name))
    for frame in frames_of(tmp_path):
        shown = frame.to_ndarray(format="rgb24", src_colorspace=1 if frame.format.name.startswith("yuv") else None)
        assert np.abs(shown.reshape(-1, 3).mean(axis=0) - colour).max() <= 3


def _write_flat(path: Path, colour: tuple[int, int, int]) -> None:
    picture = np.empty((48, 64, 3), np.uint8)
    picture[:] = colour
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    if path.suffix == ".png":
        frame.save(path)
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        # A transport stream of fewer packets is not recognised by readers.
        for index in range(25):
            made = frame.reformat(format="yuv420p", dst_colorspace=1)
            made.pts, made.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("name", ALL)
def test_an_abort_before_the_first_frame_leaves_nothing(
    name: str, keep: bool, clip: Path, photo: Path, tmp_path: Path
) -> None:
    with open_source(str(origin_for(name, clip, photo))) as source:
        sink = open_sink(place(tmp_path, name), source)
        assert sink.abort(keep=keep) is False
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", [*FILES, *ROWS])
def test_an_abort_that_keeps_leaves_what_was_encoded(name: str, clip: Path, photo: Path, tmp_path: Path) -> None:
    with open_source(str(clip)) as source:
        sink = open_sink(place(tmp_path, name), source)
        feed(sink, source, frames=4)
        assert sink.abort(keep=True) is True
        assert sink.abort(keep=False) is True
    assert len(frames_of(tmp_path)) == 4


@pytest.mark.parametrize("name", [*FILES, *ROWS])
def test_an_abort_that_keeps_nothing_removes_every_trace(name: str, clip: Path, tmp_path: Path) -> None:
    with open_source(str(clip)) as source:
        sink = open_sink(place(tmp_path, name), source)
        feed(sink, source, frames=4)
        assert sink.abort(keep=False) is False
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ALL)
def test_finishing_twice_is_safe_and_final(name: str, clip: Path, photo: Path, tmp_path: Path) -> None:
    with open_source(str(origin_for(name, clip, photo))) as source:
        sink = open_sink(place(tmp_path, name), source)
        written = feed(sink, source)
        sink.finish()
        sink.finish()
        assert sink.abort(keep=False) is True
        with pytest.raises(SinkError, match="closed"):
            sink.write(Packet(CopiedStream(9, "data", "none"), object()))
    assert len(frames_of(tmp_path)) == written


@pytest.mark.parametrize("name", ALL)
def test_finishing_without_a_frame_says_so_and_leaves_nothing(
    name: str, clip: Path, photo: Path, tmp_path: Path
) -> None:
    with open_source(str(origin_for(name, clip, photo))) as source:
        sink = open_sink(place(tmp_path, name), source)
        with pytest.raises(SinkError, match="no frame"):
            sink.finish()
        sink.abort(keep=True)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ALL)
def test_allocated_frames_have_memory_of_their_own(name: str, clip: Path, photo: Path, tmp_path: Path) -> None:
    with open_source(str(origin_for(name, clip, photo))) as source:
        sink = open_sink(place(tmp_path, name), source, width=80, height=50)
        like = next(item for item in source.items() if hasattr(item, "planes"))
        one, two = sink.allocate(like), sink.allocate(like)
        sink.abort(keep=False)
    assert (one.width, one.height, one.format) == (80, 50, like.format)
    assert (one.pts, one.time_base, one.colour) == (like.pts, like.time_base, like.colour)
    one.planes[0].data[:] = 1
    two.planes[0].data[:] = 2
    assert one.planes[0].data.max() == 1
    assert one.planes[0].data.flags.c_contiguous
    assert not np.shares_memory(one.planes[0].data, like.planes[0].data)
