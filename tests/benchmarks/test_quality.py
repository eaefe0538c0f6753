from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import quality

from rtdehaze.apps.evaluate.contenders import Settings
from rtdehaze.core.errors import SourceError

SIDE = 64


def write(path: Path, border: int = 0, level: int = 0) -> None:
    """A picture whose middle is the same whatever the border."""
    path.parent.mkdir(parents=True, exist_ok=True)
    middle = np.random.default_rng(0).integers(60, 200, (SIDE, SIDE, 3), np.uint8) // 2 + level
    cv2.imwrite(str(path), cv2.copyMakeBorder(middle, *[border] * 4, cv2.BORDER_CONSTANT, value=(0, 0, 255)))


def test_a_larger_truth_is_cropped_about_its_centre(tmp_path: Path) -> None:
    for room in ("1400", "1401"):
        write(tmp_path / "sots" / "gt" / f"{room}.png", border=8)
        for number in (1, 2):
            write(tmp_path / "sots" / "hazy" / f"{room}_{number}.png", level=10)
    found = quality.score("sots-indoor", tmp_path / "sots", ["cap"], Settings(provider="cpu"))
    assert found["pictures"] == 4
    assert found["left_out"] == 0
    # Ten levels apart in every sample, and nothing of the red border.
    assert found["ours"]["untouched"]["psnr"] == pytest.approx(20 * np.log10(255 / 10), abs=0.01)
    assert set(found["ours"]) == {"untouched", "cap"}


def test_the_test_split_is_taken_by_number(tmp_path: Path) -> None:
    for number in (1, 50, 51, 55):
        write(tmp_path / f"{number:02}_hazy.png", level=5)
        write(tmp_path / f"{number:02}_GT.png")
    names = [name for name, _, _ in quality.SETS["nh-haze"].find(tmp_path)]
    assert names == ["51_hazy", "55_hazy"]
    truths = [truth.name for _, _, truth in quality.SETS["nh-haze"].find(tmp_path)]
    assert truths == ["51_GT.png", "55_GT.png"]


def test_frames_of_clips_are_pairs(tmp_path: Path) -> None:
    for clip in ("C001", "W002"):
        for frame in ("00000", "00001"):
            write(tmp_path / "Test" / "hazy" / clip / f"{frame}.png", level=5)
            write(tmp_path / "Test" / "gt" / clip / f"{frame}.png")
    names = [name for name, _, _ in quality.SETS["revide"].find(tmp_path)]
    assert names == ["C001-00000", "C001-00001", "W002-00000", "W002-00001"]
    found = quality.score("revide", tmp_path, ["cap"], Settings(provider="cpu", limit=2))
    assert found["pictures"] == 2


def test_the_table_puts_published_figures_beside_ours_with_their_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "set" / "hazy" / "1.png", level=10)
    write(tmp_path / "set" / "clear" / "1.png")
    words = ["--set", f"sots-outdoor={tmp_path / 'set'}", "--models", "cap", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["quality", *words])
    quality.main()
    said = capsys.readouterr().out
    assert "| DCP | 19.1 |" in said
    assert "| **rtdehaze cap** |" in said
    content = (tmp_path / "out" / "quality.json").read_text()
    assert str(tmp_path) not in content
    figures = json.loads(content)["figures"]["sots-outdoor"]
    assert all(one["source"] for one in figures["published"])
    assert figures["ours"]["cap"]["ssim"] <= 1


def test_a_folder_of_another_layout_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError, match="hazy"):
        quality.score("sots-indoor", tmp_path, ["cap"], Settings(provider="cpu"))
    monkeypatch.setattr(sys, "argv", ["quality", "--set", f"revide={tmp_path}"])
    with pytest.raises(SystemExit) as left:
        quality.main()
    assert left.value.code == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_set_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["quality", "--set", "imagenet=."])
    with pytest.raises(SystemExit):
        quality.main()
    assert "nh-haze" in capsys.readouterr().err
