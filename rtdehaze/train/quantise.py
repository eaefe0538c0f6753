"""Static int8: an exported estimator whose convolutions compute in integers, ranges measured on the data.

Not every layer gains. A convolution over few channels loses more to the conversions around it than it saves, and a
layer whose values spread widely loses precision. So sets of layers are tried, timed beside the float model, and the
layers that hurt most are taken out until the loss is small enough.
"""

from __future__ import annotations

import io
import logging
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QDQQuantizer, QuantType
from onnxruntime.quantization.calibrate import create_calibrator

from rtdehaze.core.card import Card
from rtdehaze.core.errors import ModelError
from rtdehaze.train.cost import open_graph, read_graph
from rtdehaze.train.losses import recompose
from rtdehaze.train.opened import OpenedModel

__all__ = ["SETS", "Picture", "Quantised", "Quantiser", "quantise"]

log = logging.getLogger("rtdehaze.train")

Picture = NDArray[np.float32]
"""A thumbnail as the model takes it: (1, 3, h, w), RGB in [0, 1]."""

SETS = ("all", "wide")
"""What is tried: every convolution and what integers pass between; or only the 1x1 convolutions that are worth it."""
WORTH = 1024
"""Input times output channels from which a 1x1 convolution saves in int8 what the conversions around it cost."""
PASSING = ("Add", "Concat", "Pad", "Resize", "Relu")
"""Operators between convolutions that integers pass; between those of the set `wide` only the last."""
JUDGED = 12
"""Pictures on which errors are measured."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """A graph in int8."""

    graph: bytes
    """The serialised model."""
    layers: tuple[str, ...]
    """The convolutions that compute in int8."""
    spared: tuple[str, ...]
    """Those of the set that stayed in float, because the error would have been too large; worst first."""
    error: float
    """Root mean square of what the restored pictures differ from the float model's, in units of the range."""


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, pictures: Sequence[Picture]) -> None:
        self._left = iter([{name: picture} for picture in pictures])

    def get_next(self) -> dict[str, Picture] | None:
        return next(self._left, None)


class Quantiser:
    """Measures the ranges inside a model once, and then writes it in int8 as often as wanted.

    Args:
        path: The exported estimator.
        card: Its card.
        pictures: Thumbnails to measure ranges on; the first `JUDGED` also judge the error.

    Raises:
        ModelError: The graph cannot be read or run, or is in int8 already.
    """

    def __init__(self, path: Path, card: Card, pictures: Sequence[Picture]) -> None:
        self._model, self._card, self._judged = read_graph(path), card, pictures[:JUDGED]
        if any(node.op_type == "DequantizeLinear" for node in self._model.graph.node):
            raise ModelError(f"{path} is quantised already; give the float model")
        self._ranges = _ranges(path, card.input.name, pictures)
        self._expected = self._restored(path)

    def layers(self, kind: str) -> list[str]:
        """The convolutions of a set, in the order of the graph."""
        constants = {constant.name: tuple(constant.dims) for constant in self._model.graph.initializer}
        convolutions = [
            node for node in self._model.graph.node if node.op_type == "Conv" and node.input[1] in constants
        ]
        if kind == "all":
            return [node.name for node in convolutions]
        shapes = {node.name: constants[node.input[1]] for node in convolutions}
        return [name for name, shape in shapes.items() if shape[2:] == (1, 1) and shape[0] * shape[1] >= WORTH]

    def write(self, layers: Sequence[str], kind: str) -> bytes:
        """The model with those convolutions in int8, weights per output channel, and what lies between them."""
        import onnx

        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        nodes = [*layers, *self._between(set(layers), kind)]
        wanted = sorted({node.op_type for node in model.graph.node if node.name in nodes})
        # Unsigned activations and signed weights: what the integer dot products of x86 take.
        quantiser = QDQQuantizer(
            model, True, False, QuantType.QInt8, QuantType.QUInt8, self._ranges, nodes, [], wanted, {}
        )  # fmt: skip
        quantiser.quantize_model()
        written: bytes = quantiser.model.model.SerializeToString()
        return written

    def error(self, graph: bytes) -> float:
        """How far the restored pictures are from the float model's, root mean square, in units of the range."""
        differences = [a - b for a, b in zip(self._restored(graph), self._expected, strict=True)]
        return math.sqrt(sum(float((part**2).mean()) for part in differences) / len(differences))

    def _between(self, layers: set[str], kind: str) -> list[str]:
        """Names of the nodes that pass on what quantised convolutions made, and nothing else."""
        graph, passing = self._model.graph, PASSING if kind == "all" else PASSING[-1:]
        made, found = {node.output[0] for node in graph.node if node.name in layers}, []
        for node in graph.node:
            # Of a Pad or a Resize the other inputs are sizes.
            given = node.input if node.op_type in ("Add", "Concat") else node.input[:1]
            if node.op_type in passing and all(name in made for name in given):
                made.add(node.output[0])
                found.append(node.name)
        return found

    def _restored(self, source: Path | bytes) -> list[NDArray[np.float32]]:
        model = OpenedModel(open_graph(source), self._card.outputs)
        tensors = [torch.from_numpy(picture) for picture in self._judged]
        return [recompose(picture, model(picture)).clamp(0.0, 1.0).numpy() for picture in tensors]


def _ranges(path: Path, name: str, pictures: Sequence[Picture]) -> Any:
    """Least and greatest value of everything that may become integers, over all pictures."""
    # The calibrator writes its own copy of the graph, and progress bars.
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            calibrator = create_calibrator(
                path, ["Conv", *PASSING], str(Path(folder) / "calibration.onnx"), CalibrationMethod.MinMax
            )
            calibrator.collect_data(_Reader(name, pictures))
            return calibrator.compute_data()
        except Exception as error:
            raise ModelError(f"{path} cannot be calibrated: {str(error).splitlines()[0]}") from error


def quantise(quantiser: Quantiser, kind: str, tolerance: float) -> Quantised | None:
    """Quantises a set of layers, without those that hurt most where the error is above the tolerance.

    Args:
        quantiser: Of the model.
        kind: One of `SETS`.
        tolerance: Largest error, see `Quantised.error`.

    Returns:
        None if the set is empty or nothing of it can be in int8 within the tolerance.
    """
    layers = quantiser.layers(kind)
    spared: list[str] = []
    order: list[str] | None = None
    while layers:
        graph = quantiser.write(layers, kind)
        error = quantiser.error(graph)
        log.info("int8 %s: %d convolutions, error %.4f", kind, len(layers), error)
        if error <= tolerance:
            return Quantised(graph, tuple(layers), tuple(spared), error)
        if order is None:
            order = _worst_first(quantiser, layers)
        step = max(1, len(layers) // 8)
        spared, order = spared + order[:step], order[step:]
        layers = [name for name in layers if name not in spared]
    return None


def _worst_first(quantiser: Quantiser, layers: Sequence[str]) -> list[str]:
    """Layers by the error that each makes when it alone is in int8."""
    alone: Mapping[str, float] = {name: quantiser.error(quantiser.write([name], "wide")) for name in layers}
    key: Callable[[str], float] = lambda name: -alone[name]  # noqa: E731
    return sorted(layers, key=key)
