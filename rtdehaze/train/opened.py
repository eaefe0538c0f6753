"""An exported estimator in the place of the network that it came from, so that both are scored by the same code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort
import torch
from torch import Tensor, nn

from rtdehaze.core.card import ESTIMATOR_OUTPUTS, Card, Kind, read_card
from rtdehaze.core.errors import ModelError
from rtdehaze.train.cost import open_graph
from rtdehaze.train.losses import luma_of
from rtdehaze.train.networks import Estimate

__all__ = ["OpenedModel", "card_of", "open_model"]


class OpenedModel(nn.Module):
    """Answers as an `Estimator` does, computed by ONNX Runtime on one thread of the CPU.

    Args:
        session: The opened graph.
        outputs: Meaning -> name in the graph, for all of `ESTIMATOR_OUTPUTS`, as the card says.
    """

    def __init__(self, session: ort.InferenceSession, outputs: Mapping[str, str]) -> None:
        super().__init__()
        self._session = session
        self._input = session.get_inputs()[0].name
        self._outputs = [outputs[meaning] for meaning in ESTIMATOR_OUTPUTS]

    def forward(self, picture: Tensor) -> Estimate:
        """Estimates one thumbnail (1, 3, h, w); the logit of haze is not among the answers and comes back as 0."""
        answers = self._session.run(self._outputs, {self._input: picture.contiguous().numpy()})
        transmission, airlight, density, luma_gain, chroma_gain, bias = map(torch.from_numpy, answers)
        # Back from Y' = gain * Y + bias to Y' = (Y - veil_Y) / luma, chroma likewise; its bias has no luma.
        bias_luma = luma_of(bias)
        veil = -bias_luma / luma_gain - (bias - bias_luma) / chroma_gain
        return Estimate(transmission, airlight, density, 1.0 / luma_gain, 1.0 / chroma_gain, veil, torch.zeros(1))


def card_of(path: Path) -> Card:
    """The card beside an exported estimator.

    Raises:
        ModelError: No model, no card, or not one of an estimator of RGB in [0, 1] with gain and bias maps.
    """
    if not path.is_file():
        raise ModelError(f"model {path} does not exist")
    card = read_card(path.with_suffix(".json"))
    given = card.input
    plain = (given.order, given.low, given.high, given.mean, given.std) == ("rgb", 0.0, 1.0, (0.0,) * 3, (1.0,) * 3)
    if card.kind is not Kind.ESTIMATOR or not set(ESTIMATOR_OUTPUTS) <= set(card.outputs) or not plain:
        raise ModelError(f"{path} is not an estimator as rtdehaze exports them; only those are simplified")
    return card


def open_model(path: Path) -> OpenedModel:
    """Opens an exported estimator for scoring.

    Raises:
        ModelError: No card, not one of ours, or a graph that does not open or takes more than a picture.
    """
    card, session = card_of(path), open_graph(path)
    if len(session.get_inputs()) != 1:
        raise ModelError(f"{path} takes more than a picture; a model with a state is not simplified")
    return OpenedModel(session, card.outputs)
