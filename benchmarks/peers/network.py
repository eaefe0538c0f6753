"""Networks as ONNX graphs, built layer by layer, their multiplications counted; run at full resolution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime as ort
from graphs import Graph
from numpy.typing import NDArray

__all__ = ["Layers", "runner"]


class Layers(Graph):
    """A network under construction for RGB pictures in [0, 1], (1, 3, height, width), of any size.

    Args:
        seed: Of the weights that are drawn.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._rng = np.random.default_rng(seed)
        self.parameters = 0
        self.macs_per_pixel = 0.0
        """Multiplications and additions for one pixel of the picture, of the convolutions."""

    def learned(self, *shape: int, gain: float = 1.0) -> NDArray[np.float32]:
        """Draws weights, of a size that keeps the variance of what flows through."""
        fan_in = int(np.prod(shape[1:])) or 1
        return (self._rng.standard_normal(shape) * gain / np.sqrt(fan_in)).astype(np.float32)

    def conv(
        self,
        source: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        *,
        scale: int = 1,
        stride: int = 1,
        groups: int = 1,
        reflect: bool = False,
    ) -> str:
        """Adds a convolution that keeps the size, or divides it by its stride.

        Args:
            source: What goes in.
            weight: (out, in / groups, side, side).
            bias: (out,).
            scale: By how much what comes out is smaller than the picture, along each side; 0 for a single sample.
            stride: Step.
            groups: Of channels.
            reflect: Pad by reflection; otherwise by zeros.
        """
        side = weight.shape[2]
        pad = (side - stride + 1) // 2
        pads = [pad] * 4
        if pad and reflect:
            amounts = self.constant(np.array([0, 0, pad, pad, 0, 0, pad, pad], np.int64))
            source, pads = self.op("Pad", source, amounts, mode="reflect"), [0] * 4
        inputs = [source, self.constant(weight)] + ([self.constant(bias)] if bias is not None else [])
        self.parameters += weight.size + (bias.size if bias is not None else 0)
        self.macs_per_pixel += weight.size / scale**2 if scale else 0.0
        return self.op(
            "Conv", *inputs, kernel_shape=[side, side], pads=pads, strides=[stride] * 2, group=groups
        )  # fmt: skip

    def model(self, result: str, name: str) -> onnx.ModelProto:
        """Finishes the graph: `image` in, `restored` out."""
        shape = (1, 3, "height", "width")
        return self.finish(name, {"image": (np.float32, shape)}, {"restored": (result, np.float32, shape)})


def runner(model: onnx.ModelProto, threads: int, multiple: int = 1) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Opens a network on the CPU.

    Args:
        model: As `Layers.model` gives it.
        threads: Of ONNX Runtime.
        multiple: Of which sides must be; pictures are padded by reflection.

    Returns:
        What restores pictures, (H, W, 3) RGB.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def restore(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        margins = ((0, -height % multiple), (0, -width % multiple), (0, 0))
        padded = np.pad(picture, margins, "reflect") if any(after for _, after in margins) else picture
        image = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        image *= np.float32(1 / 255)
        (found,) = session.run(None, {"image": image})
        levels = np.clip(found[0, :, :height, :width] * np.float32(255.0) + np.float32(0.5), 0, 255)
        return np.ascontiguousarray(levels.astype(np.uint8).transpose(1, 2, 0))

    return restore
