from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from rtdehaze.core.errors import SinkError
from rtdehaze.train import curves
from rtdehaze.train.curves import draw_curves

HEAD = "step,seconds,rate,transmission,decibel\n"
SCORES = "step,psnr,untouched,transmission,airlight,clear_psnr,density_clear,density_hazy\n"


def test_curves_become_a_picture_and_nothing_becomes_none(tmp_path: Path) -> None:
    draw_curves(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "curves.csv").write_text(HEAD + "50,1,0.1,0.5,-4\n100,2,0.05,0.25,-5\n")
    (tmp_path / "scores.csv").write_text(SCORES + "100,18,13,0.1,nan,40,0.1,0.4\n")
    draw_curves(tmp_path)
    assert cv2.imread(str(tmp_path / "curves.png")).shape == (700, 1200, 3)


def test_what_a_resumed_run_did_again_counts_once(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(HEAD + "50,1,0.1,0.5,-4\n100,2,0.05,0.9,-5\n50,1,0.1,0.4,-4\n")
    columns = curves._columns(tmp_path / "curves.csv")
    assert columns["step"] == [50, 100]
    assert columns["transmission"] == [0.4, 0.9]


def test_curves_that_are_none_are_named(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(HEAD + "50,1,many,0.5,-4\n")
    with pytest.raises(SinkError, match=r"curves\.csv cannot be drawn"):
        draw_curves(tmp_path)
