"""AOD-Net (Li, Peng, Wang, Xu, Feng 2017, ICCV) at full resolution, as an ONNX graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from rtdehaze.core.errors import MissingDependencyError

from .network import Layers

__all__ = ["CHECKPOINT", "build"]

CHECKPOINT = Path(__file__).parents[2] / "checkpoints" / "aod.safetensors"
"""Our training of it (`configs/aod.toml`), not the published weights; times do not depend on them."""

_SIDES = (1, 3, 5, 7, 3)
_SOURCES: tuple[tuple[int, ...], ...] = ((), (0,), (0, 1), (1, 2), (0, 1, 2, 3))
"""What each convolution looks at: the convolutions before it; none is the picture (figure 3)."""


def build(*, trained: bool) -> tuple[onnx.ModelProto, Layers]:
    """Builds J = K * I - K + 1 (eq. 4 and 5), K from five convolutions of three channels each.

    Args:
        trained: With our weights; needs `safetensors` (the extra `train`). Otherwise with random ones.

    Returns:
        The model, and its counts.
    """
    layers = Layers()
    weights = _weights() if trained else None
    found: list[str] = []
    for number, (side, seen) in enumerate(zip(_SIDES, _SOURCES, strict=True)):
        source = "image"
        if seen:
            source = layers.op("Concat", *(found[i] for i in seen), axis=1) if len(seen) > 1 else found[seen[0]]
        if weights is None:
            weight, bias = layers.learned(3, 3 * max(1, len(seen)), side, side), np.zeros(3, np.float32)
        else:
            weight, bias = weights[number]
        found.append(layers.op("Relu", layers.conv(source, weight, bias)))
    one = layers.constant(np.array(1.0, np.float32))
    product = layers.op("Mul", found[-1], layers.op("Sub", "image", one))
    return layers.model(layers.op("Relu", layers.op("Add", product, one)), "AOD-Net"), layers


def _weights() -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise MissingDependencyError(
            "aod-net needs safetensors for its weights: install the extra train, or leave it out of --peers"
        ) from error

    stored = load_file(CHECKPOINT)
    names = [f"average.convolutions.{number}" for number in range(len(_SIDES))]
    return [(stored[f"{name}.weight"], stored[f"{name}.bias"]) for name in names]
