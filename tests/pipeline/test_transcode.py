"""Whole runs on real files: what is left behind when a stage fails, and what the caller is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

import rtdehaze
from rtdehaze.core.errors import ModelError, OutputExistsError, RtdehazeError, SinkError, SourceError, UsageError
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.report import Progress
from rtdehaze.stages.encode.file_sink import FileSink

FAILURES: dict[str, tuple[type, str, RtdehazeError]] = {
    "estimate": (Dehazer, "decide", ModelError("the model gave out")),
    "recompose": (Dehazer, "apply", ModelError("the kernel gave out")),
    "encode": (FileSink, "write", SinkError("the disk gave out")),
}


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def break_after(calls: int, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, error: Exception) -> None:
    working: Callable[..., Any] = getattr(owner, name)
    count = 0

    def method(self: Any, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count > calls:
            raise error
        return working(self, *arguments)

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize("stage", FAILURES)
def test_a_failure_before_the_first_frame_leaves_no_output(
    foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    break_after(0, monkeypatch, *FAILURES[stage])
    with pytest.raises(type(FAILURES[stage][2]), match="gave out"):
        rtdehaze.transcode(foggy_clip, tmp_path / "clear.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", FAILURES)
def test_a_failure_later_leaves_what_was_encoded_as_a_playable_output(
    foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    break_after(15, monkeypatch, *FAILURES[stage])
    with pytest.raises(type(FAILURES[stage][2]), match="gave out"):
        rtdehaze.transcode(foggy_clip, tmp_path / "clear.mp4")
    assert 0 < frames_of(tmp_path / "clear.mp4") <= 15


@pytest.mark.parametrize("stage", FAILURES)
def test_a_failed_run_with_overwrite_leaves_the_old_file_as_it_was(
    foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    old = tmp_path / "clear.mp4"
    old.write_bytes(b"old")
    break_after(15, monkeypatch, *FAILURES[stage])
    with pytest.raises(type(FAILURES[stage][2]), match="gave out"):
        rtdehaze.transcode(foggy_clip, old, overwrite=True)
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


def test_no_thread_outlives_a_run_that_fails_or_succeeds(
    foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    rtdehaze.transcode(foggy_clip, tmp_path / "one.mp4", threads=8)
    break_after(5, monkeypatch, *FAILURES["recompose"])
    with pytest.raises(ModelError):
        rtdehaze.transcode(foggy_clip, tmp_path / "two.mp4", threads=8)
    assert set(threading.enumerate()) == before


def test_the_report_holds_what_was_done_and_the_notes(foggy_clip: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    report = rtdehaze.transcode(foggy_clip, tmp_path / "clear.mp4", on_progress=seen.append, strength=80, model="cap")
    assert report.frames_out == 24
    assert report.model == "cap"
    assert report.strength == 80
    assert report.output == str(tmp_path / "clear.mp4")
    assert seen[-1].frames == 24


def test_the_output_says_what_made_it_unless_told_not_to(foggy_clip: Path, tmp_path: Path) -> None:
    rtdehaze.transcode(foggy_clip, tmp_path / "tagged.mp4", model="cap")
    rtdehaze.transcode(foggy_clip, tmp_path / "bare.mp4", tag=False)
    with av.open(str(tmp_path / "tagged.mp4")) as container:
        assert container.metadata["comment"] == f"rtdehaze {rtdehaze.__version__}, model cap"
    with av.open(str(tmp_path / "bare.mp4")) as container:
        assert "comment" not in container.metadata


def test_errors_are_of_the_kind_that_callers_can_tell_apart(foggy_clip: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        rtdehaze.transcode(tmp_path / "missing.mp4", tmp_path / "clear.mp4")
    with pytest.raises(UsageError, match="smoothness"):
        rtdehaze.transcode(foggy_clip, tmp_path / "clear.mp4", smoothness=1)
    (tmp_path / "there.mp4").write_bytes(b"old")
    with pytest.raises(OutputExistsError):
        rtdehaze.transcode(foggy_clip, tmp_path / "there.mp4")


def test_an_option_object_and_single_options_combine(foggy_clip: Path, tmp_path: Path) -> None:
    options = rtdehaze.Options(mode="off", tag=False)  # type: ignore[arg-type]
    report = rtdehaze.transcode(foggy_clip, tmp_path / "clear.mp4", options, duration=0.2)
    assert report.mode == "off"
    assert report.model is None
    assert report.frames_out == 5
