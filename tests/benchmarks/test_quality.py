from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import quality
from arguments import run_script
from quality_sets import SETS

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
    found = list(SETS["nh-haze"].find(tmp_path))
    assert [files.name for files in found] == ["51_hazy", "55_hazy"]
    assert [files.truth.name for files in found if files.truth] == ["51_GT.png", "55_GT.png"]


def test_the_frames_of_videos_are_scored_as_pictures_and_as_clips(tmp_path: Path) -> None:
    for clip in ("C001", "W002"):
        for frame in (9, 10, 11):
            write(tmp_path / "Test" / "hazy" / clip / f"{frame}.JPG.png", level=frame)
            write(tmp_path / "Test" / "gt" / clip / f"{frame}.JPG.png")
    names = [files.name for files in SETS["revide"].find(tmp_path)]
    assert names == [f"{clip}-{frame}.JPG" for clip in ("C001", "W002") for frame in (9, 10, 11)]
    found = quality.score("revide", tmp_path, ["cap"], Settings(provider="cpu", frames=2))
    assert found["pictures"] == 6
    clips = found["clips"]
    assert (clips["clips"], clips["frames"], clips["left_out"]) == (2, 2, 0)
    # Frames 9 and 10 in this order, a level apart: what the haze alone does along the motion.
    apart = np.mean([20 * np.log10(255 / level) for level in (9, 10)])
    assert clips["means"]["untouched"]["psnr"] == pytest.approx(apart, abs=0.01)
    assert clips["means"]["untouched"]["flicker"] == pytest.approx(1, abs=0.01)
    assert clips["means"]["clear"]["warping"] == pytest.approx(0, abs=0.01)
    assert {"psnr", "psnr_single", "warping", "flicker", "flicker_single"} <= clips["means"]["cap"].keys()
    said = quality.table("revide", found)
    assert "As clips, the first 2 frames of each at most. 2 clips." in said
    assert "| | untouched | clear | **rtdehaze cap** |" in said.replace("|  |", "| |")
    assert "| flicker | 1.000 | - |" in said


def test_hazeworlds_clips_lie_below_their_parts_and_have_dots_in_their_names(tmp_path: Path) -> None:
    for density in ("0.005", "0.01", "0.02"):
        for frame in range(2):
            write(tmp_path / "test" / "hazy" / "DAVIS" / f"bear_239_{density}" / f"{frame:05}.png", level=10)
            if density != "0.02":
                write(tmp_path / "test" / "gt" / "DAVIS" / f"bear_239_{density}" / f"{frame:05}.png")
    # What the test split is linked from lies beside it, with the training videos.
    write(tmp_path / "hazy" / "DAVIS" / "train" / "bear" / "00000.png")
    shutil.rmtree(tmp_path / "test" / "gt" / "DAVIS" / "bear_239_0.01")
    write(tmp_path / "test" / "gt" / "DAVIS" / "bear_239_0.01" / "00001.png")
    found = quality.score("hazeworld", tmp_path, ["cap"], Settings(provider="cpu"))
    assert (found["pictures"], found["left_out"]) == (3, 3)
    assert found["why_left_out"][0] == "test/hazy/DAVIS/bear_239_0.01/00000.png has no clear partner"
    assert (found["clips"]["clips"], found["clips"]["left_out"]) == (2, 1)


def test_what_is_left_out_is_counted_and_named_with_its_folder(tmp_path: Path) -> None:
    hazy = tmp_path / "hazy"
    write(hazy / "1.png", level=10)
    write(hazy / "2.png")
    (hazy / "3.png").write_bytes(b"broken")
    cv2.imwrite(str(hazy / "4.png"), np.zeros((8, 8, 3), np.uint8))
    for number in (1, 3, 4):
        write(tmp_path / "clear" / f"{number}.png")
    found = quality.score("sots-outdoor", tmp_path, ["cap"], Settings(provider="cpu"))
    assert (found["pictures"], found["left_out"]) == (1, 3)
    assert found["why_left_out"] == [
        "hazy/2.png has no clear partner",
        "hazy/3.png is no picture that can be read",
        "hazy/4.png is 8x8, its partner 64x64",
    ]
    assert "1 picture, 3 left out: hazy/2.png has no" in quality.table("sots-outdoor", found)
    (hazy / "1.png").unlink()
    with pytest.raises(SourceError) as raised:
        quality.score("sots-outdoor", tmp_path, ["cap"], Settings(provider="cpu"))
    assert str(raised.value).startswith(f"{tmp_path}: no pair can be used: hazy/2.png has no clear partner; ")


def test_clips_that_cannot_be_used_are_left_out_and_named(tmp_path: Path) -> None:
    for clip in ("A", "B"):
        write(tmp_path / "hazy" / clip / "0.png", level=10)
    write(tmp_path / "gt" / "A" / "0.png")
    found = quality.score("revide", tmp_path, ["cap"], Settings(provider="cpu"))
    assert (found["clips"]["clips"], found["clips"]["left_out"]) == (1, 1)
    assert found["clips"]["why_left_out"] == ["hazy/B: hazy/B/0.png has no clear partner"]
    shutil.copytree(tmp_path / "hazy" / "B", tmp_path / "hazy" / "0")
    found = quality.score("revide", tmp_path, ["cap"], Settings(provider="cpu"))
    assert found["clips"]["clips"] == 1
    shutil.copy(tmp_path / "hazy" / "A" / "0.png", tmp_path / "hazy" / "A" / "1.png")
    shutil.move(tmp_path / "gt" / "A" / "0.png", tmp_path / "gt" / "A" / "1.png")
    found = quality.score("revide", tmp_path, ["cap"], Settings(provider="cpu", frames=1))
    assert (found["pictures"], found["clips"]["clips"], found["clips"]["left_out"]) == (1, 0, 3)
    assert quality.table("revide", found).rstrip().endswith("has no clear partner.")


def test_pictures_that_differ_in_their_suffix_alone_are_both_scored(tmp_path: Path) -> None:
    for name in ("0.png", "0.bmp"):
        write(tmp_path / "hazy" / name, level=10)
    write(tmp_path / "clear" / "0.png")
    found = quality.score("sots-outdoor", tmp_path, ["cap"], Settings(provider="cpu"))
    assert (found["pictures"], found["left_out"]) == (2, 0)
    assert found["ours"]["untouched"]["psnr"] == pytest.approx(20 * np.log10(255 / 10), abs=0.01)


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
    monkeypatch.setattr(sys, "argv", ["quality.py", "--set", f"revide={tmp_path}"])
    with pytest.raises(SystemExit) as left:
        run_script(quality.main)
    assert left.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{tmp_path} must hold hazy/CLIP/FRAME" in said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--set", "imagenet=."], "nh-haze"),
        (["--set", "nh-haze=/nowhere/at/all"], "there is no folder /nowhere/at/all"),
        (["--limit", "0"], "must be 1 to"),
        (["--limit", "-1"], "must be 1 to"),
        (["--frames", "1"], "must be 2 to"),
        (["--models", "nosuch"], "nosuch"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_read(
    words: list[str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["quality.py", *words])
    with pytest.raises(SystemExit) as left:
        quality.main()
    assert left.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]
