from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from rtdehaze.apps.explain import explain, why
from rtdehaze.apps.explain.panels import Layout
from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Options
from rtdehaze.pipeline.transcode import transcode
from tests.apps.explain_models import five_convolutions, grey_is_transmission
from tests.media import decoded, write_image, write_video

Command = Callable[..., Any]


def times(path: Path) -> list[float]:
    return [frame.time for frame in decoded(path)]


@pytest.mark.parametrize("view", ["panels", "overlay"])
def test_a_video_is_explained_frame_by_frame_with_what_a_run_believes(
    foggy_clip: Path, tmp_path: Path, view: str
) -> None:
    options = Options(model="dcp", duration=0.4)
    out = tmp_path / "out.mp4"
    made = explain(foggy_clip, out, options, view=view, panel=240)
    run = transcode(foggy_clip, tmp_path / "run.mp4", options)
    assert made.frames == run.frames_out == 10
    assert made.density == pytest.approx(run.mean_density, abs=1e-3)
    assert times(out) == pytest.approx(times(tmp_path / "run.mp4"))


def test_odd_sizes_and_other_formats_become_even_drawings(tmp_path: Path) -> None:
    source = write_video(tmp_path / "odd.mkv", width=61, height=35, frames=3, codec="ffv1", pixel_format="yuv444p10le")
    explain(source, tmp_path / "out.mkv", Options(model="dcp", mode="manual"), view="depth")
    frames = decoded(tmp_path / "out.mkv")
    assert len(frames) == 3
    assert frames[0].width % 2 == frames[0].height % 2 == 0


def test_a_video_that_lies_on_its_side_is_drawn_upright(tmp_path: Path) -> None:
    source = write_video(tmp_path / "side.mp4", width=640, height=480, frames=2, rotation=90)
    out = tmp_path / "out.mp4"
    explain(source, out, Options(model="dcp", mode="manual"), view="overlay")
    frame = decoded(out)[0]
    assert frame.rotation == 0
    assert frame.width == 480
    assert frame.height > 640
    explain(source, out, Options(model="dcp", mode="manual", overwrite=True), panel=240)
    layout = Layout.of(480, 640, 240)
    (x, y), (width, height) = layout.corner(0), layout.picture
    raw = decoded(source)[0]
    upright = np.rot90(raw.to_ndarray(format="rgb24"), raw.rotation // 90)
    expected = cv2.resize(np.ascontiguousarray(upright), (width, height), interpolation=cv2.INTER_AREA)
    drawn = decoded(out)[0].to_ndarray(format="rgb24")[y : y + height, x : x + width]
    assert np.abs(drawn.astype(int) - expected).mean() < 6


def test_sound_comes_along(tmp_path: Path) -> None:
    source = write_video(tmp_path / "loud.mp4", audio=1)
    explain(source, tmp_path / "out.mp4", Options(model="dcp"), panel=240)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(container.streams.audio) == 1


def test_a_row_of_pictures_may_be_drawn_and_keeps_its_colours(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", frames=2)
    explain(source, str(tmp_path / "out" / "%03d.png"), Options(model="dcp"), panel=240)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["001.png", "002.png"]


def test_stopping_early_keeps_what_was_drawn_or_leaves_nothing(foggy_clip: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    out = tmp_path / "out.mp4"
    made = explain(foggy_clip, out, Options(model="dcp"), on_progress=lambda _: stop.set(), stop=stop)
    left = list(tmp_path.iterdir())
    assert left == ([out] if made.frames else [])
    assert not left or len(decoded(out)) == made.frames


def test_a_model_that_fails_in_the_middle_leaves_no_torn_file(tmp_path: Path, foggy_clip: Path) -> None:
    old = tmp_path / "old.mp4"
    old.write_bytes(b"old")
    with pytest.raises(UsageError, match="overwrite"):
        explain(foggy_clip, old, Options(model="dcp"))
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


def test_a_picture_gets_a_name_beside_it_and_is_not_overwritten_unasked(rtdehaze: Command, tmp_path: Path) -> None:
    source = write_image(tmp_path / "in.jpg", 96, 64)
    assert rtdehaze("explain", source, "--model", "dcp", "--quiet").code == 0
    made = tmp_path / "in-panels.png"
    before = made.read_bytes()
    assert cv2.imread(str(made)) is not None
    refused = rtdehaze("explain", source, "--model", "dcp")
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert made.read_bytes() == before
    assert rtdehaze("explain", source, "--model", "dcp", "--view", "gain", "-o", made, "--overwrite").code == 0
    assert made.read_bytes() != before


def test_why_and_atlas_write_one_picture_of_a_picture_and_of_a_video(
    rtdehaze: Command, foggy_clip: Path, tmp_path: Path
) -> None:
    picture = write_image(tmp_path / "in.png", 96, 64)
    few = ("--segments", 12, "--samples", 24)
    result = rtdehaze("explain", picture, "--why", "transmission", "--at", "40,20", *few, "--model", "dcp")
    assert result.code == 0, result.err
    assert cv2.imread(str(tmp_path / "in-why-transmission.png")) is not None
    out = tmp_path / "video-atlas.png"
    model = five_convolutions(tmp_path / "five.onnx")
    result = rtdehaze("explain", foggy_clip, "--start", "0.5", "--atlas", "--model", model, "-o", out)
    assert result.code == 0, result.err
    assert cv2.imread(str(out)) is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--why", "density", "--atlas"), "exclude"),
        (("--view", "gain", "--why", "density"), "exclude"),
        (("--at", "3,3"), "--at goes with --why"),
        (("--why", "transmission"), "--at X,Y"),
        (("--why", "transmission", "--at", "96,0"), "96,0 lies outside"),
        (("--why", "density", "--at", "1,1"), "one for the whole picture"),
        (("--why", "density", "-o", "{}/out.mp4"), "name it .png"),
        (("--channels", "3"), "goes with --atlas"),
        (("--atlas", "--channels", "0"), "channels must be 1 to 32, not 0"),
        (("--panel", "10"), "240 to 3840"),
        (("--mode", "off"), "off"),
        (("-o", "{}/in.png", "--overwrite"), "input itself"),
    ],
)
def test_wrong_arguments_get_one_line_and_leave_nothing(
    rtdehaze: Command, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    source = write_image(tmp_path / "in.png", 96, 64)
    result = rtdehaze("explain", source, "--model", "dcp", *(argument.format(tmp_path) for argument in arguments))
    assert result.code == 2, result.err
    errors = [line for line in result.err.splitlines() if "error:" in line]
    assert len(errors) == 1
    assert words in errors[0]
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("flag", [(), ("--why", "density"), ("--atlas",)])
def test_a_broken_input_gets_one_line_with_its_name(rtdehaze: Command, tmp_path: Path, flag: tuple[str, ...]) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"PNG?")
    result = rtdehaze("explain", broken, *flag)
    assert result.code == 1
    assert "broken.png" in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == [broken]


def test_the_place_of_a_question_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    """Of a picture on its side, upright 48 wide and 64 high, only the part around the place decides."""
    source = write_video(tmp_path / "side.mp4", width=64, height=48, frames=1, rotation=90)
    model = grey_is_transmission(tmp_path / "grey.onnx")
    options = Options(model=model)
    why(source, tmp_path / "in.png", options, question="transmission", at=(47, 63), segments=4, samples=8)
    with pytest.raises(UsageError, match="48 x 64"):
        why(source, tmp_path / "out.png", options, question="transmission", at=(63, 47), segments=4, samples=8)
    drawn = cv2.imread(str(tmp_path / "in.png"))
    assert drawn is not None
    assert np.asarray(drawn).shape[0] > 300
