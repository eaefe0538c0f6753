"""Small ONNX models for the tests, written on the spot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]
OPEN = (1, 3, "height", "width")


def write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    outputs: dict[str, Shape],
    constants: dict[str, Any],
    *,
    shape: Shape = OPEN,
    kind: int = TensorProto.FLOAT,
    output_kind: int | None = None,
    states: dict[str, Shape] | None = None,
    card: dict[str, Any] | None = None,
) -> Path:
    """Writes a model with the input `image`, and those of its state, and its card."""
    inputs = {"image": shape} | (states or {})
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, size) for name, size in inputs.items()],
        [helper.make_tensor_value_info(name, output_kind or kind, size) for name, size in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    path.write_bytes(model.SerializeToString())
    if card is not None:
        path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    return path


def node(kind: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def card(kind: str, outputs: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {
        "name": "test",
        "kind": kind,
        "input": {"name": "image"} | spec,
        "outputs": outputs,
        "licence": "Apache-2.0",
        "trained_on": "nothing",
    }


def affine_restorer(path: Path, gain: float = 1.5, bias: float = -0.2, **options: Any) -> Path:
    """Picture -> gain * picture + bias."""
    dtype = np.float16 if options.get("kind") == TensorProto.FLOAT16 else np.float32
    nodes = [node("Mul", "image gain", "scaled"), node("Add", "scaled bias", "restored")]
    constants = {"gain": dtype(gain), "bias": dtype(bias)}
    return write(path, nodes, {"restored": options.get("shape", OPEN)}, constants, **options)


def gain_estimator(path: Path, slope: float = 0.0) -> Path:
    """Transmission 0.5, airlight and density constant, gains 2 and 1.5 and a bias at half of the thumbnail's size.

    Luma's gain changes by `slope` from black to white.
    """
    nodes = [
        node("AveragePool", "image", "half", kernel_shape=[2, 2], strides=[2, 2]),
        node("ReduceMean", "half", "grey", axes=[1]),
        node("Mul", "grey zero", "nothing"),
        node("Add", "nothing t", "transmission"),
        node("Mul", "grey slope", "fall"),
        node("Add", "fall two", "luma_gain"),
        node("Add", "nothing more", "chroma_gain"),
        node("Mul", "half zero", "blank"),
        node("Add", "blank shift", "bias"),
        node("Identity", "air", "airlight"),
        node("Identity", "dense", "density"),
    ]
    half = (1, 1, "h", "w")
    outputs: dict[str, Shape] = {
        "transmission": half, "airlight": (1, 3), "density": (1,), "luma_gain": half, "chroma_gain": half,
        "bias": (1, 3, "h", "w"),
    }  # fmt: skip
    shift = np.array([-0.5, -0.4, -0.3], np.float32).reshape(1, 3, 1, 1)
    constants = {
        "zero": np.float32(0), "slope": np.float32(slope),
        "t": np.float32(0.5), "two": np.float32(2), "more": np.float32(1.5), "shift": shift,
        "air": np.array([[0.8, 0.7, 0.6]], np.float32), "dense": np.array([0.4], np.float32),
    }  # fmt: skip
    meanings = {name: name for name in outputs}
    return write(path, nodes, outputs, constants, card=card("estimator", meanings, multiple=2))


def remembering_estimator(path: Path, weight: float = 0.5, **changes: Any) -> Path:
    """Transmission is a running mean of the picture's brightness at stride 8: state' = weight * state + half of it."""
    nodes = [
        node("AveragePool", "image", "parts", kernel_shape=[8, 8], strides=[8, 8]),
        node("ReduceMean", "parts", "grey", axes=[1]),
        node("Mul", "grey half", "new"),
        node("Mul", "before weight", "old"),
        node("Add", "new old", "after"),
        node("Clip", "after low high", "transmission"),
        node("Identity", "air", "airlight"),
        node("Identity", "dense", "density"),
    ]
    size = (1, 1, "rows", "columns")
    outputs: dict[str, Shape] = {"transmission": size, "airlight": (1, 3), "density": (1,), "after": size}
    constants = {
        "half": np.float32(0.5), "weight": np.float32(weight), "low": np.float32(0.05), "high": np.float32(1),
        "air": np.array([[0.8, 0.8, 0.8]], np.float32), "dense": np.array([0.4], np.float32),
    }  # fmt: skip
    meanings = {name: name for name in ("transmission", "airlight", "density")}
    about = card("estimator", meanings, multiple=8)
    about["state"] = [{"input": "before", "output": "after", "channels": 1, "stride": 8} | changes]
    return write(path, nodes, outputs, constants, states={"before": size}, card=about)
