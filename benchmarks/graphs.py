"""ONNX graphs written by hand: nodes, constants, inputs and outputs by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

__all__ = ["Graph"]

_OPSET = 18
"""The first that reduces over axes given as a tensor; every provider has its kernels."""

_IR_VERSION = 9

Shape = Sequence[int | str]


class Graph:
    """An ONNX graph under construction; tensors are known by their names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
        self.opset = _OPSET

    def op(self, kind: str, *inputs: str | float, **attributes: object) -> str:
        """Adds a node with one output, numbers becoming constants of float32; returns the output's name."""
        return self.split(kind, 1, *inputs, **attributes)[0]

    def split(self, kind: str, outputs: int, *inputs: str | float, **attributes: object) -> list[str]:
        """Adds a node with several outputs; returns their names."""
        base = f"{kind.lower()}_{len(self._nodes)}"
        names = [base if outputs == 1 else f"{base}_{number}" for number in range(outputs)]
        given = [item if isinstance(item, str) else self.constant(np.float32(item)) for item in inputs]
        self._nodes.append(helper.make_node(kind, given, names, base, **attributes))
        return names

    def constant(self, values: NDArray[Any] | np.generic) -> str:
        """Adds a constant, once for equal ones; returns its name."""
        array = np.asarray(values)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"constant_{len(self._constants)}")
        return self._constants[key].name

    def whole(self, *values: int) -> str:
        """Adds a list of int64: axes, shapes."""
        return self.constant(np.array(values, np.int64))

    def cast(self, source: str, dtype: type | np.dtype[Any]) -> str:
        """Turns numbers into another type."""
        return self.op("Cast", source, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def finish(
        self,
        name: str,
        inputs: Mapping[str, tuple[type | np.dtype[Any], Shape]],
        outputs: Mapping[str, tuple[str, type | np.dtype[Any], Shape]],
    ) -> onnx.ModelProto:
        """Makes a model.

        Args:
            name: Of the graph.
            inputs: By name, type and shape.
            outputs: By name, the tensor, type and shape.
        """
        taken = [_value(tensor, *described) for tensor, described in inputs.items()]
        given = [_value(tensor, dtype, shape) for tensor, (_, dtype, shape) in outputs.items()]
        ends = [helper.make_node("Identity", [made], [tensor], tensor) for tensor, (made, _, _) in outputs.items()]
        graph = helper.make_graph([*self._nodes, *ends], name, taken, given, list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], producer_name="rtdehaze")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model)
        return model


def _value(name: str, dtype: type | np.dtype[Any], shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))
