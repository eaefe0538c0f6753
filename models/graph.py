"""A few lines over `onnx.helper`, so that the classical models read like their papers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Graph", "Value"]

OPSET = 17
"""The oldest that has every operator used, so that any ONNX Runtime of the last years runs the graph."""

IR_VERSION = 9

SHRINK = 4
"""Coefficients and statistics are found at a quarter of the size (He and Sun 2015, Fast Guided Filter)."""


class Value:
    """The name of a tensor in a graph; arithmetic on values adds nodes."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: Value | float) -> Value:
        return self.graph.op("Add", self, other)

    def __sub__(self, other: Value | float) -> Value:
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: float) -> Value:
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Value | float) -> Value:
        return self.graph.op("Mul", self, other)

    def __truediv__(self, other: Value | float) -> Value:
        return self.graph.op("Div", self, other)

    def __neg__(self) -> Value:
        return self.graph.op("Neg", self)

    __radd__ = __add__
    __rmul__ = __mul__


class Graph:
    """An ONNX graph under construction; names are numbered in order, so that a rebuild is the same byte by byte."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: Value | float, name: str | None = None, **attributes: object) -> Value:
        """Adds a node with one output."""
        names = [item.name if isinstance(item, Value) else self.constant(item).name for item in inputs]
        result = name or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, names, [result], **attributes))
        return Value(self, result)

    def first_of_two(self, kind: str, *inputs: Value, **attributes: object) -> tuple[Value, Value]:
        """Adds a node with two outputs (TopK)."""
        first, second = (f"{kind.lower()}_{len(self._nodes)}_{part}" for part in ("values", "indices"))
        self._nodes.append(helper.make_node(kind, [item.name for item in inputs], [first, second], **attributes))
        return Value(self, first), Value(self, second)

    def constant(self, value: float | Sequence[float] | np.ndarray, dtype: type = np.float32) -> Value:
        """Adds a constant, once for equal ones."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"constant_{len(self._constants)}")
        return Value(self, self._constants[key].name)

    def whole(self, *values: int) -> Value:
        """Adds a list of int64: axes, shapes."""
        return self.constant(list(values), np.int64)

    def model(self, outputs: dict[str, tuple[Value, Sequence[int | str]]], note: str) -> onnx.ModelProto:
        """Finishes the graph: input `image` (1, 3, height, width) float32, outputs as named."""
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])
        results = []
        for name, (value, shape) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value.name], [name]))
            results.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        graph = helper.make_graph(
            self._nodes, self.name, [image], results, list(self._constants.values()), doc_string=note
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="rtdehaze")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model

    # The operations that the papers speak of.

    def mean_of(self, value: Value, *axes: int) -> Value:
        """Mean along axes, kept as size 1."""
        return self.op("ReduceMean", value, axes=list(axes), keepdims=1)

    def clip(self, value: Value, low: float, high: float) -> Value:
        """Limits values."""
        return self.op("Clip", value, low, high)

    def minimum(self, value: Value, side: int) -> Value:
        """The smallest in a window of side x side around each sample: two passes of max pooling on the negative."""
        reach = side // 2
        rows = self.op("MaxPool", -value, kernel_shape=[1, side], pads=[0, reach, 0, reach], strides=[1, 1])
        both = self.op("MaxPool", rows, kernel_shape=[side, 1], pads=[reach, 0, reach, 0], strides=[1, 1])
        return -both

    def box(self, value: Value, radius: int) -> Value:
        """The mean in a window of 2 * radius + 1 around each sample, fewer at the borders."""
        side = 2 * radius + 1
        rows = self.op(
            "AveragePool", value, kernel_shape=[1, side], pads=[0, radius, 0, radius], strides=[1, 1],
            count_include_pad=0,
        )  # fmt: skip
        return self.op(
            "AveragePool", rows, kernel_shape=[side, 1], pads=[radius, 0, radius, 0], strides=[1, 1],
            count_include_pad=0,
        )  # fmt: skip

    def shrink(self, value: Value, factor: int = SHRINK) -> Value:
        """Area average by a whole factor; what does not fill a window at the end is averaged as it is."""
        return self.op(
            "AveragePool", value, kernel_shape=[factor, factor], strides=[factor, factor], ceil_mode=1,
            count_include_pad=0,
        )  # fmt: skip

    def luma(self, image: Value) -> Value:
        """BT.601 luma, (1, 1, h, w); a product of matrices, because a 1 x 1 convolution would reorder memory."""
        flat = self.op("Reshape", image, self.whole(3, -1))
        grey = self.op("MatMul", self.constant([[0.299, 0.587, 0.114]]), flat)
        size = self.op("Slice", self.op("Shape", image), self.whole(2), self.whole(4))
        return self.op("Reshape", grey, self.op("Concat", self.whole(1, 1), size, axis=0))

    def of_channels(self, kind: str, value: Value) -> Value:
        """`Max` or `Min` over three channels; between planes, six times faster than along the axis."""
        return self.op(kind, *self.split(value, 3))

    def split(self, value: Value, count: int) -> list[Value]:
        """The channels one by one."""
        results = [f"split_{len(self._nodes)}_{index}" for index in range(count)]
        self._nodes.append(helper.make_node("Split", [value.name, self.whole(*[1] * count).name], results, axis=1))
        return [Value(self, name) for name in results]

    def enlarge(self, value: Value, like: Value) -> Value:
        """Bilinear enlargement to the height and width of another tensor."""
        lead = self.op("Slice", self.op("Shape", value), self.whole(0), self.whole(2))
        size = self.op("Slice", self.op("Shape", like), self.whole(2), self.whole(4))
        shape = self.op("Concat", lead, size, axis=0)
        empty = Value(self, "")
        return self.op("Resize", value, empty, empty, shape, mode="linear", coordinate_transformation_mode="half_pixel")
