"""Pruning: what is inherited, what it costs, what is worth least, and that training goes on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from rtdehaze.core.errors import UsageError
from rtdehaze.train.channels import axes_of, importance, inherit, makers_of, widths_of
from rtdehaze.train.checkpoint import load_estimator
from rtdehaze.train.config import LossConfig
from rtdehaze.train.cost import SIZE, count
from rtdehaze.train.data import Batch
from rtdehaze.train.export import write_onnx
from rtdehaze.train.losses import loss_terms, total
from rtdehaze.train.networks import build
from rtdehaze.train.prune import Macs, plan
from rtdehaze.train.simplified import START, finish, open_pruning
from rtdehaze.train.sizes import Size
from tests.train.simplifying import SMALL, picture, random_model, tiny


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
