from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("skimage")

from rtdehaze.apps.evaluate import generated
from rtdehaze.apps.evaluate.contenders import Settings, open_contenders
from rtdehaze.apps.evaluate.domains import GENERATED, Domain, Kind
from rtdehaze.apps.evaluate.evaluation import evaluate
from rtdehaze.core.errors import SourceError
from rtdehaze.measure.fidelity import psnr
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate.models import models_folder
from tests.apps.evaluation_folders import clear_picture, hazed, pairs_folder, write_png


def pairs(folder: Path) -> Domain:
    return Domain("pairs", Kind.PAIRS, str(folder))


def test_a_pair_is_scored_by_what_the_dehazer_makes_of_it_with_the_gate_off(tmp_path: Path) -> None:
    result = evaluate(["cap"], [pairs(pairs_folder(tmp_path))]).domains[0]
    clear = clear_picture(1)
    with Dehazer.load("cap", mode="manual", smoothing=0.0) as dehazer:
        expected = psnr(dehazer.process(hazed(clear, 0.5)), clear)
        assert dehazer.haze is not None
        error = float(np.abs(dehazer.haze.airlight - 0.8).mean())
    scores = {item.name: item.scores for item in result.items}["p1"]
    assert scores["cap"]["psnr"] == pytest.approx(expected)
    assert scores["cap"]["airlight"] == pytest.approx(error, abs=1e-6)
    assert scores["untouched"]["psnr"] == pytest.approx(psnr(hazed(clear, 0.5), clear))
    assert 0 < scores["cap"]["transmission"] < 0.7
    assert result.means["cap"]["psnr"] == pytest.approx(np.mean([item.scores["cap"]["psnr"] for item in result.items]))


def own_cap(folder: Path, gate: dict[str, float] | None) -> str:
    """A copy of `cap` with another gate, or none."""
    card = json.loads((models_folder() / "cap.json").read_text()) | {"gate": gate}
    folder.mkdir()
    (folder / "cap.json").write_text(json.dumps({key: value for key, value in card.items() if value is not None}))
    return str(shutil.copy(models_folder() / "cap.onnx", folder / "cap.onnx"))


def test_the_gate_is_judged_on_the_hazy_and_the_clear_pictures_and_decides_what_run_would_give(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path / "pairs", (0.15, 0.2, 0.95))
    with Dehazer.load("cap") as dehazer:
        densities = []
        for number, transmission in enumerate((0.15, 0.2, 0.95)):
            dehazer.reset()
            dehazer.process(hazed(clear_picture(number), transmission))
            densities.append(dehazer.haze.density if dehazer.haze else 0.0)
    low, middle, _ = sorted(densities)
    limit = (low + middle) / 2
    model = own_cap(tmp_path / "model", {"hazy_above": limit + 1e-4, "clear_below": limit - 1e-4})
    result = evaluate([model], [pairs(folder)]).domains[0]
    own = [item.scores["cap"] for item in result.items]
    called = [scores["called_hazy"] for scores in own]
    assert sorted(called) == [0.0, 1.0, 1.0]
    for item, scores in zip(result.items, own, strict=True):
        untouched = item.scores["untouched"]["psnr"]
        assert scores["psnr"] != untouched
        assert scores["psnr_auto"] == (scores["psnr"] if scores["called_hazy"] else untouched)
    wrongly = sum(item.scores["cap"]["called_hazy"] for item in result.clear_items)
    assert result.means["cap"]["gate_recall"] == pytest.approx(2 / 3)
    assert result.means["cap"]["gate_accuracy"] == pytest.approx((2 + 3 - wrongly) / 6)
    for item in result.clear_items:
        scores = item.scores["cap"]
        assert scores["clear_psnr_auto"] == (scores["clear_psnr"] if scores["called_hazy"] else 60.0)


def test_a_clear_picture_that_many_hazy_ones_share_counts_once(tmp_path: Path) -> None:
    clear = clear_picture(1)
    write_png(tmp_path / "gt" / "0001.png", clear)
    for transmission in (0.4, 0.6):
        write_png(tmp_path / "hazy" / f"0001_{transmission}.png", hazed(clear, transmission))
    result = evaluate(["cap"], [pairs(tmp_path)]).domains[0]
    assert (len(result.items), len(result.clear_items)) == (2, 1)


