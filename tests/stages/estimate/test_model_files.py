"""Broken and hostile model files: one clear line each, and nothing of theirs is run in this process."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import onnx
import onnx_files
import pytest
from onnx import TensorProto, helper

from rtdehaze.core.errors import ModelError, UnknownModelError
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.estimate.models import load_model, models_folder

PICTURE = {"image": "restored"}


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_estimator(path, provider="cpu")
    message = str(caught.value)
    assert "\n" not in message
    return message


def with_external(path: Path, location: str) -> Path:
    """A restorer whose gain is said to lie in another file."""
    onnx_files.affine_restorer(path)
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    path.write_bytes(model.SerializeToString())
    return path


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"unknown model 'dpc'; known: [a-z, -]*cap, dcp"):
        open_estimator("dpc")
    with pytest.raises(UnknownModelError, match=r"no model file nowhere\.onnx"):
        open_estimator("nowhere.onnx")


NOISE = np.random.default_rng(0).bytes(4096)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x00" * 1000, NOISE, b"\x08\x09" * 40])
def test_garbage_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    assert "is not an ONNX model" in refused(path)


def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes((models_folder() / "cap.onnx").read_bytes()[:3000])
    assert "cut off" in refused(path)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "sub/../../secret.bin", "link.bin", ""])
def test_weights_outside_the_models_folder_are_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(np.float32(1.5).tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    assert "outside the model's folder" in refused(with_external(folder / "evil.onnx", location))


def test_weights_beside_the_model_are_read(tmp_path: Path) -> None:
    path = with_external(tmp_path / "two.onnx", "two.onnx.data")
    assert "its weights are missing" in refused(path)
    (tmp_path / "two.onnx.data").write_bytes(np.float32(1.5).tobytes())
    assert open_estimator(path, provider="cpu").name == "two"


def test_a_constant_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    path = onnx_files.affine_restorer(tmp_path / "huge.onnx")
    model = onnx.load(path)
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]
    path.write_bytes(model.SerializeToString())
    assert "a constant claims more than" in refused(path)


def test_a_constant_made_huge_while_loading_ends_a_child_and_not_us(tmp_path: Path) -> None:
    nodes = [
        onnx_files.node("ConstantOfShape", "shape", "huge"),
        onnx_files.node("ReduceMax", "huge", "one", keepdims=0),
        onnx_files.node("Add", "image one", "restored"),
    ]
    shape = np.array([60000, 60000], np.int64)
    path = onnx_files.write(tmp_path / "bomb.onnx", nodes, {"restored": onnx_files.OPEN}, {"shape": shape})
    assert "model bomb failed to run" in refused(path)


def test_an_endless_loop_runs_out_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtdehaze.stages.estimate.trial.PATIENCE", 4.0)
    body = helper.make_graph(
        [onnx_files.node("Identity", "go", "on"), onnx_files.node("Identity", "picture", "same")],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("picture", TensorProto.FLOAT, list(onnx_files.OPEN)),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("same", TensorProto.FLOAT, list(onnx_files.OPEN)),
        ],
    )
    nodes = [onnx_files.node("Loop", "turns true image", "restored", body=body)]
    constants = {"turns": np.int64(1 << 62), "true": np.bool_(True)}
    path = onnx_files.write(tmp_path / "loop.onnx", nodes, {"restored": onnx_files.OPEN}, constants)
    assert "did not answer a test picture within 4 s" in refused(path)


def test_a_file_that_is_not_the_cards_is_refused(tmp_path: Path) -> None:
    path = onnx_files.affine_restorer(tmp_path / "other.onnx")
    card = onnx_files.card("restorer", PICTURE) | {"sha256": "0" * 64}
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    assert "sha256 is " + hashlib.sha256(path.read_bytes()).hexdigest()[:12] in refused(path)


@pytest.mark.parametrize(
    ("shape", "kind", "says"),
    [
        ((1, 1, "h", "w"), TensorProto.FLOAT, "must be (1, 3, height, width)"),
        ((3, "h", "w"), TensorProto.FLOAT, "must be (1, 3, height, width)"),
        ((4, 3, "h", "w"), TensorProto.FLOAT, "must be (1, 3, height, width)"),
        (onnx_files.OPEN, TensorProto.DOUBLE, "must be float or float16"),
    ],
)
def test_a_wrong_input_is_named(tmp_path: Path, shape: onnx_files.Shape, kind: int, says: str) -> None:
    path = tmp_path / "wrong.onnx"
    nodes = [onnx_files.node("Identity", "image", "restored")]
    card = onnx_files.card("restorer", PICTURE)
    onnx_files.write(path, nodes, {"restored": shape}, {}, shape=shape, kind=kind, card=card)
    assert says in refused(path)


def test_names_that_differ_from_the_card_are_named(tmp_path: Path) -> None:
    path = onnx_files.affine_restorer(tmp_path / "a.onnx", card=onnx_files.card("restorer", {"image": "clean"}))
    assert "no output 'clean' for image; the graph gives: restored" in refused(path)
    path = onnx_files.affine_restorer(tmp_path / "b.onnx", card=onnx_files.card("restorer", PICTURE, name="rgb"))
    assert "input.name is 'rgb', the graph's is 'image'" in refused(path)


def test_a_network_that_is_no_restorer_needs_a_card(tmp_path: Path) -> None:
    path = onnx_files.gain_estimator(tmp_path / "bare.onnx")
    path.with_suffix(".json").unlink()
    nodes = [onnx_files.node("ReduceMean", "image", "score", axes=[2, 3], keepdims=0)]
    onnx_files.write(path, nodes, {"score": (1, 3)}, {})
    assert "write bare.json beside it" in refused(path)


def test_a_network_without_a_card_is_taken_for_a_restorer_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = onnx_files.affine_restorer(tmp_path / "found.onnx")
    with caplog.at_level(logging.WARNING, logger="rtdehaze.estimate"):
        open_estimator(path, provider="cpu")
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["found.onnx has no card"]
    caplog.clear()


@pytest.mark.parametrize(
    ("gain", "bias", "says"),
    [(np.nan, 0.0, "NaN or infinity"), (np.inf, 0.0, "NaN or infinity"), (0.0, 0.0, "not a picture"),
     (255.0, 0.0, "not a picture")],
)  # fmt: skip
def test_nonsense_pictures_are_found_at_loading(tmp_path: Path, gain: float, bias: float, says: str) -> None:
    assert says in refused(onnx_files.affine_restorer(tmp_path / "nonsense.onnx", gain, bias))


def test_a_restorer_that_changes_the_size_is_refused(tmp_path: Path) -> None:
    nodes = [onnx_files.node("AveragePool", "image", "restored", kernel_shape=[2, 2], strides=[2, 2])]
    path = onnx_files.write(tmp_path / "half.onnx", nodes, {"restored": (1, 3, "h", "w")}, {})
    assert "the two must be the same" in refused(path)


def test_a_card_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = onnx_files.affine_restorer(tmp_path / "model.onnx")
    path.with_suffix(".json").write_text("{", encoding="utf-8")
    assert "model.json is not JSON" in refused(path)


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(UnknownModelError):
        load_model(tmp_path / "folder.onnx")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"input": "memory"}, "the card's state names 'memory', but the graph does not"),
        ({"output": "later"}, "the card's state names 'later', but the graph does not"),
        ({"channels": 7}, r"state 'before' is tensor\(float\) \(1, 1, rows, columns\), but must be"),
    ],
)
def test_a_state_that_is_not_the_graphs_is_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    path = onnx_files.remembering_estimator(tmp_path / "m.onnx", **changes)
    with pytest.raises(ModelError, match=says):
        open_estimator(path, provider="cpu")


def test_a_state_that_the_card_does_not_tell_of_is_refused(tmp_path: Path) -> None:
    path = onnx_files.remembering_estimator(tmp_path / "m.onnx")
    card = json.loads(path.with_suffix(".json").read_text())
    del card["state"]
    path.with_suffix(".json").write_text(json.dumps(card))
    assert "must take one input, a picture; it takes: image, before" in refused(path)


def test_a_state_of_another_stride_or_one_that_explodes_fails_the_first_test(tmp_path: Path) -> None:
    assert "failed to run" in refused(onnx_files.remembering_estimator(tmp_path / "a.onnx", stride=32))
    exploding = onnx_files.remembering_estimator(tmp_path / "b.onnx", weight=np.inf)
    assert "state 'after' holds NaN or infinity" in refused(exploding)
