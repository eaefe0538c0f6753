from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from rtdehaze.core.card import read_card
from rtdehaze.core.errors import ModelError, OutputExistsError, SourceError, UsageError
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.train.channels import axes_of, importance, inherit, makers_of, widths_of
from rtdehaze.train.checkpoint import load_estimator, save_weights
from rtdehaze.train.comparison import Row, compare, table
from rtdehaze.train.config import Config, DataConfig, HazeConfig, LossConfig, OptimConfig, StageConfig
from rtdehaze.train.cost import SIZE, alternate, count
from rtdehaze.train.data import Batch
from rtdehaze.train.distill import Distiller, lesson
from rtdehaze.train.export import About, export, write_onnx
from rtdehaze.train.losses import loss_terms, total
from rtdehaze.train.networks import Estimator, build
from rtdehaze.train.opened import open_model
from rtdehaze.train.prune import Macs, plan
from rtdehaze.train.quantise import Quantiser, quantise
from rtdehaze.train.quantised import pictures_of, quantise_file, samples_of
from rtdehaze.train.scenes import read_pack
from rtdehaze.train.simplified import START, TABLE, finish, open_distillation, open_pruning
from rtdehaze.train.sizes import Size
from rtdehaze.train.validate import read_validation, score

# Threads wait for each other at every layer of networks as small as these.
torch.set_num_threads(1)

SMALL = Size((8, 12, 16, 16, 24), (0, 1, 1, 2, 1))


def tiny(pack: Path, validation: Path, **changes: object) -> Config:
    config = Config(
        network="tiny",
        steps=6,
        threads=1,
        validate_steps=0,
        haze=HazeConfig(median=(0.2, 0.6)),
        optim=OptimConfig(rate=1e-2, average=0.9),
        stages=(StageConfig(1.0, 4, ((32, 48),)),),
        data=DataConfig(packs=(str(pack),), validation=str(validation)),
    )
    return dataclasses.replace(config, **changes)


def random_model(size: Size = SMALL, seed: int = 1) -> Estimator:
    """A network none of whose weights, shifts or statistics is at its starting value."""
    torch.manual_seed(seed)
    model = Estimator(size).eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.5 + 0.5 if value.ndim == 1 else torch.randn_like(value) * 0.2)
    return model


