"""All of a frame's arithmetic as one ONNX graph: planes in, planes out, and the halves of it.

`shrink` averages planes by area to the thumbnail, a shipped model estimates the haze, its answer is turned into maps as
`plan_removal` does at full strength, and `recompose` takes them off. Left out are what has a memory of other frames:
smoothing over time, the gate and the exposure; the split graphs leave room for them between estimate and recompose.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from graphs import Graph

from device.planes import Shot
from device.planning import answered, planned
from device.recompose import recompose_nodes
from rtdehaze.core.card import Card, Kind
from rtdehaze.core.colour import Colour, rgb_to_levels
from rtdehaze.core.errors import UsageError
from rtdehaze.stages.estimate.models import load_model
from rtdehaze.stages.estimate.thumbnail import _taps

__all__ = ["MAPS", "Network", "build_estimate", "build_whole", "open_network"]

MAPS = {"luma": 1, "chroma": 1, "veil": 3, "guide": 3}
"""Channels of the maps between estimate and recompose."""


@dataclass(frozen=True)
class Network:
    """A shipped model, ready to be put into a graph."""

    model: onnx.ModelProto
    card: Card
    thumbnail: tuple[int, int]
    """Width and height of what it looks at."""
    maps: tuple[int, int]
    """Width and height of what it answers."""


def open_network(name: str, shot: Shot, *, half: bool) -> Network:
    """Loads a model for frames of a size.

    Args:
        name: Of a shipped model, or the path of an .onnx file with its card.
        shot: Size of the frames.
        half: Turn its numbers into float16; what goes in and comes out stays float32.

    Raises:
        UsageError: It is no estimator of single pictures.
    """
    from rtdehaze.stages.estimate.estimator import open_estimator

    found = load_model(name)
    if found.card.kind is not Kind.ESTIMATOR or found.card.state:
        raise UsageError(f"model {name} is no estimator of single pictures; take base, fast, cap or dcp")
    estimator = open_estimator(name, provider="cpu")
    thumbnail = estimator.thumbnail_size(shot.width, shot.height)
    answer = estimator.estimate(np.full((3, thumbnail[1], thumbnail[0]), 0.5, np.float32))
    maps = answer.transmission if answer.removal is None else answer.removal.luma
    if thumbnail[0] % maps.shape[1] or thumbnail[1] % maps.shape[0]:
        raise UsageError(f"model {name} answers at {maps.shape}, no whole fraction of {thumbnail}")
    model = onnx.load_from_string(found.graph)
    if half:
        from onnxruntime.transformers.float16 import convert_float_to_float16
        from onnxruntime.transformers.onnx_model import OnnxModel

        with warnings.catch_warnings():
            # It says which constants are too small for float16; the canary says whether it matters.
            warnings.simplefilter("ignore")
            # Its own list of operators that stay as they are names some casts twice; all have kernels for float16.
            model = convert_float_to_float16(model, keep_io_types=True, op_block_list=[])
        converted = OnnxModel(model)
        # It appends the casts of inputs at the end.
        converted.topological_sort()
        model = converted.model
    return Network(model, estimator.card, thumbnail, (maps.shape[1], maps.shape[0]))


def build_whole(shot: Shot, network: Network, colour: Colour) -> onnx.ModelProto:
    """Builds the graph from the planes `y`, `u`, `v` (or `y`, `uv`) to the planes `out_y`, ..."""
    graph = _Embedding()
    planes = shot.read(graph)
    removal = _plan(graph, _estimate(graph, planes, shot, network, colour), network)
    out = recompose_nodes(graph, shot, planes, removal, network.maps, colour)
    outputs = {f"out_{name}": (out[name], shot.pixels.dtype, size) for name, size in shot.planes.items()}
    return graph.finish("dehaze", _inputs(shot), outputs)


def build_estimate(shot: Shot, network: Network, colour: Colour, *, plan: bool = True) -> onnx.ModelProto:
    """Builds the first half: from the planes to the maps `luma`, `chroma`, `veil` and `guide`.

    Args:
        shot: Format and size of the frames.
        network: The model.
        colour: How samples are to be read.
        plan: Maps within their limits, ready for recomposition. Otherwise as the model answered, and with them
            `transmission`, `airlight` and the `thumbnail`: what smoothing over time takes.
    """
    graph = _Embedding()
    found = _estimate(graph, shot.read(graph), shot, network, colour)
    width, height = network.maps
    outputs = {name: (found[name], np.float32, (1, count, height, width)) for name, count in MAPS.items()}
    if plan:
        for name, tensor in _plan(graph, found, network).items():
            outputs[name] = (tensor, np.float32, (1, MAPS[name], height, width))
    else:
        outputs["transmission"] = (found["transmission"], np.float32, (1, 1, height, width))
        outputs["airlight"] = (found["airlight"], np.float32, (1, 3, 1, 1))
        outputs["thumbnail"] = (found["thumbnail"], np.float32, (1, 3, *network.thumbnail[::-1]))
    return graph.finish("estimate", _inputs(shot), outputs)


def _inputs(shot: Shot) -> dict[str, Any]:
    return {name: (shot.pixels.dtype, size) for name, size in shot.planes.items()}


class _Embedding(Graph):
    """A graph that others can be put into."""

    def embed(self, model: onnx.ModelProto, source: str, outputs: list[str]) -> list[str]:
        """Adds a model's nodes, its one input being `source`; returns the names of some of its outputs."""
        version = max(item.version for item in model.opset_import if not item.domain)
        if version < self.opset:
            model = onnx.version_converter.convert_version(model, self.opset)
        self.opset = max(self.opset, version)
        prefix = "model_"
        names = {model.graph.input[0].name: source}

        def called(name: str) -> str:
            return names.get(name, prefix + name) if name else ""

        for weights in model.graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(weights)
            copy.name = called(weights.name)
            self._constants[copy.name, (), b""] = copy
        for node in model.graph.node:
            own = onnx.NodeProto()
            own.CopyFrom(node)
            own.name = prefix + (node.name or node.output[0])
            own.input[:] = [called(name) for name in node.input]
            own.output[:] = [called(name) for name in node.output]
            self._nodes.append(own)
        return [called(name) for name in outputs]


