from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.train.config import Config, DataConfig
from rtdehaze.train.data import Samples
from rtdehaze.train.decoding import UnreadableError
from rtdehaze.train.scenes import load_scenes, read_videos


def write_clip(path: Path, seconds: float = 3.0, size: tuple[int, int] = (64, 48)) -> Path:
    """A clip whose frames are grey: level 20, 21, 22... at 10 frames a second; one key frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "1", "g": "1000"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(round(10 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 20 + i, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_frames_are_taken_at_their_moments(tmp_path: Path) -> None:
    scenes = read_videos(write_clip(tmp_path / "a.mp4"), 1.0)
    assert [scene.name for scene in scenes] == ["a@0.50s", "a@1.50s", "a@2.50s"]
    for scene, level in zip(scenes, (25, 35, 45), strict=True):
        np.testing.assert_allclose(scene.clear, level, atol=2)
    np.testing.assert_array_equal(scenes[2].clear, read_videos(tmp_path / "a.mp4", 1.0)[2].clear)


def test_a_folder_gives_all_its_videos_and_names_what_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_clip(tmp_path / "a.mp4", 2.0)
    write_clip(tmp_path / "b.mkv", 1.0, (1024, 64))
    (tmp_path / "c.mp4").write_bytes(b"no video")
    (tmp_path / "notes.txt").write_text("no video either")
    scenes = read_videos(tmp_path, 1.0)
    assert [scene.clear.shape for scene in scenes] == [(48, 64, 3), (48, 64, 3), (32, 512, 3)]
    assert "c.mp4 cannot be opened" in caplog.text
    assert "notes" not in caplog.text


def test_a_video_that_is_shorter_than_the_time_between_frames_gives_one(tmp_path: Path) -> None:
    assert len(read_videos(write_clip(tmp_path / "a.mp4", 0.5), 5.0)) == 1


def test_a_video_that_vanishes_is_named(tmp_path: Path) -> None:
    scenes = read_videos(write_clip(tmp_path / "a.mp4"), 1.0)
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(UnreadableError, match=r"a\.mp4 cannot be decoded at 1\.50 s: No such file"):
        scenes[1]


def test_a_place_without_videos_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no picture that can be used: it is empty"):
        read_videos(tmp_path, 1.0)
    with pytest.raises(SourceError, match="does not exist"):
        read_videos(tmp_path / "gone", 1.0)


def test_frames_of_videos_become_samples_with_invented_depth(tmp_path: Path) -> None:
    config = Config(data=DataConfig(videos=(str(write_clip(tmp_path / "a.mp4")),)))
    sample = Samples(load_scenes(config.data), config)[0, 32, 48]
    assert sample.known
    assert sample.transmission.std() > 0.01
