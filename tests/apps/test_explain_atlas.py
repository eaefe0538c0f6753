from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from rtdehaze.apps.explain.atlas import choose_channels, draw_atlas, entries_of
from rtdehaze.core.errors import MissingDependencyError
from rtdehaze.stages.estimate.layers import Layer, read_layers
from tests.apps.explain_models import five_convolutions
from tests.apps.test_explain_panels import overlapping


def thumbnail(width: int = 48, height: int = 32) -> np.ndarray:
    return np.random.default_rng(1).random((3, height, width), dtype=np.float32)


def test_the_atlas_names_all_convolutions_with_their_sizes(tmp_path: Path) -> None:
    layers = read_layers(five_convolutions(tmp_path / "five.onnx"), thumbnail())
    assert [layer.name for layer in layers] == [f"body/layer.{number}" for number in range(5)]
    assert [layer.maps.shape for layer in layers] == [
        (6, 32, 48), (8, 32, 48), (8, 16, 24), (6, 16, 24), (12, 16, 24),
    ]  # fmt: skip
    sheet = draw_atlas("five", entries_of(layers, 4), np.zeros((32, 48, 3), np.uint8))
    assert {layer.name for layer in layers} <= {words for words, *_ in sheet.texts}
    assert overlapping(sheet) == []


def test_a_layer_is_shown_behind_its_activation(tmp_path: Path) -> None:
    first, second, *_ = read_layers(five_convolutions(tmp_path / "five.onnx"), thumbnail())
    assert first.kind == "Conv + Relu"
    assert first.maps.min() == 0.0
    assert second.kind == "Conv"
    assert second.maps.min() < 0.0


def test_asking_for_inner_tensors_changes_no_answer(tmp_path: Path) -> None:
    import onnxruntime

    path = five_convolutions(tmp_path / "five.onnx")
    picture = thumbnail()
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"image": picture[None]})[0][0]
    last = read_layers(path, picture)[-1].maps
    shuffled = last.reshape(2, 2, 3, 16, 24).transpose(2, 3, 0, 4, 1).reshape(3, 32, 48)
    np.testing.assert_allclose(picture + 0.01 * shuffled, expected, atol=1e-5)


@pytest.mark.parametrize("model", ["cap", "dcp"])
def test_the_steps_of_a_classical_estimator_are_its_layers(model: str) -> None:
    picture = thumbnail(64, 48)
    layers = read_layers(model, picture)
    kinds = {layer.kind for layer in layers}
    assert {"MaxPool", "AveragePool", "Exp" if model == "cap" else "Clip"} <= kinds
    assert not kinds & {"Reshape", "Constant", "Split", "Identity"}
    assert len({layer.name for layer in layers}) == len(layers)
    sheet = draw_atlas(model, entries_of(layers, 4), np.zeros((48, 64, 3), np.uint8))
    assert overlapping(sheet) == []


def test_the_channels_that_tell_most_come_first_and_copies_never() -> None:
    random = np.random.default_rng(2)
    strong, weak = random.normal(0, 5, (8, 8)), random.normal(0, 1, (8, 8))
    maps = np.stack([weak, strong, -2.0 * weak, strong * 0.999, np.full((8, 8), 7.0)]).astype(np.float32)
    chosen, share = choose_channels(maps, 2)
    assert chosen == (1, 2)
    assert share == pytest.approx(1.0, abs=1e-3)
    assert choose_channels(maps, 1)[1] < 0.99


def test_a_layer_that_never_varies_can_be_drawn() -> None:
    layers = [Layer("flat", "Conv", np.zeros((3, 4, 4), np.float32))]
    assert draw_atlas("flat", entries_of(layers, 4), np.zeros((9, 9, 3), np.uint8)).pixels.size


def test_without_onnx_it_is_said_which_extra_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingDependencyError, match=r"rtdehaze\[train\]"):
        read_layers("dcp", thumbnail(64, 48))
