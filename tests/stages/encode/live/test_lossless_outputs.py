"""Several outputs of a film: each gets every frame, and holds what one output alone would."""

from __future__ import annotations

import logging
from pathlib import Path

import av
import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.core.live import Joined, LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.live import open_live_outputs
from tests.media import write_video
from tests.stages.encode.live.drive import Drive, run
from tests.stages.encode.live.peers import seen
from tests.stages.encode.passing import described, payloads, times, transcode


def test_lossless_outputs_get_every_frame_however_fast_they_come(tmp_path: Path) -> None:
    names = [tmp_path / "a.mp4", tmp_path / "b.webm", tmp_path / "pipe.mkv"]
    outputs = open_live_outputs([str(name) for name in names], Options(), LiveOptions(), lossless=True)
    run(outputs, Drive(noise=True), 60)
    outputs.close()
    assert [(status.frames, status.dropped) for status in outputs.statuses()] == [(60, 0)] * 3
    assert [len(seen(name).times) for name in names] == [60] * 3


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_several_lossless_outputs_of_a_film_hold_what_one_would(suffix: str, tmp_path: Path) -> None:
    film = write_video(
        tmp_path / f"film{suffix}",
        frames=100,
        b_frames=2,
        audio=2,
        subtitles=[(0.5, 1.5, "hello")],
        chapters=[(0.0, 2.0, "one"), (2.0, 4.0, "two")],
        metadata={"title": "A title"},
        languages=["eng", "deu", "fra", "eng"],
    )
    transcode(film, tmp_path / f"one{suffix}")
    with open_source(film) as source:
        outputs = open_live_outputs(
            [str(tmp_path / f"a{suffix}"), str(tmp_path / f"b{suffix}")],
            Options(),
            LiveOptions(),
            lossless=True,
            metadata=source.metadata,
            chapters=source.chapters,
        )
        outputs.adapt(Joined(source.video, source.copied, 0, 0.0))
        for item in source.items():
            outputs.write(item)
        outputs.close()
    for name in "ab":
        made = tmp_path / f"{name}{suffix}"
        assert described(made) == described(tmp_path / f"one{suffix}")
        assert payloads(made, "audio") == payloads(film, "audio")
        assert any(b"hello" in data for data in payloads(made, "subtitle")[0])
        for kind in ("audio", "video"):
            assert times(made, kind) == pytest.approx(times(tmp_path / f"one{suffix}", kind), abs=0.001)
        with av.open(str(made)) as container:
            assert container.metadata["title"] == "A title"
            assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["one", "two"]


def test_a_lossless_output_that_fails_is_given_up_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "full.mkv").symlink_to("/dev/full")
    names = [str(tmp_path / "full.mkv"), str(tmp_path / "good.mkv")]
    with caplog.at_level(logging.WARNING):
        outputs = open_live_outputs(names, Options(overwrite=True), LiveOptions(), lossless=True)
        run(outputs, Drive(), 120)
        outputs.close()
    failed, good = outputs.statuses()
    assert failed.error == "no space left on the device; free some or write elsewhere"
    assert (good.frames, good.error) == (120, None)
    assert "given up" in caplog.text


def test_when_every_output_has_failed_for_good_the_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "full.mkv").symlink_to("/dev/full")
    outputs = open_live_outputs([str(tmp_path / "full.mkv")], Options(overwrite=True), LiveOptions(), lossless=True)
    with pytest.raises(SinkError, match="no output is left: no space left"):
        run(outputs, Drive(), 5000)
    outputs.close()
