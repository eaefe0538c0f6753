from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.train.config import Config, DataConfig, FogConfig, HazeConfig, StageConfig
from rtdehaze.train.data import Samples, batches
from rtdehaze.train.scenes import load_scenes


def folder_with_bad_pictures(folder: Path, good: int, bad: int) -> Path:
    folder.mkdir()
    for i in range(good):
        cv2.imwrite(str(folder / f"good{i}.png"), np.full((48, 64, 3), 40 * i + 40, np.uint8))
    for i in range(bad):
        (folder / f"bad{i}.png").write_bytes(b"no picture")
    return folder


def run_of(folder: Path, workers: int = 0) -> Config:
    stage = StageConfig(1.0, 4, ((32, 48),))
    return Config(steps=3, data=DataConfig(pictures=(str(folder),), workers=workers), stages=(stage,))


@pytest.mark.parametrize("workers", [0, 2])
def test_unusable_pictures_are_replaced_the_same_way_everywhere_and_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, workers: int
) -> None:
    folder = folder_with_bad_pictures(tmp_path / "pictures", 2, 2)
    alone = Samples(load_scenes(run_of(folder).data), run_of(folder))
    config = run_of(folder, workers)
    samples = Samples(load_scenes(config.data), config)
    taken = [batch.hazy.numpy() for batch in batches(samples, 0, lambda step: step / 3)]
    for step, hazy in enumerate(taken):
        for i in range(4):
            np.testing.assert_array_equal(hazy[i], alone[step * 4 + i, 32, 48].hazy)
    assert len(samples.left_out) == 2
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert "picture left out (2 so far)" in warnings[1]
    assert any("bad0.png is no picture" in line for line in warnings)


@pytest.mark.parametrize("workers", [0, 1])
def test_pictures_that_all_vanish_end_the_run_in_one_line(tmp_path: Path, workers: int) -> None:
    folder = folder_with_bad_pictures(tmp_path / "pictures", 2, 0)
    config = run_of(folder, workers)
    scenes = load_scenes(DataConfig(pictures=(str(folder),), cache_mb=0.0))
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(SourceError, match=r"^100 pictures in a row cannot be used, the last: .*good\d\.png") as caught:
        list(batches(Samples(scenes, config), 0, lambda step: step / 3))
    assert "\n" not in str(caught.value)


def test_foggy_days_are_drawn_whole_and_as_often_as_asked(tmp_path: Path) -> None:
    thin = HazeConfig(median=(0.9, 0.95), clear_share=0.0, exposed_share=0.0)
    fog = FogConfig(median=(0.1, 0.2), clear_share=0.0, exposed_share=1.0)
    config = dataclasses.replace(run_of(folder_with_bad_pictures(tmp_path / "p", 2, 0)), haze=thin, fog=fog)
    scenes = load_scenes(config.data)

    def drawn(share: float) -> list[tuple[bool, bool]]:
        samples = Samples(scenes, dataclasses.replace(config, fog_share=share))
        made = [samples[number, 32, 48] for number in range(60)]
        return [(float(np.median(one.transmission)) < 0.5, "exposure" in one.drawn) for one in made]

    assert set(drawn(0.0)) == {(False, False)}
    some = drawn(0.3)
    assert set(some) == {(False, False), (True, True)}
    assert 8 <= sum(foggy for foggy, _ in some) <= 30
