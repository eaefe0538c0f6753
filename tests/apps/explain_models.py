"""Small estimators whose answers are known, for the tests of explanations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.stages.estimate.onnx_files import OPEN, card, node, write

MAP = (1, 1, "height", "width")


def grey_is_transmission(path: Path, **more: Any) -> Path:
    """Transmission is the mean of R, G and B; airlight 0.8, 0.7, 0.6; density 1 - mean transmission."""
    nodes = [
        node("ReduceMean", "image", "transmission", axes=[1]),
        node("ReduceMean", "transmission", "mean", keepdims=0),
        node("Sub", "one mean", "rest"),
        node("Reshape", "rest shape", "density"),
        node("Identity", "air", "airlight"),
    ]
    constants = {
        "one": np.float32(1), "shape": np.array([1], np.int64), "air": np.array([[0.8, 0.7, 0.6]], np.float32),
    }  # fmt: skip
    names = {name: name for name in ("transmission", "airlight", "density")}
    described = card("estimator", names) | more
    return write(path, nodes, {"transmission": MAP, "airlight": (1, 3), "density": (1,)}, constants, card=described)


def five_convolutions(path: Path) -> Path:
    """A restorer of five 3x3 convolutions, the first with a ReLU behind it; the third answers at half the size."""
    random = np.random.default_rng(0)
    nodes, constants, before = [], {}, "image"
    for number, channels in enumerate((6, 8, 8, 6, 12)):
        width = 3 if number == 0 else constants[f"w{number - 1}"].shape[0]
        constants[f"w{number}"] = random.normal(0, 0.2, (channels, width, 3, 3)).astype(np.float32)
        made = node(
            "Conv", f"{before} w{number}", f"c{number}", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
            strides=[2, 2] if number == 2 else [1, 1],
        )  # fmt: skip
        made.name = f"/body/layer.{number}/Conv"
        nodes.append(made)
        before = f"c{number}"
        if number == 0:
            nodes.append(node("Relu", "c0", "r0"))
            before = "r0"
    nodes += [
        node("DepthToSpace", "c4", "image_sized", blocksize=2),
        node("Mul", "image_sized small", "change"),
        node("Add", "image change", "restored"),
    ]
    constants["small"] = np.float32(0.01)
    return write(path, nodes, {"restored": OPEN}, constants, card=card("restorer", {"image": "restored"}, multiple=2))
