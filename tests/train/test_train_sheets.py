from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.train.config import Config, HazeConfig
from rtdehaze.train.networks import build
from rtdehaze.train.scenes import read_pack
from rtdehaze.train.sheets import CAPTION, GAP, HEAD, TILE, preview, restored, write_sheet
from rtdehaze.train.validate import read_validation


def part(sheet: np.ndarray, number: int) -> np.ndarray:
    """Picture number `number` of the first tile."""
    left = number * (TILE[1] + GAP)
    return sheet[HEAD : HEAD + TILE[0], left : left + TILE[1]].astype(float)


def test_the_preview_shows_what_is_seen_beside_what_is_clear_and_says_what_was_drawn(pack: Path) -> None:
    haze = HazeConfig(clear_share=0.0, median=(0.08, 0.1), airlight=(0.95, 1.0), exposed_share=0.0)
    dense = Config(haze=haze, fog_share=0.0)
    sheet = preview(read_pack(pack), dense, rows=2, columns=1)
    assert sheet.shape == (HEAD + 2 * (TILE[0] + CAPTION), 3 * (TILE[1] + GAP) + GAP, 3)
    assert part(sheet, 0).mean() > part(sheet, 1).mean()
    caption = sheet[HEAD + TILE[0] : HEAD + TILE[0] + CAPTION]
    assert 0.005 < (caption < 100).mean() < 0.3
    clear_only = dataclasses.replace(dense, haze=HazeConfig(clear_share=1.0, noise_share=0.0, jpeg_share=0.0))
    sheet = preview(read_pack(pack), clear_only, rows=1, columns=1)
    np.testing.assert_array_equal(part(sheet, 0), part(sheet, 1))
    # The colour of transmission 1, in the picture and at the end of the scale.
    assert np.ptp(part(sheet, 2), axis=(0, 1)).max() == 0
    np.testing.assert_allclose(sheet[39, 265], part(sheet, 2)[0, 0], atol=8)


def test_a_sheet_of_results_holds_every_pair_with_its_truth(validation: Path, tmp_path: Path) -> None:
    sheet = restored(build("tiny").eval(), read_validation(validation), columns=1)
    assert sheet.shape == (HEAD + 2 * (TILE[0] + CAPTION), 5 * (TILE[1] + GAP) + GAP, 3)
    write_sheet(tmp_path / "sheet.png", sheet)
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    with pytest.raises(SinkError, match="cannot be written"):
        write_sheet(tmp_path / "gone" / "sheet.png", sheet)
