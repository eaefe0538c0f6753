"""A look into an ONNX file before anything runs it: no code, no `onnx` package, only the fields that can do harm.

An .onnx file is a protobuf message (https://protobuf.dev/programming-guides/encoding/); field numbers are those of
onnx.proto. Graphs are walked down to their tensors, because a tensor may point to any file of the machine and may
claim any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rtdehaze.core.errors import ModelError

__all__ = ["LARGEST_FILE", "GraphNode", "inspect_onnx", "read_graph"]

LARGEST_FILE = 512 * 2**20
"""Bytes. Dehazing networks have some hundred thousand to some ten million weights; 512 MiB are 128 million."""

LARGEST_TENSOR = 2**27
"""Elements of one constant, as its shape claims."""

DEEPEST = 16
"""Levels of graphs within graphs."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL = 1
_GRAPH, _NODE, _INITIALIZER, _INPUT = 7, 1, 5, 11
_TENSOR_NAME, _VALUE_NAME = 8, 1

# Message -> field -> what is inside. Fields that are not listed are skipped.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


@dataclass(slots=True)
class _Tensor:
    elements: int = 1
    external: bool = False
    location: str | None = None


@dataclass(slots=True)
class _Findings:
    locations: list[str] = field(default_factory=list)
    graphs: int = 0


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of the main graph; nodes of graphs within it are not looked at."""

    name: str
    """May be empty."""
    kind: str
    """Its operator, for example `Conv`."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_graph(data: bytes) -> tuple[list[GraphNode], frozenset[str]]:
    """Reads the nodes of a model that `inspect_onnx` has passed.

    Returns:
        The nodes, in an order in which they can be run, and the names of what is fed.
    """
    nodes: list[GraphNode] = []
    fed: set[str] = set()
    weights: set[str] = set()
    for number, value in _fields(memoryview(data)):
        if number != _GRAPH or not isinstance(value, memoryview):
            continue
        for kind, part in _fields(value):
            if not isinstance(part, memoryview):
                continue
            if kind == _NODE:
                nodes.append(_node(part))
            elif kind == _INITIALIZER:
                weights.update(_texts(part, _TENSOR_NAME))
            elif kind == _INPUT:
                fed.update(_texts(part, _VALUE_NAME))
    return nodes, frozenset(fed - weights)


def _node(message: memoryview) -> GraphNode:
    name, kind = "".join(_texts(message, 3)), "".join(_texts(message, 4))
    return GraphNode(name, kind, tuple(_texts(message, 1)), tuple(_texts(message, 2)))


def _texts(message: memoryview, wanted: int) -> list[str]:
    return [
        bytes(value).decode()
        for number, value in _fields(message)
        if number == wanted and isinstance(value, memoryview)
    ]


def inspect_onnx(data: bytes, path: Path) -> tuple[Path, ...]:
    """Checks a model file's structure.

    Args:
        data: The file's content.
        path: Where it came from; external data must lie in the same folder.

    Returns:
        The files beside it that hold its weights; empty for a model in one file.

    Raises:
        ModelError: It is not ONNX, a constant claims an absurd size, or weights lie outside its folder.
    """
    findings = _Findings()
    try:
        _walk(memoryview(data), "model", findings, 0, path)
    except (IndexError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not an ONNX model, or it is cut off") from error
    if not findings.graphs:
        raise ModelError(f"{path} is not an ONNX model: it holds no graph")
    return tuple(dict.fromkeys(_beside(path, location) for location in findings.locations))


def _walk(message: memoryview, kind: str, findings: _Findings, depth: int, path: Path) -> None:
    if depth > DEEPEST * 3:
        raise ModelError(f"{path}: graphs are nested more than {DEEPEST} deep")
    if kind == "tensor":
        _check_tensor(message, findings, path)
        return
    findings.graphs += kind == "graph"
    children = _CHILDREN[kind]
    for number, value in _fields(message):
        if number in children and isinstance(value, memoryview):
            _walk(value, children[number], findings, depth + 1, path)
        elif kind == "sparse" and number == 3 and _elements(value) > LARGEST_TENSOR:
            raise ModelError(f"{path}: a sparse constant claims more than {LARGEST_TENSOR} elements")


def _check_tensor(message: memoryview, findings: _Findings, path: Path) -> None:
    tensor = _Tensor()
    for number, value in _fields(message):
        if number == 1:
            tensor.elements *= _elements(value)
        elif number == 14:
            tensor.external = value == _EXTERNAL
        elif number == 13 and isinstance(value, memoryview):
            entry = {key: bytes(item).decode() for key, item in _fields(value) if isinstance(item, memoryview)}
            if entry.get(1) == "location":
                tensor.location = entry.get(2, "")
    if tensor.elements > LARGEST_TENSOR:
        raise ModelError(f"{path}: a constant claims more than {LARGEST_TENSOR} elements")
    if tensor.external or tensor.location is not None:
        findings.locations.append(tensor.location or "")


def _elements(value: int | memoryview) -> int:
    """The product of dimensions, packed or single; negative ones come as huge numbers and are refused as such."""
    if isinstance(value, int):
        return value
    product, at = 1, 0
    while at < len(value):
        dimension, at = _varint(value, at)
        product *= dimension
    return product


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise IndexError(f"wire type {wire}")
        if at + length > len(message):
            raise IndexError("cut off")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result, at
        shift += 7
        if shift > 63:
            raise IndexError("varint")


def _beside(path: Path, location: str) -> Path:
    """Resolves the place of external weights and insists that it is in the model's own folder."""
    folder = path.resolve().parent
    try:
        target = (folder / location).resolve()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: its weights are said to lie in {location!r}, which is no path") from error
    if not location or not target.is_relative_to(folder):
        raise ModelError(f"{path}: its weights are said to lie in {location!r}, outside the model's folder: refused")
    if not target.is_file():
        raise ModelError(f"{path}: its weights are missing: no file {location!r} beside it")
    if target.stat().st_size > LARGEST_FILE:
        raise ModelError(f"{path}: the weights in {location!r} are larger than {LARGEST_FILE} bytes")
    return target
