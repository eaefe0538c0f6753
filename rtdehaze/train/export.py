"""From a checkpoint to what the runtime opens: NAME.onnx and its card."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rtdehaze.core.card import ESTIMATOR_OUTPUTS, Gate, Score, parse_card
from rtdehaze.core.errors import MissingDependencyError, SinkError
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.checkpoint import load_any
from rtdehaze.train.losses import luma_of
from rtdehaze.train.networks import Estimator
from rtdehaze.train.validate import LONG_SIDE, MULTIPLE

__all__ = ["About", "Exported", "Runner", "agreement", "export", "write_onnx"]

OPSET = 17
"""ONNX operator set: the first with all that is used here, opened by every runtime of the last years."""
MINIMUM = 32
"""Samples: the least side of a thumbnail, one sample at the deepest stride."""

AOD_SOURCE = "AOD-Net's architecture, written from the paper (Li et al. 2017, ICCV) and trained by rtdehaze.train"
RESTORED = "restored"
"""Name of a restorer's output in its graph."""

BEFORE, AFTER = "before", "after"
"""Names of the state's input and output in the graph of a network with a memory."""
COMPARED = 5
"""Frames that a network with a memory is compared over."""

Runner = Callable[..., Sequence[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class About:
    """What the card says besides what the file itself tells."""

    name: str
    summary: str
    licence: str
    trained_on: str
    gate: Gate = field(default_factory=lambda: Gate(0.12, 0.08))
    scores: tuple[Score, ...] = ()


class Exported(nn.Module):
    """An estimator in the words of the model contract: gains and a bias instead of divisors and a veil."""

    def __init__(self, model: Estimator) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, *before: Tensor) -> tuple[Tensor, ...]:
        """Answers in the order of `ESTIMATOR_OUTPUTS`: Y' = luma_gain * Y + bias_Y, chroma likewise.

        A network with a memory takes its state, too, and answers with the new one last.
        """
        said, after = self.model.advance(image, *before)
        luma_gain, chroma_gain = 1.0 / said.luma, 1.0 / said.chroma
        luma = luma_of(said.veil)
        bias = -(luma * luma_gain + (said.veil - luma) * chroma_gain)
        answers = (said.transmission, said.airlight, said.density, luma_gain, chroma_gain, bias)
        return answers if after is None else (*answers, after)


def export(checkpoint: Path, network: str, target: Path, about: About) -> None:
    """Exports a checkpoint's averaged weights to `target` (.onnx) and its card (.json beside it).

    Raises:
        ModelError: The file is no checkpoint, or one of another network.
        SinkError: A file cannot be written.
        MissingDependencyError: The package onnx is not installed.
    """
    model = load_any(checkpoint, network)
    write_onnx(model, target)
    try:
        _write_card(target, about, model)
    except OSError as error:
        raise SinkError(f"card of {target} cannot be written: {error.strerror}") from error


def write_onnx(model: Estimator | AODNet, target: Path) -> None:
    """Writes the graph, batch normalisation folded into the convolutions.

    Raises:
        SinkError: The file cannot be written.
        MissingDependencyError: The package onnx is not installed.
    """
    graph = model if isinstance(model, AODNet) else Exported(model)
    outputs = [RESTORED] if isinstance(model, AODNet) else list(ESTIMATOR_OUTPUTS)
    maps = (name for name in ("image", *outputs) if name not in ("airlight", "density"))
    sizes = {name: {2: f"{name}_height", 3: f"{name}_width"} for name in maps}
    inputs = {"image": torch.rand(1, 3, 144, 256)}
    if isinstance(model, Estimator) and model.memory is not None:
        inputs[BEFORE] = model.blank(inputs["image"])
        outputs.append(AFTER)
        sizes |= {name: {2: "state_height", 3: "state_width"} for name in (BEFORE, AFTER)}
    part = target.with_suffix(".part")
    try:
        with warnings.catch_warnings():
            # The exporter by tracing is deprecated; the newer one needs another package and folds less.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                graph.eval(), tuple(inputs.values()), part, dynamo=False, opset_version=OPSET,
                input_names=list(inputs), output_names=outputs, dynamic_axes=sizes,
            )  # fmt: skip
        part.replace(target)
    except ImportError as error:
        raise MissingDependencyError("exporting needs the package onnx: pip install 'rtdehaze[train]'") from error
    except (OSError, RuntimeError) as error:
        raise SinkError(f"model {target} cannot be written: {str(error).splitlines()[0]}") from error


def agreement(model: Estimator, run: Runner, sizes: Iterable[tuple[int, int]] = ((144, 256), (80, 48))) -> float:
    """The largest difference between PyTorch's answers and another runtime's, relative to answers above 1.

    Args:
        model: In evaluation mode.
        run: Takes a picture (1, 3, h, w) and gives the answers of the exported graph in the order of
            `ESTIMATOR_OUTPUTS`. For a network with a memory it takes the state, too, and gives the new one last;
            each side then goes on from its own.
        sizes: (height, width) of the seeded pictures to compare on.
    """
    worst = 0.0
    for height, width in sizes:
        frames = 1 if model.memory is None else COMPARED
        pictures = np.random.default_rng(height).random((frames, 1, 3, height, width), dtype=np.float32)
        ours = [] if model.memory is None else [model.blank(torch.from_numpy(pictures[0]))]
        theirs = [state.numpy() for state in ours]
        for picture in pictures:
            with torch.inference_mode():
                expected = Exported(model).eval()(torch.from_numpy(picture), *ours)
            answers = run(picture, *theirs)
            for mine, other in zip(expected, answers, strict=True):
                scale = max(1.0, float(mine.abs().max()))
                worst = max(worst, float(np.abs(mine.numpy() - other).max()) / scale)
            ours, theirs = list(expected[len(ESTIMATOR_OUTPUTS) :]), list(answers[len(ESTIMATOR_OUTPUTS) :])
    return worst


def _write_card(target: Path, about: About, model: Estimator | AODNet) -> None:
    """Writes the card and reads it back as the runtime will."""
    card: dict[str, Any] = {
        "name": about.name,
        "kind": "estimator",
        "summary": about.summary,
        "source": "trained by rtdehaze.train; a U-Net of separable convolutions, see docs/training.md",
        "input": {"name": "image", "layout": "NCHW", "range": [0.0, 1.0], "long_side": LONG_SIDE, "multiple": MULTIPLE,
                  "minimum": MINIMUM},
        "outputs": {name: name for name in ESTIMATOR_OUTPUTS},
        "gate": {"hazy_above": about.gate.hazy_above, "clear_below": about.gate.clear_below},
        "licence": about.licence,
        "trained_on": about.trained_on,
        "scores": [asdict(score) for score in about.scores],
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }  # fmt: skip
    if isinstance(model, Estimator) and model.memory is not None:
        state = {"input": BEFORE, "output": AFTER, "channels": model.memory.width, "stride": model.state_stride}
        card["state"] = [state]
    if isinstance(model, AODNet):
        card |= {"kind": "restorer", "source": AOD_SOURCE, "outputs": {"image": RESTORED}}
        card["input"] |= {"multiple": 1, "minimum": 8}
        del card["gate"]
    path = target.with_suffix(".json")
    parse_card(card, str(path))
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
