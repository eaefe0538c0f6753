from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rtdehaze.apps.evaluate.contenders import Settings
from rtdehaze.apps.evaluate.domains import Domain, Kind
from rtdehaze.apps.evaluate.evaluation import evaluate
from rtdehaze.core.errors import SourceError
from tests.apps.evaluation_folders import clear_picture, hazed, write_png


def real(folder: Path) -> Domain:
    return Domain("real", Kind.REAL, str(folder))


def test_photographs_and_videos_of_all_sub_folders_are_measured_beside_their_untouched_own(
    tmp_path: Path, foggy_clip: Path
) -> None:
    write_png(tmp_path / "photos" / "fog.png", hazed(clear_picture(1), 0.25))
    shutil.copy(foggy_clip, tmp_path / "drive.mp4")
    result = evaluate(["cap"], [real(tmp_path)], Settings(frames=12)).domains[0]
    assert {item.name for item in result.items} == {"drive.mp4", "photos/fog.png"}
    fog = {item.name: item.scores for item in result.items}["photos/fog.png"]
    assert fog["cap"]["gradient_ratio"] > 1.5
    assert fog["cap"]["dark_channel"] < fog["untouched"]["dark_channel"]
    assert fog["cap"]["edges"] >= fog["untouched"]["edges"]
    means = result.means
    assert means["cap"]["new_edges"] == pytest.approx(means["cap"]["edges"] / means["untouched"]["edges"] - 1)
    assert "psnr" not in means["cap"]


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_measured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_png(tmp_path / "fog.png", hazed(clear_picture(1), 0.4))
    (tmp_path / "broken.jpg").write_bytes(b"no")
    (tmp_path / "broken.mp4").write_bytes(b"no")
    result = evaluate(["cap"], [real(tmp_path)]).domains[0]
    assert [item.name for item in result.items] == ["fog.png"]
    assert "real: 2 left out" in caplog.text
    assert "broken.jpg" in caplog.text
    assert "broken.mp4" in caplog.text


def test_an_empty_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no photograph or video can be used"):
        evaluate(["cap"], [real(tmp_path)])
