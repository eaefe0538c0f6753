"""Quantising: int8 near the float answers, scored, tabled, and refused where it cannot be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from rtdehaze.core.card import read_card
from rtdehaze.core.errors import ModelError, OutputExistsError, SourceError, UsageError
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.train.checkpoint import load_estimator, save_weights
from rtdehaze.train.comparison import Row, compare, table
from rtdehaze.train.cost import alternate, count
from rtdehaze.train.export import About, export
from rtdehaze.train.networks import build
from rtdehaze.train.opened import open_model
from rtdehaze.train.quantise import Quantiser, quantise
from rtdehaze.train.quantised import pictures_of, quantise_file, samples_of
from rtdehaze.train.sizes import Size
from rtdehaze.train.validate import read_validation, score
from tests.train.simplifying import picture, tiny


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model wide enough that its inner convolutions are worth int8."""
    folder = tmp_path_factory.mktemp("exported")
    torch.manual_seed(3)
    save_weights(folder / "w.safetensors", "tiny", build("tiny", Size((8, 16, 32, 32, 32), (0, 0, 1, 1, 1))))
    target = folder / "wide.onnx"
    export(folder / "w.safetensors", "tiny", target, About("wide", "For the test.", "MIT", "boxes"))
    return target


def test_an_exported_model_scores_as_its_network(exported: Path, validation: Path) -> None:
    network = load_estimator(exported.parent / "w.safetensors", "tiny")
    pairs = read_validation(validation)
    expected, found = score(network, pairs), score(open_model(exported), pairs)
    assert found.psnr == pytest.approx(expected.psnr, abs=1e-3)
    assert found.transmission == pytest.approx(expected.transmission, abs=1e-5)
    assert found.density_hazy == pytest.approx(expected.density_hazy, abs=1e-5)


@pytest.mark.parametrize("layers", ["all", "wide"])
def test_int8_keeps_the_answers_near_and_the_card_says_what_was_done(
    exported: Path, pack: Path, validation: Path, tmp_path: Path, layers: str
) -> None:
    pictures = samples_of(tiny(pack, validation), 6)
    target = tmp_path / "small.onnx"
    pairs = read_validation(validation)
    rows = quantise_file(exported, target, pictures, pairs=pairs, layers=layers, tolerance=0.05, rounds=3)
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
