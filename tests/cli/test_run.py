"""`rtdehaze run` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from rtdehaze.pipeline.transcode import default_output
from tests.media import fine_contrast

Command = Callable[..., Any]


def timestamps(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def gray_pictures(path: Path) -> list[np.ndarray[Any, Any]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def contrast(path: Path) -> float:
    return float(np.mean([fine_contrast(picture) for picture in gray_pictures(path)]))


def test_a_foggy_clip_comes_out_clearer_with_every_frame_at_its_time(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path
) -> None:
    clear = tmp_path / "clear.mp4"
    result = rtdehaze("run", foggy_clip, "-o", clear)
    assert result.code == 0, result.err
    assert str(clear) in result.out
    assert "24 frames" in result.out
    assert timestamps(clear) == pytest.approx(timestamps(foggy_clip))
    assert contrast(clear) > 1.2 * contrast(foggy_clip)


def test_without_an_output_the_result_goes_beside_the_input(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path
) -> None:
    source = tmp_path / "foggy.mp4"
    source.write_bytes(foggy_clip.read_bytes())
    assert rtdehaze("run", source).code == 0
    assert len(timestamps(tmp_path / "foggy-clear.mp4")) == 24


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("a/foggy.mp4", "a/foggy-clear.mp4"),
        ("frames/%05d.png", "frames-clear/%05d.png"),
        ("photo.jpg", "photo-clear.jpg"),
    ],
)
def test_the_default_name_says_clear_and_keeps_the_kind(given: str, named: str) -> None:
    assert default_output(given) == named


def test_the_report_as_json_accounts_for_every_frame_and_stage(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path
) -> None:
    result = rtdehaze("run", foggy_clip, "-o", tmp_path / "clear.mkv", "--json", "--provider", "cpu")
    report = json.loads(result.out)
    assert (report["frames_in"], report["frames_out"], report["dropped"]) == (24, 24, 0)
    assert list(report["stages"]) == ["capture", "estimate", "recompose", "encode"]
    for times in report["stages"].values():
        assert 0 < times["p50_ms"] <= times["p95_ms"] <= times["p99_ms"]
    assert report["provider"] == "cpu"
    assert 0 < report["mean_density"] <= 1
    assert report["interrupted"] is False


def test_quiet_says_nothing_when_all_is_well(rtdehaze: Command, foggy_clip: Path, tmp_path: Path) -> None:
    result = rtdehaze("run", foggy_clip, "-o", tmp_path / "clear.mp4", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_mode_off_changes_no_sample(rtdehaze: Command, foggy_clip: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.mkv"
    assert rtdehaze("run", foggy_clip, "-o", same, "--mode", "off", "--codec", "ffv1").code == 0
    for before, after in zip(gray_pictures(foggy_clip), gray_pictures(same), strict=True):
        np.testing.assert_array_equal(before, after)


def test_strength_zero_changes_no_sample(rtdehaze: Command, foggy_clip: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.mkv"
    arguments = ("--mode", "manual", "--strength", "0", "--codec", "ffv1")
    assert rtdehaze("run", foggy_clip, "-o", same, *arguments).code == 0
    for before, after in zip(gray_pictures(foggy_clip), gray_pictures(same), strict=True):
        np.testing.assert_array_equal(before, after)


def test_what_is_to_be_kept_comes_out_untouched(rtdehaze: Command, foggy_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept.mkv"
    arguments = ("--mode", "manual", "--keep-box", "16,8,40,20", "--codec", "ffv1")
    assert rtdehaze("run", foggy_clip, "-o", out, *arguments).code == 0
    for before, after in zip(gray_pictures(foggy_clip), gray_pictures(out), strict=True):
        np.testing.assert_array_equal(before[8:28, 16:56], after[8:28, 16:56])
        assert (before[40:] != after[40:]).mean() > 0.5


@pytest.mark.parametrize(("compare", "size"), [("split", (160, 96)), ("side", (320, 96))])
def test_a_comparison_shows_the_input_on_the_left(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path, compare: str, size: tuple[int, int]
) -> None:
    out = tmp_path / "both.mkv"
    arguments = ("--mode", "manual", "--compare", compare, "--codec", "ffv1")
    assert rtdehaze("run", foggy_clip, "-o", out, *arguments).code == 0
    before, after = gray_pictures(foggy_clip)[5], gray_pictures(out)[5]
    assert after.shape == size[::-1]
    np.testing.assert_array_equal(before[40:, :70], after[40:, :70])
    assert (before[40:, 90:] != after[40:, size[0] - 70 :]).mean() > 0.5


def test_part_of_a_clip_is_cut_to_the_frame(rtdehaze: Command, foggy_clip: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.mp4"
    assert rtdehaze("run", foggy_clip, "-o", part, "--start", "0.2", "--duration", "00:00:00.4").code == 0
    assert len(timestamps(part)) == 10


def test_an_existing_output_is_left_alone_without_overwrite(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "holiday.mp4"
    kept.write_bytes(b"precious")
    result = rtdehaze("run", foggy_clip, "-o", kept)
    assert result.code == 2
    assert_one_line(result.err, "--overwrite")
    assert kept.read_bytes() == b"precious"


def test_the_input_is_never_overwritten(rtdehaze: Command, foggy_clip: Path, tmp_path: Path) -> None:
    source = tmp_path / "foggy.mp4"
    source.write_bytes(foggy_clip.read_bytes())
    result = rtdehaze("run", source, "-o", source, "--overwrite")
    assert result.code == 2
    assert_one_line(result.err, "foggy.mp4")
    assert source.read_bytes() == foggy_clip.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--model", "nonesuch"], 2, "cap"),
        (["--codec", "nonesuch"], 2, "h264"),
        (["--encoder", "nonesuch"], 2, "nonesuch"),
        (["--provider", "abacus"], 2, "tensorrt"),
        (["--hwaccel", "nonesuch"], 2, "nonesuch"),
        (["--strength", "101"], 2, "0 to 100"),
        (["--smoothing", "-1"], 2, "0 to 1"),
        (["--mode", "maybe"], 2, "manual"),
        (["--start", "yesterday"], 2, "HH:MM:SS"),
        (["--start", "100"], 1, "100"),
        (["--duration", "0"], 2, "duration"),
        (["--keep-box", "1,2,3"], 2, "x,y,width,height"),
        (["--keep-box", "150,90,100,100"], 2, "150"),
        (["--bitrate", "fast"], 2, "4M"),
        (["--crf", "20", "--bitrate", "1M"], 2, "exclude"),
        (["--pixel-format", "nonesuch"], 2, "nonesuch"),
        (["--mask", "nonesuch.png"], 2, "nonesuch.png"),
        (["--nonesuch"], 2, "--nonesuch"),
        (["--rate", "0"], 2, "rate"),
        (["--threads", "0"], 2, "threads"),
    ],
)
def test_a_wrong_argument_gets_one_line_and_leaves_nothing_behind(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    result = rtdehaze("run", foggy_clip, "-o", tmp_path / "clear.mp4", *arguments)
    assert result.code == code, result.err
    assert_one_line(result.err, says)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["clear.nonesuch", "missing-folder/clear.mp4"])
def test_an_output_that_cannot_be_made_gets_one_line(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path, name: str
) -> None:
    result = rtdehaze("run", foggy_clip, "-o", tmp_path / name)
    assert result.code in (1, 2)
    assert_one_line(result.err, name.split("/")[0])
    assert list(tmp_path.iterdir()) == []


def assert_one_line(err: str, says: str) -> None:
    """Asserts that one line of error was printed, and nothing that looks like a traceback."""
    lines = [line for line in err.splitlines() if line.startswith("rtdehaze: error: ")]
    assert len(lines) == 1, err
    assert says in lines[0]
    assert "Traceback" not in err
    assert "internal error" not in err
