"""Inputs that cannot be dehazed: one clear line, the right exit code, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

Command = Callable[..., Any]


def audio_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def zero_frames(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()


BROKEN: dict[str, Callable[[Path], object]] = {
    "missing.mp4": lambda path: None,
    "empty.mp4": lambda path: path.write_bytes(b""),
    "garbage.mp4": lambda path: path.write_bytes(np.random.default_rng(0).bytes(20_000)),
    "audio-only.m4a": audio_only,
    "zero-frames.mp4": zero_frames,
    "folder": lambda path: path.mkdir(),
    "frames-%03d.png": lambda path: None,
    "not-a-picture.png": lambda path: path.write_bytes(b"PNG?"),
    "text.txt": lambda path: path.write_text("This is not a video.\n" * 100),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_input_gets_one_line_with_its_name_and_leaves_nothing(
    rtdehaze: Command, tmp_path: Path, name: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    BROKEN[name](tmp_path / "in" / name)
    result = rtdehaze("run", tmp_path / "in" / name, "-o", tmp_path / "out" / "clear.mp4")
    assert result.code == 1, (result.out, result.err)
    lines = [line for line in result.err.splitlines() if "error" in line]
    assert len(lines) == 1, result.err
    assert name in lines[0]
    assert "Traceback" not in result.err
    assert "internal error" not in result.err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_truncated_file_is_dehazed_as_far_as_it_goes_and_the_loss_is_said(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.mkv"
    assert rtdehaze("run", foggy_clip, "-o", whole, "--mode", "off").code == 0
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    out = tmp_path / "clear.mp4"
    result = rtdehaze("run", cut, "-o", out)
    assert result.code == 0, result.err
    with av.open(str(out)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert 0 < frames < 24


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 31), (1024, 8)])
def test_odd_and_extreme_sizes_come_out_at_their_size(rtdehaze: Command, tmp_path: Path, size: tuple[int, int]) -> None:
    source, out = tmp_path / "in.mkv", tmp_path / "out.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv444p"
        for number in range(4):
            picture = np.random.default_rng(number).integers(100, 200, (size[1], size[0], 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv444p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    result = rtdehaze("run", source, "-o", out, "--mode", "manual")
    assert result.code == 0, result.err
    with av.open(str(out)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 4
    assert (frames[0].width, frames[0].height) == size


def test_wrong_words_are_said_without_the_credentials_in_them(rtdehaze: Command) -> None:
    result = rtdehaze("run", "a.mp4", "rtsp://user:secret@192.0.2.1/stream")
    assert result.code == 2
    assert "secret" not in result.err
    assert "192.0.2.1" in result.err
