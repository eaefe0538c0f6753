"""What a network's layers answer to a picture: the graph with its inner tensors made outputs."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import MissingDependencyError, ModelError
from rtdehaze.core.haze import Map
from rtdehaze.stages.estimate.contract import Network, resolve_card
from rtdehaze.stages.estimate.models import Model, load_model
from rtdehaze.stages.estimate.session import open_session

__all__ = ["Layer", "read_layers"]

_LEARNED = frozenset({"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "FusedConv"})
_ACTIVATIONS = frozenset(
    {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Gelu"}
)
_PLUMBING = frozenset(
    {"Cast", "Concat", "Constant", "ConstantOfShape", "DequantizeLinear", "Expand", "Flatten", "Gather", "Identity",
     "Neg", "Pad", "QuantizeLinear", "Reshape", "Shape", "Size", "Slice", "Split", "Squeeze", "Tile", "TopK",
     "Transpose", "Unsqueeze"}
)  # fmt: skip
"""Operators that move numbers and make none."""

_FEW = 4
"""Graphs with fewer convolutions are no networks: of them every operator that makes a map counts as a layer."""
_LEAST_SIDE = 2
"""Maps of a single row or column show nothing."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's answer."""

    name: str
    """Short, and unique in the graph."""
    kind: str
    """ONNX's name of the operator, with that of the activation behind it: `Conv + Relu`."""
    maps: Map
    """(channels, h, w), after the activation."""


def read_layers(name_or_path: str | Path, thumbnail: Map) -> list[Layer]:
    """Runs a model on the CPU and returns what its layers answer, in the order of the graph.

    Of a network the layers are its convolutions, all of them, each with the activation behind it; of a classical
    estimator all operators that make a map.

    Args:
        name_or_path: As for `open_estimator`, which must have opened it before: it is there that a foreign file is
            tried in a process of its own.
        thumbnail: (3, h, w), RGB in [0, 1], of the size that the model asks for.

    Raises:
        MissingDependencyError: The package onnx is not installed.
        UnknownModelError: No such model.
        ModelError: The model is broken, or has no layer that makes a map.
    """
    model = load_model(name_or_path)
    graph = _parse(model)
    asked = _outputs_of_layers(graph)
    held = {output.name for output in graph.graph.output}
    graph.graph.output.extend(_declared(name) for name in asked if name not in held)
    opened = dataclasses.replace(model, graph=graph.SerializeToString(), external=())
    session = open_session(opened, "cpu")
    network = Network(resolve_card(opened, session), session)
    answers = session.run(list(asked), network.feed(thumbnail))
    layers = []
    for (title, kind), answer in zip(asked.values(), answers, strict=True):
        maps = _as_maps(answer)
        if maps is not None:
            layers.append(Layer(title, kind, maps))
    if not layers:
        raise ModelError(f"model {model.card.name} has no layer that answers with a map")
    return layers


def _parse(model: Model) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError(
            "looking into a model's layers needs the package onnx: pip install 'rtdehaze[train]'"
        ) from error
    try:
        # From the path only where weights lie beside the file, which was checked.
        return onnx.load(str(model.path)) if model.external else onnx.load_from_string(model.graph)
    except Exception as error:
        raise ModelError(f"{model.path} cannot be read as ONNX: {' '.join(str(error).split())[:200]}") from error


def _declared(name: str) -> Any:
    """An output of any type: ONNX Runtime finds out which."""
    import onnx

    return onnx.ValueInfoProto(name=name)


def _outputs_of_layers(graph: Any) -> dict[str, tuple[str, str]]:
    """Tensor -> (layer's name, kind)."""
    nodes = list(graph.graph.node)
    learned = [node for node in nodes if node.op_type in _LEARNED]
    chosen = learned if len(learned) >= _FEW else [node for node in nodes if node.op_type not in _PLUMBING]
    users: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)
    found: dict[str, tuple[str, str]] = {}
    for node in chosen:
        tensor, kind = node.output[0], node.op_type
        behind = users.get(tensor, [])
        if len(behind) == 1 and behind[0].op_type in _ACTIVATIONS and chosen is learned:
            tensor, kind = behind[0].output[0], f"{kind} + {behind[0].op_type}"
        found[tensor] = _short(node.name or node.output[0], node.op_type), kind
    return found


def _short(name: str, kind: str) -> str:
    """`/model/down.1/down.1.3/widen/Conv` -> `down.1.3/widen`: what repeats and what the kind says are left out."""
    parts = [part for part in name.split("/") if part]
    if len(parts) > 1 and re.fullmatch(rf"{kind}(_\d+)?", parts[-1]):
        parts = parts[:-1]
    kept = [part for part, after in zip(parts, [*parts[1:], ""], strict=True) if not after.startswith(f"{part}.")]
    return "/".join(part for part in kept if part not in ("model", "module", "graph")) or name


def _as_maps(answer: NDArray[Any]) -> Map | None:
    array = np.asarray(answer)
    if array.ndim != 4 or array.shape[0] != 1 or min(array.shape[2:]) < _LEAST_SIDE or array.dtype.kind not in "fiu":
        return None
    maps = array[0].astype(np.float32)
    return maps if bool(np.isfinite(maps).all()) else None