def picture(height: int = 48, width: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate and an importance found on few samples."""
    monkeypatch.setattr("rtdehaze.train.gate.GATE_SAMPLES", 4)
    monkeypatch.setattr("rtdehaze.train.prune.BATCHES", 2)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a network larger than tiny."""
    path = tmp_path_factory.mktemp("large") / "large.safetensors"
    origins = [{"source": "boxes", "terms": "MIT", "pictures": 6}]
    save_weights(path, "tiny", build("tiny", SMALL), {"origins": origins})
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model wide enough that its inner convolutions are worth int8."""
    folder = tmp_path_factory.mktemp("exported")
    torch.manual_seed(3)
    save_weights(folder / "w.safetensors", "tiny", build("tiny", Size((8, 16, 32, 32, 32), (0, 0, 1, 1, 1))))
    target = folder / "wide.onnx"
    export(folder / "w.safetensors", "tiny", target, About("wide", "For the test.", "MIT", "boxes"))
    return target


def test_an_inherited_network_answers_as_the_large_one_with_its_other_channels_silenced() -> None:
    model = random_model()
    worth = {group: torch.rand(width) for group, width in widths_of(model).items()}
    size = Size((6, 8, 12, 10, 16), SMALL.depths, 2, ((), (5,), (20,), (9, 32), (40,)), (3, 24, 7, 12))
    small = inherit(model, size, worth).eval()
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for group, width in widths_of(small).items():
            gone = worth[group].argsort()[: len(worth[group]) - width]
            for name, groups in axes_of(model).items():
                if groups[0] == group and name in parameters:
                    parameters[name][gone] = 0
        for silenced, inherited in zip(model(picture()), small(picture()), strict=True):
            torch.testing.assert_close(silenced, inherited, atol=1e-5, rtol=1e-5)


def test_the_least_valuable_blocks_go_where_the_small_network_is_shallower() -> None:
    model = random_model()
    worth = {group: torch.rand(width) for group, width in widths_of(model).items()}
    worth["down.3.3.inside"] *= 0.01
    small = inherit(model, dataclasses.replace(SMALL, depths=(0, 1, 1, 1, 1)), worth)
    kept, source = small.state_dict()["down.3.3.widen.weight"], model.state_dict()["down.3.4.widen.weight"]
    torch.testing.assert_close(kept, source, rtol=0, atol=0)


def test_nothing_wider_or_deeper_can_be_inherited() -> None:
    model = random_model()
    worth = {group: torch.rand(width) for group, width in widths_of(model).items()}
    with pytest.raises(UsageError, match="level0 is to have 9 channels and has 8"):
        inherit(model, dataclasses.replace(SMALL, widths=(9, 12, 16, 16, 24)), worth)
    with pytest.raises(UsageError, match="stride 16 is to have 3 blocks and has 2"):
        inherit(model, dataclasses.replace(SMALL, depths=(0, 1, 1, 3, 1)), worth)


def test_a_memory_is_not_pruned() -> None:
    with pytest.raises(UsageError, match="no network that can be made narrower"):
        axes_of(build("tiny-video"))


def test_importance_is_the_squared_change_of_the_loss_by_a_channels_gate() -> None:
    # Airlight is judged alone: transmission's limits let gradients pass that the loss itself does not have.
    weights, hazy = LossConfig(0.0, 1.0, 0.0, 0.0, 0.0, 0.0), picture()
    batch = Batch(hazy, hazy, torch.full((2, 1, 48, 64), 0.5), torch.ones(2, 3), torch.ones(2), torch.ones(2))

    def loss(scale: float) -> float:
        changed = random_model()
        parameters = dict(changed.named_parameters())
        with torch.no_grad():
            for name in makers_of(changed)["level4"]:
                parameters[name][3] *= scale
            return float(total(loss_terms(batch, changed(hazy)), weights))

    worth = importance(random_model(), [batch, batch], weights)
    slope = (loss(1.01) - loss(0.99)) / 0.02
    assert slope != 0.0
    assert float(worth["level4"][3]) == pytest.approx(slope**2, rel=0.1)
    assert len(worth["down.3.4.inside"]) == 32


def test_multiply_adds_of_a_size_are_those_of_its_exported_graph(tmp_path: Path) -> None:
    write_onnx(random_model(), tmp_path / "m.onnx")
    macs, cost = Macs(SMALL), count(tmp_path / "m.onnx")
    assert macs(macs.widths) == cost.macs
    assert cost.bytes == (tmp_path / "m.onnx").stat().st_size
    # Folded normalisation: scale and shift go, a bias comes; the hint and depthwise weights have neither.
    folded = sum(value.numel() for name, value in random_model().named_parameters())
    assert 0.9 * folded < cost.parameters < folded


def test_a_convolution_is_counted_by_hand(tmp_path: Path) -> None:
    weight = onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w")
    node = onnx.helper.make_node("Conv", ["image", "w"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2])
    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, "h", "w_"])
    answer = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph([node], "one", [image], [answer], [weight])
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "one.onnx")
    cost = count(tmp_path / "one.onnx")
    assert (cost.parameters, cost.macs) == (108, 108 * SIZE[0] * SIZE[1] // 4)


@pytest.mark.parametrize(("share", "multiple"), [(0.7, 4), (0.5, 2)])
def test_a_plan_keeps_its_share_and_whole_multiples(share: float, multiple: int) -> None:
    macs = Macs(SMALL)
    worth = {
        group: torch.rand(width, generator=torch.Generator().manual_seed(5)) for group, width in macs.widths.items()
    }
    size = plan(SMALL, worth, share, multiple)
    after = Macs(size)
    assert 0.8 * share < after(after.widths) / macs(macs.widths) <= share
    assert all(width % multiple == 0 for width in after.widths.values())


def test_a_plan_takes_what_is_worth_least() -> None:
    macs = Macs(SMALL)
    worth = {group: torch.ones(width) for group, width in macs.widths.items()}
    worth["up.2.inside"][:] = 1e-6
    size = plan(SMALL, worth, 0.9, 4)
    assert size.up[2] == 4


def test_a_plan_that_leaves_too_little_is_refused_with_what_is_least() -> None:
    worth = {group: torch.ones(width) for group, width in Macs(SMALL).widths.items()}
    with pytest.raises(UsageError, match=r"0.01 of the multiply-adds cannot be left: with multiple = 4 it is \d+ %"):
        plan(SMALL, worth, 0.01, 4)


def test_a_lesson_is_nothing_for_the_same_answers_and_more_for_others() -> None:
    teacher, other = random_model(), random_model(seed=2)
    with torch.no_grad():
        said, taught = teacher(picture()), other(picture())
    assert float(lesson(said, said)) == 0.0
    assert float(lesson(taught, said)) > 0.01


@pytest.mark.slow
def test_a_teacher_draws_the_student_to_its_answers_and_stays_as_it_is(
    pack: Path, validation: Path, tmp_path: Path
) -> None:
    teacher = random_model()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    config = tiny(pack, validation, steps=100, loss=LossConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    run = Distiller(config, read_pack(pack), tmp_path, teacher=teacher)
    run.run()
    taught = [float(line.split(",")[-1]) for line in (tmp_path / "curves.csv").read_text().splitlines()[1:]]
    assert taught[1] < 0.8 * taught[0]
    assert "taught" in (tmp_path / "curves.csv").read_text().splitlines()[0]
    for name, value in teacher.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    with pytest.raises(UsageError, match=r"weight = -1.* must be 0 or more"):
        Distiller(config, read_pack(pack), tmp_path, teacher=teacher, weight=-1.0)


@pytest.mark.slow
def test_distillation_delivers_a_model_its_card_and_a_table(
    pack: Path, validation: Path, large: Path, tmp_path: Path, brief: None
) -> None:
    config = tiny(pack, validation)
    open_distillation(config, large, tmp_path / "run").run(steps=3)
    run = open_distillation(config, large, tmp_path / "run")
    assert run.progress.step == 3
    run.run()
    whole = open_distillation(config, large, tmp_path / "whole")
    whole.run()
    for one, other in zip(run.average.state_dict().values(), whole.average.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    made = finish(run, large, "Taught.", rounds=3)
    assert [row.model for row in made.rows] == ["tiny, before", "tiny, untrained", "tiny, 6 steps"]
    assert made.rows[2].macs < made.rows[0].macs
    stored = json.loads((tmp_path / "run" / TABLE).read_text())
    assert stored["models"][2]["psnr"] == made.rows[2].psnr
    card = read_card(tmp_path / "run" / "tiny.json")
    assert (card.summary, "boxes" in card.trained_on) == ("Taught.", True)
    with pytest.raises(UsageError, match="holds a run of another kind"):
        open_pruning(config, large, tmp_path / "run", share=0.5, multiple=2)


@pytest.mark.slow
def test_pruning_narrows_the_network_that_was_given_and_trains_on(
    pack: Path, validation: Path, large: Path, tmp_path: Path, brief: None
) -> None:
    run = open_pruning(tiny(pack, validation), large, tmp_path, share=0.6, multiple=2)
    run.run()
    made = finish(run, large, "Pruned.", rounds=3)
    assert made.rows[2].macs <= 0.6 * made.rows[0].macs
    assert made.rows[1].macs == made.rows[2].macs
    assert load_estimator(tmp_path / "tiny.safetensors", "tiny").size == load_estimator(tmp_path / START, "tiny").size
    assert made.rows[2].psnr is not None
    again = open_pruning(tiny(pack, validation), large, tmp_path, share=0.6, multiple=2)
    assert again.completed == 1.0


def test_what_cannot_be_simplified_is_refused(pack: Path, validation: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "v.safetensors", "tiny-video", build("tiny-video"))
    config = tiny(pack, validation)
    with pytest.raises(UsageError, match="only estimators of single pictures"):
        open_distillation(config, tmp_path / "v.safetensors", tmp_path / "run")
    save_weights(tmp_path / "t.safetensors", "tiny", build("tiny"))
    with pytest.raises(UsageError, match="'aod' cannot be taught"):
        open_distillation(dataclasses.replace(config, network="aod"), tmp_path / "t.safetensors", tmp_path / "run")
    with pytest.raises(UsageError, match="share = 1 must lie between 0 and 1"):
        open_pruning(config, tmp_path / "t.safetensors", tmp_path / "run", share=1.0)


def test_an_exported_model_scores_as_its_network(exported: Path, validation: Path) -> None:
    network = load_estimator(exported.parent / "w.safetensors", "tiny")
    pairs = read_validation(validation)
    expected, found = score(network, pairs), score(open_model(exported), pairs)
    assert found.psnr == pytest.approx(expected.psnr, abs=1e-3)
    assert found.transmission == pytest.approx(expected.transmission, abs=1e-5)
    assert found.density_hazy == pytest.approx(expected.density_hazy, abs=1e-5)


def test_int8_keeps_the_answers_near_and_the_card_says_what_was_done(
    exported: Path, pack: Path, validation: Path, tmp_path: Path
) -> None:
    pictures = samples_of(tiny(pack, validation), 6)
    target = tmp_path / "small.onnx"
    rows = quantise_file(exported, target, pictures, pairs=read_validation(validation), tolerance=0.05, rounds=3)
    assert rows[0].model == "wide, float"
    assert rows[-1].model.endswith("written")
    assert rows[-1].bytes < rows[0].bytes
    assert (rows[-1].macs, rows[-1].parameters) == (rows[0].macs, rows[0].parameters)
    assert rows[-1].psnr == pytest.approx(rows[0].psnr, abs=1.0)
    card = read_card(tmp_path / "small.json")
    assert "int8 (static, QDQ, weights per channel)" in card.differs
    assert card.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert any(node.op_type == "DequantizeLinear" for node in onnx.load(target).graph.node)
    assert open_estimator(str(target), provider="cpu") is not None
    with pytest.raises(OutputExistsError, match="--overwrite"):
        quantise_file(exported, target, pictures)
    with pytest.raises(ModelError, match="quantised already"):
        quantise_file(target, tmp_path / "twice.onnx", pictures)


@pytest.mark.slow
def test_layers_that_hurt_stay_in_float(exported: Path) -> None:
    pictures = [picture(32, 48)[:1].numpy(), picture(48, 32)[1:].numpy()]
    quantiser = Quantiser(exported, read_card(exported.with_suffix(".json")), pictures)
    every = quantise(quantiser, "all", 1.0)
    assert every is not None
    assert not every.spared
    some = quantise(quantiser, "all", 0.6 * every.error)
    assert some is not None
    assert some.spared
    assert some.error <= 0.6 * every.error
    assert set(some.layers) | set(some.spared) == set(every.layers)
    assert quantise(quantiser, "all", 1e-9) is None


def test_the_wide_set_leaves_depthwise_and_narrow_convolutions_alone(
    exported: Path, pack: Path, validation: Path
) -> None:
    quantiser = Quantiser(exported, read_card(exported.with_suffix(".json")), samples_of(tiny(pack, validation), 2))
    wide = set(quantiser.layers("wide"))
    shapes = {constant.name: constant.dims for constant in onnx.load(exported).graph.initializer}
    convolutions = [node for node in onnx.load(exported).graph.node if node.op_type == "Conv"]
    assert 0 < len(wide) < len(convolutions)
    for node in convolutions:
        dims = shapes[node.input[1]]
        assert (node.name in wide) == (tuple(dims[2:]) == (1, 1) and dims[0] * dims[1] >= 1024)


def test_pictures_of_a_folder_become_thumbnails_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((300, 500, 3), (255, 0, 0), np.uint8))
    (tmp_path / "b.png").write_bytes(b"no picture")
    (only,) = pictures_of(tmp_path, 5)
    assert only.shape == (1, 3, 160, 256)
    np.testing.assert_allclose(only[0, :, 0, 0], [0.0, 0.0, 1.0])
    (tmp_path / "none").mkdir()
    with pytest.raises(SourceError, match="no picture that can be read"):
        pictures_of(tmp_path / "none", 5)


def test_a_table_lines_up_and_models_are_timed_in_turns(exported: Path) -> None:
    calls: list[str] = []
    assert len(alternate([lambda: calls.append("a"), lambda: calls.append("b")], 3)) == 2
    assert calls[-6:] == list("ababab")
    rows = compare([("wide", exported)], [], rounds=3)
    assert rows[0].psnr is None
    lines = table([*rows, Row("a longer name", 1, 2, 3, 4.0, 5.0, 0.125)]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].split()[-3:] == ["4.00", "5.00", "0.1250"]


def test_what_is_no_exported_estimator_is_refused_by_name(tmp_path: Path, exported: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"x\.onnx is no ONNX model"):
        count(tmp_path / "x.onnx")
    with pytest.raises(ModelError, match=r"x\.json cannot be read"):
        open_model(tmp_path / "x.onnx")
    with pytest.raises(ModelError, match=r"y\.onnx does not exist"):
        open_model(tmp_path / "y.onnx")
    with pytest.raises(UsageError, match=r"give another one that ends in \.onnx"):
        quantise_file(exported, exported, [])
