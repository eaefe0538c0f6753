"""What is said of an input before anything is done to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.stages.capture.hardware import available_hwaccels
from rtdehaze.stages.capture.opening import open_container
from rtdehaze.stages.capture.probe import probe
from rtdehaze.stages.capture.source import open_source
from tests.media import write_image, write_video


def test_every_stream_is_told_with_its_fate(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "clip.mkv",
        frames=50,
        audio=1,
        subtitles=[(0.1, 0.5, "hello")],
        attachment=b"note",
        chapters=[(0.0, 1.0, "one")],
        languages=("eng", "deu", "fra"),
        rotation=90,
        metadata={"title": "A drive"},
    )
    facts = probe(str(path))
    assert facts.container.startswith("matroska")
    assert facts.duration == pytest.approx(2.0)
    assert [(stream.kind, stream.codec, stream.language, stream.fate) for stream in facts.streams] == [
        ("video", "h264", "eng", "dehazed"),
        ("audio", "aac", "deu", "copied"),
        ("subtitle", "subrip", "fra", "copied"),
        ("attachment", "text/plain", None, "copied"),
    ]
    video, audio = facts.streams[0].video, facts.streams[1].audio
    assert video is not None
    assert (video.width, video.height, video.frames, video.rotation, video.matrix) == (64, 48, 50, 90, "bt601")
    assert audio is not None
    assert (audio.sample_rate, audio.layout) == (48_000, "mono")
    assert (facts.chapters[0].title, facts.chapters[0].end) == ("one", 1.0)
    assert facts.metadata["title"] == "A drive"


def test_facts_survive_json(tmp_path: Path) -> None:
    facts = probe(str(write_video(tmp_path / "clip.mp4", audio=1))).as_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["streams"][0]["time_base"] == "1/90000"


def test_a_conversion_shows_as_another_format(tmp_path: Path) -> None:
    video = probe(str(write_video(tmp_path / "clip.mkv", codec="ffv1", pixel_format="yuv411p"))).streams[0].video
    assert video is not None
    assert (video.pixel_format, video.handled_as) == ("yuv411p", "yuv422p")


def test_hdr_is_told_and_refused(tmp_path: Path) -> None:
    colour = {"color_range": 1, "colorspace": 9, "color_primaries": 9, "color_trc": 16}
    stream = probe(str(write_video(tmp_path / "hdr.mp4", pixel_format="yuv420p10le", colour=colour))).streams[0]
    assert stream.fate == "refused"
    assert stream.video is not None
    assert stream.video.hdr == "PQ"


def test_pictures_are_told_too(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png")
    write_image(tmp_path / "2.png")
    assert probe(str(tmp_path)).container == "pictures"
    assert probe(str(tmp_path / "1.png")).container == "picture"


def test_what_cannot_be_read_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        probe(str(tmp_path / "missing.mp4"))


def test_devices_either_decode_or_say_why_not(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", width=256, height=256, frames=3)
    for name, opens, why in available_hwaccels():
        assert opens == (not why)
        if opens:
            with open_source(path, hwaccel=name) as source:
                assert source.video.format.name == "nv12"
        else:
            with pytest.raises(SourceError, match=f"{name}"):
                open_container(str(path), hwaccel=name)