def test_what_cannot_be_used_is_left_out_counted_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = pairs_folder(tmp_path)
    (folder / "hazy" / "p0.png").write_bytes(b"broken")
    write_png(folder / "clear" / "p1.png", clear_picture(1, 40, 40))
    write_png(folder / "hazy" / "lonely.png", clear_picture(2))
    result = evaluate(["cap"], [pairs(folder)]).domains[0]
    assert [item.name for item in result.items] == ["p2"]
    assert len(result.skipped) == 3
    for name in ("p0.png", "p1.png is 64x48, its partner 40x40", "lonely.png has no clear partner"):
        assert name in caplog.text
    assert "3 left out" in caplog.text


def test_a_folder_of_nothing_usable_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path, (0.5,))
    (folder / "hazy" / "p0.png").write_bytes(b"broken")
    with pytest.raises(SourceError, match=r"no pair can be used: p0\.png") as caught:
        evaluate(["cap"], [pairs(folder)])
    assert "\n" not in str(caught.value)


def test_a_limit_takes_pictures_from_all_over_the_folder(tmp_path: Path) -> None:
    folder = pairs_folder(tmp_path, (0.3, 0.4, 0.5, 0.6))
    result = evaluate(["cap"], [pairs(folder)], Settings(limit=2)).domains[0]
    assert [item.name for item in result.items] == ["p0", "p2"]


def test_two_files_of_one_name_keep_apart_and_one_without_gate_has_no_gate_scores(tmp_path: Path) -> None:
    own = own_cap(tmp_path / "model", None)
    result = evaluate(["cap", own], [pairs(pairs_folder(tmp_path / "pairs"))])
    label = own.removesuffix(".onnx")
    assert list(result.models) == ["cap", label]
    means = result.domains[0].means
    assert "gate_f1" in means["cap"]
    assert "gate_f1" not in means[label]
    assert means[label]["psnr_auto"] == means[label]["psnr"] == means["cap"]["psnr"]


def test_a_model_given_twice_is_scored_once() -> None:
    assert [one.label for one in open_contenders(["cap", "cap"], Settings())] == ["cap"]


def test_what_is_not_known_is_null_in_json_and_equal_pictures_are_not_infinite(tmp_path: Path) -> None:
    small = clear_picture(1, 12, 9)
    for part in ("hazy", "clear"):
        write_png(tmp_path / part / "same.png", small)
    found = json.loads(json.dumps(evaluate(["cap"], [pairs(tmp_path)]).to_dict(), allow_nan=False))
    scores = found["domains"][0]["items"][0]["scores"]["untouched"]
    assert scores["psnr"] == 60.0
    assert scores["ssim"] is None


@pytest.mark.slow
def test_generated_pairs_obey_the_haze_model_and_come_again_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "SIZE", (96, 64))
    monkeypatch.setattr(generated, "KINDS", {"drive": generated.KINDS["drive"]})
    first = [pair for pair, _ in generated.generated_pairs(2)]
    again = [pair for pair, _ in generated.generated_pairs(2)]
    assert [pair.name for pair in first] == [pair.name for pair in again]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.hazy, other.hazy)
    thick = first[0]
    made = thick.clear / 255 * thick.transmission[..., None] + thick.airlight * (1 - thick.transmission[..., None])
    assert np.abs(made - thick.hazy / 255).max() < 0.01
    assert math.isclose(float(np.median(thick.transmission)), 0.2, abs_tol=0.02)
    result = evaluate(["cap"], [Domain("made", Kind.PAIRS, GENERATED)], Settings(limit=2)).domains[0]
    assert result.means["cap"]["psnr"] > result.means["untouched"]["psnr"]


def test_every_mean_in_the_json_is_of_a_measure_that_it_explains(tmp_path: Path) -> None:
    found = evaluate(["cap"], [pairs(pairs_folder(tmp_path))]).to_dict()
    used = {key for scores in found["domains"][0]["means"].values() for key in scores}
    assert {"psnr", "ssim", "ciede2000", "transmission", "airlight", "clear_psnr", "gate_f1"} <= used
    assert used <= set(found["measures"])
