"""What an exported model costs: parameters, multiply-adds, bytes, milliseconds; of any graph, whoever made it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from rtdehaze.core.errors import MissingDependencyError, ModelError

__all__ = ["SIZE", "Cost", "alternate", "count", "open_graph", "read_graph", "times"]

SIZE = (144, 256)
"""(height, width) in samples that costs are stated for: the thumbnail of a 16:9 video."""
WARM_UP = 5
"""Runs of each model before time is taken."""
_SILENT = 4
"""ONNX Runtime's severity `fatal`: what it warns of while graphs are tried is of no use to a user."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a graph holds and does, at `SIZE`."""

    parameters: int
    """Weights and biases of convolutions and matrix products, normalisation folded in."""
    macs: int
    """Their multiply-adds for one picture."""
    bytes: int
    """Size of the file."""


def read_graph(path: Path) -> Any:
    """Reads an ONNX file as a `ModelProto`.

    Raises:
        ModelError: It cannot be read or is no ONNX model.
        MissingDependencyError: The package onnx is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError("reading graphs needs the package onnx: pip install 'rtdehaze[train]'") from error
    try:
        # Weights beside the model stay where they are: nothing outside the file is opened.
        return onnx.load_model(path, load_external_data=False)
    except OSError as error:
        raise ModelError(f"model {path} cannot be read: {error.strerror}") from error
    except Exception as error:
        raise ModelError(f"{path} is no ONNX model: {str(error).splitlines()[0]}") from error


def open_graph(source: Path | bytes, *, as_written: bool = False) -> ort.InferenceSession:
    """Opens a graph on one thread of the CPU.

    Args:
        source: The file, or its bytes.
        as_written: Leave the graph as it is, instead of fusing its nodes.

    Raises:
        ModelError: ONNX Runtime does not accept it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if as_written:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        given = source if isinstance(source, bytes) else str(source)
        return ort.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        name = "the model" if isinstance(source, bytes) else f"model {source}"
        raise ModelError(f"{name} does not open in ONNX Runtime: {str(error).splitlines()[0]}") from error


def count(path: Path) -> Cost:
    """Counts a graph's parameters and multiply-adds by running it once and looking at the shapes.

    Raises:
        ModelError: The file is no ONNX model, has more than one input, or does not run on a picture of `SIZE`.
    """
    model = read_graph(path)
    sizes = _sizes(model.graph)
    made = {node.output[0]: sizes[node.input[1]] for node in model.graph.node if _multiplies(node, sizes)}
    biases = sum(
        math.prod(sizes[name])
        for node in model.graph.node
        if node.output[0] in made
        for name in node.input[2:3]
        if name in sizes
    )
    shapes = _shapes(model, sorted(made))
    macs = 0
    for name, weight in made.items():
        # A convolution's weight is (out, in, height, width); a product's is a matrix with the answer's last side.
        each = math.prod(weight[1:]) if len(weight) > 2 else math.prod(weight) // max(1, shapes[name][-1])
        macs += math.prod(shapes[name]) * each
    return Cost(sum(map(math.prod, made.values())) + biases, macs, path.stat().st_size)


def _multiplies(node: Any, sizes: dict[str, tuple[int, ...]]) -> bool:
    return node.op_type in ("Conv", "Gemm", "MatMul") and node.input[1] in sizes


def _sizes(graph: Any) -> dict[str, tuple[int, ...]]:
    """Shapes of the constants by name, those behind a dequantisation included."""
    sizes = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    known = -1
    # Quantising leaves nodes in any order: what a bias is copied from may come after the copy.
    while len(sizes) > known:
        known = len(sizes)
        for node in graph.node:
            if node.op_type == "Constant":
                sizes[node.output[0]] = tuple(node.attribute[0].t.dims)
            elif node.op_type in ("DequantizeLinear", "Identity", "Transpose") and node.input[0] in sizes:
                sizes[node.output[0]] = sizes[node.input[0]]
    return sizes


def _shapes(model: Any, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The shapes that values inside the graph have for a picture of `SIZE`."""
    import onnx

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = open_graph(probe.SerializeToString(), as_written=True)
    return {name: answer.shape for name, answer in zip(names, _run(session, _picture(session)), strict=True)}


def _picture(session: ort.InferenceSession) -> dict[str, NDArray[np.float32]]:
    wanted = session.get_inputs()
    if len(wanted) != 1:
        names = ", ".join(item.name for item in wanted)
        raise ModelError(f"the model takes {len(wanted)} inputs ({names}); only models of one picture can be counted")
    return {wanted[0].name: np.random.default_rng(0).random((1, 3, *SIZE), dtype=np.float32)}


def _run(session: ort.InferenceSession, feed: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    try:
        answers: list[NDArray[np.float32]] = session.run(None, feed)
    except Exception as error:
        raise ModelError(f"the model does not run on {SIZE[1]}x{SIZE[0]}: {str(error).splitlines()[0]}") from error
    return answers


def alternate(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Times calls in turns, so that what disturbs the machine disturbs all of them alike.

    Args:
        calls: What to time.
        rounds: Runs of each.

    Returns:
        Median of each in seconds.
    """
    for call in calls:
        for _ in range(WARM_UP):
            call()
    taken = np.empty((rounds, len(calls)))
    for row in taken:
        for i, call in enumerate(calls):
            begin = time.perf_counter()
            call()
            row[i] = time.perf_counter() - begin
    return [float(value) for value in np.median(taken, axis=0)]


def times(paths: Sequence[Path], rounds: int = 201) -> list[float]:
    """Milliseconds for a picture of `SIZE` on one thread of ONNX Runtime, medians of runs in turns.

    Raises:
        ModelError: A model does not open or does not run.
    """
    sessions = [open_graph(path) for path in paths]
    feeds = [_picture(session) for session in sessions]
    calls = [lambda s=session, f=feed: _run(s, f) for session, feed in zip(sessions, feeds, strict=True)]
    return [1e3 * value for value in alternate(calls, rounds)]
