"""Adapting to pictures without truth."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from conftest import picture

from rtdehaze.core.errors import OutputExistsError, SourceError, UsageError
from rtdehaze.train import adapted
from rtdehaze.train import checkpoint as checkpoints
from rtdehaze.train.adapt import BEST, Adapter, Plan
from rtdehaze.train.adapted import deliver_adaptation, open_adaptation
from rtdehaze.train.config import Config, DataConfig, FogConfig, HazeConfig, OptimConfig, StageConfig
from rtdehaze.train.guard import Guard, pairs_of, split
from rtdehaze.train.loop import CHECKPOINT, Trainer
from rtdehaze.train.networks import build
from rtdehaze.train.origins import parse_origins
from rtdehaze.train.real import read_real
from rtdehaze.train.scenes import read_pack
from rtdehaze.train.unlabelled import UnlabelledWeights
from rtdehaze.train.validate import read_validation

OPTIM = OptimConfig(rate=5e-3, last=1e-4, average=0.9)
CONFIG = Config(
    network="tiny",
    steps=60,
    threads=1,
    validate_steps=0,
    haze=HazeConfig(median=(0.3, 0.6)),
    fog_share=0.0,
    optim=OPTIM,
    stages=(StageConfig(1.0, 4, ((48, 64),)),),
)
PLAN = Plan(unlabelled=4, check_steps=20, tolerance=3.0, clear_tolerance=30.0)
Command = Callable[..., Any]


@pytest.fixture(scope="module", autouse=True)
def small_checks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rtdehaze.train.adapt.TRIAL_SIZES", ((48, 64), (64, 48)))
        patch.setattr("rtdehaze.train.guard.SIZE", (48, 64))
        patch.setattr("rtdehaze.train.adapt.OPTIM", OPTIM)
        yield


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures in a haze of their own, bluish and dense."""
    folder = tmp_path_factory.mktemp("real")
    for seed in range(10):
        hazy = np.round(picture(seed + 50, 96, 128) * 0.4 + np.array([200, 180, 160]) * 0.6).astype(np.uint8)
        cv2.imwrite(str(folder / f"r{seed}.jpg"), hazy)
    return folder


