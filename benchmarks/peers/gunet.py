"""A network like gUNet-T at full resolution (Song, Zhou, Qian, Du 2022, arXiv:2209.11448), as an ONNX graph.

The architecture as the paper and its authors' code describe it: seven stages of 2, 2, 2, 4, 2, 2, 2 gated residual
blocks of 24 to 192 channels, depthwise 5 x 5 convolutions padded by reflection, strided convolutions down, pixel
shuffling up, skips fused by selective kernels. **Its weights here are random**: speed, memory and size are the
network's, its pictures are nothing. Batch normalisation is left out, because at inference it is folded into the
convolution behind it. The paper gives 0.8 M parameters and 2.6 GMACs for 256 x 256; counted here: 0.84 M and 2.76.
"""

from __future__ import annotations

import numpy as np
import onnx

from .network import Layers

__all__ = ["MULTIPLE", "build"]

MULTIPLE = 8
"""Of which sides must be: three halvings."""

_CHANNELS = 24
_DEPTHS = (2, 2, 2, 4, 2, 2, 2)
_KERNEL = 5
_REDUCTION = 8
"""Of the selective kernel's inner channels, at least 4."""
_CALM = 0.1
"""Gain of the last convolution: the picture comes out nearly as it went in."""


def build(seed: int = 0) -> tuple[onnx.ModelProto, Layers]:
    """Builds the network with random weights; returns the model, and its counts."""
    layers = Layers(seed)
    half = len(_DEPTHS) // 2
    widths = [_CHANNELS * 2**i for i in range(half + 1)]
    flow = _conv(layers, "image", 3, widths[0], 3, 1)
    skips = []
    for i in range(half):
        flow = _stage(layers, flow, widths[i], _DEPTHS[i], 2**i)
        skips.append(_conv(layers, flow, widths[i], widths[i], 1, 2**i))
        down = layers.learned(widths[i + 1], widths[i], 2, 2)
        flow = layers.conv(flow, down, np.zeros(widths[i + 1], np.float32), scale=2 ** (i + 1), stride=2)
    flow = _stage(layers, flow, widths[half], _DEPTHS[half], 2**half)
    for i in reversed(range(half)):
        wide = _conv(layers, flow, widths[i + 1], 4 * widths[i], 1, 2 ** (i + 1))
        # CRD is the order of PyTorch's pixel shuffle.
        flow = layers.op("DepthToSpace", wide, blocksize=2, mode="CRD")
        flow = _fused(layers, flow, skips[i], widths[i])
        flow = _stage(layers, flow, widths[i], _DEPTHS[-1 - i], 2**i)
    change = _conv(layers, flow, widths[0], 3, 3, 1, gain=_CALM)
    return layers.model(layers.op("Add", change, "image"), "gUNet-T, random weights"), layers


def _conv(layers: Layers, source: str, before: int, after: int, side: int, scale: int, gain: float = 1.0) -> str:
    weight = layers.learned(after, before, side, side, gain=gain)
    return layers.conv(source, weight, np.zeros(after, np.float32), scale=scale, reflect=True)


def _stage(layers: Layers, flow: str, width: int, depth: int, scale: int) -> str:
    """Gated residual blocks: x + proj(depthwise(value(x)) * sigmoid(gate(x)))."""
    for _ in range(depth):
        value = _conv(layers, flow, width, width, 1, scale)
        kernel = layers.learned(width, 1, _KERNEL, _KERNEL)
        value = layers.conv(value, kernel, np.zeros(width, np.float32), scale=scale, groups=width, reflect=True)
        gate = layers.op("Sigmoid", _conv(layers, flow, width, width, 1, scale))
        gated = layers.op("Mul", value, gate)
        flow = layers.op("Add", flow, _conv(layers, gated, width, width, 1, scale, gain=_CALM))
    return flow


def _fused(layers: Layers, flow: str, skip: str, width: int) -> str:
    """The selective kernel: a mean of two, weighted by channel, the weights from both."""
    inner = max(width // _REDUCTION, 4)
    both = layers.op("Add", flow, skip)
    mean = layers.op("GlobalAveragePool", both)
    hidden = layers.op("Relu", layers.conv(mean, layers.learned(inner, width, 1, 1), None, scale=0))
    scores = layers.conv(hidden, layers.learned(2 * width, inner, 1, 1), None, scale=0)
    shape = layers.whole(2, width, 1, 1)
    weights = layers.op("Softmax", layers.op("Reshape", scores, shape), axis=0)
    first, second = layers.split("Split", 2, weights, layers.whole(1, 1), axis=0)
    return layers.op("Add", layers.op("Mul", flow, first), layers.op("Mul", skip, second))
