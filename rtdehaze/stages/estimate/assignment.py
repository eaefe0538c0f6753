"""Whether a model really runs where it was asked to: by ONNX Runtime's own record of which node went where.

A provider may open, take one node of a network, and leave all others to the CPU. Shape arithmetic (a few integers per
run, which ONNX Runtime keeps on the CPU on purpose) is no such case; any other node there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rtdehaze.stages.estimate.onnxfile import read_graph

__all__ = ["Assigned", "assigned_nodes", "strays"]

_CPU = "CPUExecutionProvider"

_ASK_SHAPES = frozenset({"Shape", "Size"})

_SHAPE_WORK = frozenset(
    {"Cast", "Concat", "ConstantOfShape", "Gather", "Range", "Shape", "Size", "Slice", "Squeeze", "Unsqueeze"}
)
"""What a node without a name, which cannot be looked up in the graph, may be to count as shape arithmetic."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """A node and the provider that runs it."""

    name: str
    kind: str
    """Its operator, for example `Conv`."""
    provider: str
    """ONNX Runtime's name."""


def assigned_nodes(runtime: Any) -> list[Assigned]:
    """Reads the record of a session that was opened with `session.record_ep_graph_assignment_info`."""
    return [
        Assigned(node.name, node.op_type, part.ep_name)
        for part in runtime.get_provider_graph_assignment_info()
        for node in part.get_nodes()
    ]


def strays(graph: bytes, nodes: Iterable[Assigned]) -> list[Assigned]:
    """The nodes that compute and were left to the CPU.

    Args:
        graph: The model file's content.
        nodes: As `assigned_nodes` gives them.

    Returns:
        Empty where the model runs on its accelerator, shape arithmetic apart.
    """
    left = [node for node in nodes if node.provider == _CPU]
    if not left:
        return []
    known = _shape_arithmetic(graph)
    return [node for node in left if not known.get(node.name, node.kind in _SHAPE_WORK)]


def _shape_arithmetic(graph: bytes) -> Mapping[str, bool]:
    """By name of node: whether all that goes in comes from the shapes of tensors and from constants."""
    nodes, fed = read_graph(graph)
    # Samples of the picture flow from what is fed; asking for a shape ends the flow.
    samples = set(fed)
    answers: dict[str, bool] = {}
    for node in nodes:
        computes = node.kind not in _ASK_SHAPES and any(name in samples for name in node.inputs)
        if computes:
            samples.update(node.outputs)
        if node.name:
            answers[node.name] = not computes
    return answers
