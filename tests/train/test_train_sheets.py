from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.train.config import Config, HazeConfig
from rtdehaze.train.networks import build
from rtdehaze.train.scenes import read_pack
from rtdehaze.train.sheets import preview, restored, write_sheet
from rtdehaze.train.validate import read_validation


def test_the_preview_shows_hazy_pictures_beside_clear_ones(pack: Path) -> None:
    dense = Config(haze=HazeConfig(clear_share=0.0, median=(0.08, 0.1), airlight=(0.95, 1.0), tint=0.001))
    sheet = preview(read_pack(pack), dense, rows=2, columns=1)
    assert sheet.shape == (2 * 144, 3 * 192, 3)
    hazy, clear, transmission = (sheet[:, i * 192 : (i + 1) * 192].astype(float) for i in range(3))
    assert hazy.mean() > clear.mean()
    assert transmission.mean() < 128
    clear_only = dataclasses.replace(dense, haze=HazeConfig(clear_share=1.0))
    assert preview(read_pack(pack), clear_only, rows=1, columns=1)[:, 384:].min() == 255


def test_a_sheet_of_results_holds_every_pair(validation: Path, tmp_path: Path) -> None:
    sheet = restored(build("tiny").eval(), read_validation(validation), columns=1)
    assert sheet.shape == (2 * 144, 4 * 192, 3)
    write_sheet(tmp_path / "sheet.png", sheet)
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    with pytest.raises(SinkError, match="cannot be written"):
        write_sheet(tmp_path / "gone" / "sheet.png", sheet)
