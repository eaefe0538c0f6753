"""Interlaced video: told, left alone unless asked, and then without a comb and without losing a frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rtdehaze.core.frame import Frame
from rtdehaze.stages.capture.deinterlace import Deinterlacer
from rtdehaze.stages.capture.problems import Notices
from rtdehaze.stages.capture.source import open_source
from tests.media import video_frame, write_video


def frames_of(path: Path, **options: float) -> list[Frame]:
    with open_source(path, **options) as source:
        return [item for item in source.items() if isinstance(item, Frame)]


def test_interlaced_video_is_told_once_and_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_video(tmp_path / "fields.ts", codec="mpeg2video", frames=20, interlaced=True)
    with open_source(path) as source:
        assert source.video.interlaced
        list(source.items())
    assert ["--deinterlace" in record.message for record in caplog.records] == [True]


@pytest.mark.parametrize("interlaced", [True, False])
def test_deinterlacing_keeps_count_and_timestamps(tmp_path: Path, interlaced: bool) -> None:
    path = write_video(tmp_path / "fields.ts", codec="mpeg2video", frames=20, interlaced=interlaced)
    plain = [frame.pts for frame in frames_of(path)]
    with open_source(path, deinterlace=True) as source:
        frames = [item for item in source.items() if isinstance(item, Frame)]
    assert [frame.pts for frame in frames] == plain
    assert not any(frame.native.interlaced_frame for frame in frames)


def test_deinterlacing_loses_no_frame_where_the_size_changes() -> None:
    deinterlacer = Deinterlacer(Notices("clip"), Fraction(1, 25), flagged=False)
    ready = []
    for index, width in enumerate([64, 64, 64, 32, 32, 2, 32]):
        frame = video_frame(width, 48, index)
        frame.pts, frame.time_base = index, Fraction(1, 25)
        ready += deinterlacer.feed(frame)
    assert [frame.pts for frame in [*ready, *deinterlacer.flush()]] == [0, 1, 2, 3, 4, 5, 6]


def test_deinterlacing_removes_the_comb(tmp_path: Path) -> None:
    combed = av.VideoFrame(64, 48, "yuv420p")
    for plane in combed.planes:
        lines = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
        lines[:] = 128
    luma = np.frombuffer(combed.planes[0], np.uint8).reshape(48, -1)
    luma[::2], luma[1::2] = 60, 200
    path = tmp_path / "comb.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(4):
            combed.pts, combed.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(combed))
        container.mux(stream.encode(None))
    with open_source(path, deinterlace=True) as source:
        frame = next(item for item in source.items() if isinstance(item, Frame))
        rows = frame.planes[0].samples.astype(int).mean(axis=1)
    assert np.abs(np.diff(rows))[4:-4].max() < 20