def _estimate(
    graph: _Embedding, planes: tuple[str, str], shot: Shot, network: Network, colour: Colour
) -> dict[str, str]:
    """What the model answers, with the `thumbnail`, and the `guide`: the thumbnail at the maps' size."""
    thumbnail = _shrunk(graph, planes, shot, network.thumbnail, colour)
    meanings = [meaning for meaning in network.card.outputs if meaning != "density"]
    answers = graph.embed(network.model, thumbnail, [network.card.outputs[meaning] for meaning in meanings])
    factor = [network.thumbnail[1] // network.maps[1], network.thumbnail[0] // network.maps[0]]
    guide = graph.op("AveragePool", thumbnail, kernel_shape=factor, strides=factor)
    return answered(graph, dict(zip(meanings, answers, strict=True))) | {"guide": guide, "thumbnail": thumbnail}


def _plan(graph: Graph, found: dict[str, str], network: Network) -> dict[str, str]:
    return planned(graph, found, found["guide"], finer=network.maps != network.thumbnail) | {"guide": found["guide"]}


def _shrunk(graph: Graph, planes: tuple[str, str], shot: Shot, size: tuple[int, int], colour: Colour) -> str:
    """The thumbnail, (1, 3, h, w), RGB in [0, 1]: means over areas, as products with the matrices of their shares."""
    small = []
    for plane, (width, height) in zip(
        planes, ((shot.width, shot.height), (shot.width // 2, shot.height // 2)), strict=True
    ):
        rows = graph.constant(_shares(height, size[1]))
        columns = graph.constant(np.ascontiguousarray(_shares(width, size[0]).T))
        small.append(graph.op("MatMul", graph.op("MatMul", rows, plane), columns))
    levels = graph.op("Concat", *small, axis=1)
    matrix, offset = rgb_to_levels(colour, shot.pixels.bits)
    inverse = np.linalg.inv(matrix)
    weight = graph.constant(inverse.astype(np.float32).reshape(3, 3, 1, 1))
    base = graph.constant((inverse @ -offset).astype(np.float32))
    return graph.op("Clip", graph.op("Conv", levels, weight, base), 0.0, 1.0)


def _shares(samples: int, cells: int) -> np.ndarray:
    """(cells, samples): by how much each sample counts in the mean of each cell."""
    starts, weights = _taps(float(samples), samples, cells)
    shares = np.zeros((cells, samples), np.float32)
    at = starts[:, None] + np.arange(weights.shape[1])
    np.put_along_axis(shares, at, weights, axis=1)
    return shares
