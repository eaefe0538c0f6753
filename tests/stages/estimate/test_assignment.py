from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from rtdehaze.stages.estimate.assignment import Assigned, assigned_nodes, strays
from rtdehaze.stages.estimate.models import list_models, load_model
from rtdehaze.stages.estimate.session import open_session

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture(scope="module")
def graph() -> bytes:
    """A convolution, and the picture brought to twice its size as exporters write it."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Shape", ["c"], ["s"], "shape"),
        helper.make_node("Constant", [], ["two"], "two", value=helper.make_tensor("v", TensorProto.INT64, [1], [2])),
        helper.make_node("Mul", ["s", "two"], ["s2"], "times"),
        helper.make_node("Resize", ["c", "", "", "s2"], ["r"], "resize"),
        helper.make_node("Mul", ["r", "w"], ["y"], ""),
    ]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "w")]
    weights = [helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 1, 1], [1.0])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, weights))
    return bytes(onnx.ModelProto.SerializeToString(model))


def test_shape_arithmetic_on_the_cpu_is_no_stray(graph: bytes) -> None:
    nodes = [
        Assigned("conv", "Conv", CUDA),
        Assigned("shape", "Shape", CPU),
        Assigned("two", "Constant", CPU),
        Assigned("times", "Mul", CPU),
        Assigned("resize", "Resize", CUDA),
        Assigned("", "Mul", CUDA),
    ]
    assert strays(graph, nodes) == []


@pytest.mark.parametrize(("name", "kind"), [("conv", "Conv"), ("resize", "Resize"), ("", "Mul"), ("unheard_of", "Add")])
def test_a_node_that_computes_on_the_cpu_is_one(graph: bytes, name: str, kind: str) -> None:
    left = Assigned(name, kind, CPU)
    assert strays(graph, [Assigned("shape", "Shape", CPU), left]) == [left]


@pytest.mark.parametrize("name", list_models())
def test_of_a_model_left_to_the_cpu_all_that_computes_is_found(name: str) -> None:
    model = load_model(name)
    nodes = assigned_nodes(open_session(model, "cpu").runtime)
    kinds = {node.kind for node in strays(model.graph, nodes)}
    assert "Conv" in kinds
    assert "Shape" not in kinds
    assert all(node.provider == CPU for node in nodes)
