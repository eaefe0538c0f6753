from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rtdehaze.apps.evaluate import generated
from rtdehaze.apps.evaluate.contenders import Settings
from rtdehaze.apps.evaluate.domains import GENERATED, Domain, Kind
from rtdehaze.apps.evaluate.evaluation import evaluate
from rtdehaze.apps.evaluate.results import DomainResult
from rtdehaze.core.errors import SourceError
from rtdehaze.measure.fidelity import psnr
from tests.apps.evaluation_folders import clear_picture, clips_folder, hazed, write_png


def clips(folder: Path, settings: Settings | None = None) -> DomainResult:
    return evaluate(["cap"], [Domain("clips", Kind.CLIPS, str(folder))], settings).domains[0]


def test_a_clip_is_scored_smoothed_and_frame_by_frame_beside_the_untouched_and_the_truth(tmp_path: Path) -> None:
    result = clips(clips_folder(tmp_path))
    scores = result.items[0].scores
    assert scores["clear"]["warping"] < scores["untouched"]["warping"] * 4
    own = scores["cap"]
    assert own["psnr"] > scores["untouched"]["psnr"]
    for ending in ("", "_single"):
        assert own[f"warping_ratio{ending}"] == pytest.approx(own[f"warping{ending}"] / scores["clear"]["warping"])
        assert own[f"flicker{ending}"] > 0
    assert own["psnr"] != own["psnr_single"]


def test_a_clip_that_comes_out_as_the_truth_does_not_flicker(tmp_path: Path) -> None:
    folder = clips_folder(tmp_path, transmission=1.0)
    untouched = clips(folder).items[0].scores["untouched"]
    assert untouched["psnr"] == 60.0
    assert untouched["flicker"] == 0.0


def test_brightness_that_jumps_from_frame_to_frame_shows_as_flicker_and_warping_error(tmp_path: Path) -> None:
    steady = clips(clips_folder(tmp_path / "steady")).items[0].scores["untouched"]
    folder = clips_folder(tmp_path / "jumpy")
    for path in sorted((folder / "hazy" / "pan").iterdir())[::2]:
        view = clear_picture(9, 64, 160)[:, :96]
        write_png(path, hazed(view, 0.3))
    jumpy = clips(folder).items[0].scores["untouched"]
    assert jumpy["flicker"] > 5 * steady["flicker"]
    assert jumpy["warping"] > 5 * steady["warping"]


def test_only_as_many_frames_as_asked_for_are_read(tmp_path: Path) -> None:
    folder = clips_folder(tmp_path, frames=6)
    short = clips(folder, Settings(frames=3)).items[0].scores["untouched"]["psnr"]
    (folder / "hazy" / "pan" / "005.png").unlink()
    assert clips(folder, Settings(frames=3)).items[0].scores["untouched"]["psnr"] == short


def test_a_video_file_is_compared_at_its_own_colours(tmp_path: Path, foggy_clip: Path) -> None:
    for part in ("hazy", "clear"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "drive.mp4").write_bytes(foggy_clip.read_bytes())
    assert clips(tmp_path, Settings(frames=4)).items[0].scores["untouched"]["psnr"] == 60.0


def test_clips_of_different_sizes_or_without_partner_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = clips_folder(tmp_path)
    write_png(folder / "hazy" / "alone" / "0.png", clear_picture(1))
    write_png(folder / "hazy" / "odd" / "0.png", clear_picture(1))
    write_png(folder / "clear" / "odd" / "0.png", clear_picture(1, 20, 20))
    result = clips(folder)
    assert [item.name for item in result.items] == ["pan"]
    assert "alone has no clear partner" in caplog.text
    assert "odd is 64x48, its partner 20x20" in caplog.text


def test_a_folder_without_clips_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no folder named clear"):
        clips(tmp_path)
    (tmp_path / "clear").mkdir()
    (tmp_path / "hazy").mkdir()
    with pytest.raises(SourceError, match="no clip can be used"):
        clips(tmp_path)


@pytest.mark.slow
def test_generated_clips_are_measured_along_their_true_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "SIZE", (128, 72))
    settings = Settings(frames=4, limit=1)
    result = evaluate(["cap"], [Domain("made", Kind.CLIPS, GENERATED)], settings).domains[0]
    scores = result.items[0].scores
    assert scores["cap"]["psnr"] > scores["untouched"]["psnr"]
    assert np.isfinite(scores["clear"]["warping"])
    drive = generated.generated_drives(4, 1)[0][1]
    whole = np.mean([psnr(frame.hazy, frame.clear) for frame in drive])
    # The clip is scored as 4:2:0, which rounds chroma.
    assert scores["untouched"]["psnr"] == pytest.approx(whole, abs=0.5)
