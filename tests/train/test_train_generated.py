from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.synth.library import views
from rtdehaze.train import generated
from rtdehaze.train.config import DataConfig, GeneratedConfig
from rtdehaze.train.generated import render
from rtdehaze.train.origins import licence_of
from rtdehaze.train.scenes import load_scenes

DRIVES = GeneratedConfig("drive", seed=4, places=1, pictures=2, size=(48, 64))


def test_generated_scenes_come_with_the_depth_that_they_were_made_with(tmp_path: Path) -> None:
    scenes = load_scenes(DataConfig(generated=(DRIVES,), cache=str(tmp_path)))
    assert len(scenes) == 2
    assert licence_of(scenes.origins).startswith("commercial use allowed")
    for scene, (clear, depth) in zip(scenes, views("drive", 4, 2, 48, 64), strict=True):
        assert np.abs(scene.clear.astype(float) - clear).mean() < 3.0
        assert scene.disparity is not None
        disparity = np.square(scene.disparity / 65535.0)
        np.testing.assert_allclose(disparity, depth.min() / depth, atol=1e-4)


def test_what_was_rendered_is_not_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = render(DRIVES, tmp_path, 1)
    rendered: list[int] = []
    monkeypatch.setattr(generated, "_place", lambda _made, seed, _place: rendered.append(seed) or seed)
    assert render(DRIVES, tmp_path, 1) == first
    assert rendered == []
    render(dataclasses.replace(DRIVES, places=2), tmp_path, 1)
    assert rendered == [5]
    (first[0] / "disp" / f"{first[1][1]}.png").unlink()
    render(DRIVES, tmp_path, 1)
    assert rendered == [5, 4]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SinkError, match=r"generated pictures cannot be kept in .*Not a directory"):
        render(DRIVES, tmp_path / "file", 1)