@pytest.fixture(scope="module")
def start(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("start")
    Trainer(CONFIG, read_pack(pack), out).run()
    return out / CHECKPOINT


def adapter(pack: Path, real: Path, start: Path, out: Path, plan: Plan = PLAN, **changes: Any) -> Adapter:
    config = dataclasses.replace(CONFIG, **changes)
    return Adapter(plan, config, read_pack(pack), read_real([real]), out, start=start)


def weights(path: Path) -> dict[str, torch.Tensor]:
    return checkpoints._read(path, "tiny")[1]


def test_disagreement_with_the_teacher_falls_and_the_labelled_pairs_hold(
    pack: Path, real: Path, start: Path, tmp_path: Path
) -> None:
    disagreement = UnlabelledWeights(
        airlight=0.0, picture=0.0, gate=0.0, clipping=0.0, lifted=0.0, darkened=0.0, rough=0.0
    )
    plan = dataclasses.replace(PLAN, weight=3.0, weights=disagreement, check_steps=15)
    run = adapter(pack, real, start, tmp_path, plan, steps=30)
    run.run()
    first, kept = run.checks[0], [check for check in run.checks if check["kept"]][-1]
    assert [check["step"] for check in run.checks] == [0, 15, 30]
    assert kept["step"] > 0
    assert kept["real"]["transmission"] < 0.9 * first["real"]["transmission"]
    for name, row in first["standing"].items():
        assert kept["standing"][name]["psnr"] >= row["psnr"] - PLAN.tolerance


def test_where_labelled_pairs_fall_the_run_goes_back_slows_down_and_ends(
    pack: Path, real: Path, start: Path, tmp_path: Path
) -> None:
    # No network can be 100 dB better than its start, so every check after the first one fails.
    plan = dataclasses.replace(PLAN, tolerance=-100.0, rollbacks=2, check_steps=2)
    run = adapter(pack, real, start, tmp_path, plan)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    assert run.run().step == 4
    assert [check["kept"] for check in run.checks] == [True, False, False]
    assert "psnr on held-out scenes fell from" in run.checks[-1]["faults"][0]
    assert run.config.optim.rate == OPTIM.rate / 4
    for model in (run.model, run.average, run.best()):
        for key, value in model.state_dict().items():
            torch.testing.assert_close(value, before[key], rtol=0, atol=0, msg=key)


def test_an_interrupted_run_ends_with_the_numbers_of_an_uninterrupted_one(
    pack: Path, real: Path, start: Path, tmp_path: Path
) -> None:
    # The first run keeps its checks, the second one falls back at each; both are interrupted between and at checks.
    for tolerance in (30.0, -100.0):
        plan = dataclasses.replace(PLAN, check_steps=2, tolerance=tolerance)
        whole, parts = tmp_path / f"whole{tolerance}", tmp_path / f"parts{tolerance}"
        adapter(pack, real, start, whole, plan, steps=5).run()
        for steps in (1, 2, None):
            adapter(pack, real, start, parts, plan, steps=5).run(steps)
        for name in (CHECKPOINT, BEST):
            one, other = weights(whole / name), weights(parts / name)
            assert one.keys() == other.keys()
            for key, value in one.items():
                torch.testing.assert_close(value, other[key], rtol=0, atol=0, msg=f"{name} {key}")


def test_another_seed_gives_another_run(pack: Path, real: Path, start: Path, tmp_path: Path) -> None:
    ends = []
    for seed in (1, 2):
        run = adapter(pack, real, start, tmp_path / str(seed), steps=1, seed=seed)
        run.run()
        ends.append(run.model.state_dict()["maps.weight"])
    assert not torch.equal(*ends)


def test_ctrl_c_during_a_check_loses_no_step(
    pack: Path, real: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = dataclasses.replace(PLAN, check_steps=2)
    run = adapter(pack, real, start, tmp_path, plan, steps=3)
    measure = Guard.measure

    def interrupted(guard: Guard, model: Any) -> Any:
        if run.progress.step == 2:
            raise KeyboardInterrupt
        return measure(guard, model)

    with monkeypatch.context() as patch:
        patch.setattr(Guard, "measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.run()
    again = adapter(pack, real, start, tmp_path, plan, steps=3)
    assert again.progress.step == 2
    again.run()
    assert [check["step"] for check in again.checks] == [0, 2, 3]


def test_scenes_are_learned_from_or_held_out_never_both(pack: Path) -> None:
    learned, held = split(read_pack(pack), seed=1)
    names = [{scene.name for scene in part} for part in (learned, held)]
    assert names[0].isdisjoint(names[1])
    assert len(names[0] | names[1]) == 6
    assert split(read_pack(pack), seed=1)[1].indices == held.indices


def test_a_held_out_picture_that_cannot_be_read_is_left_out_and_named(
    pack: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "pack"
    shutil.copytree(pack, broken)
    scenes = read_pack(broken)
    whole = pairs_of(scenes, CONFIG)
    next((broken / "rgb").iterdir()).write_bytes(b"no picture")
    left = pairs_of(read_pack(broken), CONFIG)
    assert len(left) == len(whole) - 1
    assert "picture left out" in caplog.text
    assert {pair.name for pair in left} < {pair.name for pair in whole}
    with pytest.raises(SourceError, match="held out"):
        pairs_of(scenes[0:0], CONFIG)


def test_held_out_pictures_stand_in_the_foggy_days_that_training_draws(pack: Path) -> None:
    foggy = dataclasses.replace(CONFIG, fog=FogConfig(median=(0.1, 0.12)), fog_share=1.0)
    plain, fog = (pairs_of(read_pack(pack), config) for config in (CONFIG, foggy))
    arrived = [[float(np.median(pair.transmission)) for pair in pairs if pair.transmission is not None]
               for pairs in (plain, fog)]  # fmt: skip
    assert max(arrived[1]) < min(arrived[0])


def test_the_folder_of_a_training_run_is_refused(pack: Path, real: Path, start: Path) -> None:
    with pytest.raises(UsageError, match="is of a training run"):
        adapter(pack, real, start, start.parent)


def test_real_pictures_that_cannot_be_used_are_counted_and_named(
    real: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    cv2.imwrite(str(tmp_path / "icon.png"), picture(1, 16, 16))
    found = read_real([real, tmp_path])
    assert len(found) == 10
    assert "2 real pictures or videos left out" in caplog.text
    assert "broken.png" in caplog.text
    assert "icon.png is 16x16" in caplog.text


def test_too_few_real_pictures_and_missing_folders_are_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), picture(1))
    with pytest.raises(SourceError, match="1 real pictures can be used; adapting needs at least 8"):
        read_real([tmp_path])
    with pytest.raises(SourceError, match="does not exist"):
        read_real([tmp_path / "nothing"])


def test_frames_of_videos_are_real_pictures_too(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "fog.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        for i in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(i), format="bgr24")))
        container.mux(stream.encode(None))
    found = read_real([tmp_path])
    assert len(found) == 12
    assert len({one.picture.tobytes() for one in found}) == 12


def test_the_loop_closes_with_a_model_a_sheet_and_a_report(
    pack: Path, real: Path, start: Path, validation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtdehaze.train.gate.GATE_SAMPLES", 8)
    config = dataclasses.replace(CONFIG, data=DataConfig(packs=(str(pack),), validation=str(validation)))
    monkeypatch.setattr("rtdehaze.train.adapt.STEPS", 3)
    monkeypatch.setattr("rtdehaze.train.adapt.STAGES", CONFIG.stages)
    adaptation = open_adaptation([real], start, tmp_path, config=config, plan=PLAN)
    adaptation.run.run()
    report = deliver_adaptation(adaptation)
    assert report.model.is_file()
    assert report.model.with_suffix(".json").is_file()
    assert set(report.before["standing"]) == {"held-out scenes", "validation"}
    assert cv2.imread(str(report.sheet)) is not None
    assert "real pictures, picture" in report.describe()
    assert len(read_validation(validation)) == 2
    told = parse_origins(checkpoints.notes_of(report.weights)["origins"], str(report.weights))
    assert {origin.source for origin in told} == {f"the weights of {start.name}", "boxes", "more"}
    model = build("tiny").eval()
    checkpoints.load_weights(report.weights, "tiny", model)
    for key, value in model.state_dict().items():
        torch.testing.assert_close(weights(tmp_path / BEST)[f"average.{key}"], value, rtol=0, atol=0, msg=key)


def test_a_restorer_cannot_be_adapted(pack: Path, real: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, network="aod", steps=1, data=DataConfig(packs=(str(pack),)))
    Trainer(config, read_pack(pack), tmp_path / "aod").run()
    with pytest.raises(UsageError, match="is of network 'aod'"):
        open_adaptation([real], tmp_path / "aod" / CHECKPOINT, tmp_path / "out", config=config)


def test_what_no_adaptation_wrote_is_not_overwritten(pack: Path, real: Path, start: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.safetensors").write_bytes(start.read_bytes())
    config = dataclasses.replace(CONFIG, data=DataConfig(packs=(str(pack),)))
    with pytest.raises(OutputExistsError, match=r"tiny\.safetensors exists"):
        open_adaptation([real], tmp_path / "tiny.safetensors", tmp_path, config=config)


def test_labelled_pictures_must_be_named() -> None:
    with pytest.raises(UsageError, match="give --pack DIR or --config FILE"):
        adapted.configuration(None)


def test_progress_says_what_each_check_found(
    pack: Path, real: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        adapter(pack, real, start, tmp_path, steps=1).run()
    assert "check at step 0: held-out scenes" in caplog.text
    assert "check at step 1:" in caplog.text
