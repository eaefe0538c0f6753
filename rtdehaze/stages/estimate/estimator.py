"""From a thumbnail to its haze, with whichever model: the one thing that the pipeline asks for."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from rtdehaze.core.card import Card, Kind
from rtdehaze.core.errors import ModelError, ProviderError
from rtdehaze.core.haze import Haze, Map
from rtdehaze.stages.estimate.canary import check_answers, compare_with_cpu
from rtdehaze.stages.estimate.contract import Network, resolve_card
from rtdehaze.stages.estimate.fit import haze_from_picture, removal_from_gains
from rtdehaze.stages.estimate.memory import Memory
from rtdehaze.stages.estimate.models import Model, load_model
from rtdehaze.stages.estimate.session import Session, open_session
from rtdehaze.stages.estimate.trial import try_apart

__all__ = ["Estimator", "open_estimator"]

LEAST_TRANSMISSION = 0.05
"""Recomposition divides by it; a model's own floor lies higher."""

LEAST_GAIN = 1e-3
"""Recomposition divides by its inverse; no model means to make a picture a thousand times darker."""

_LOG = logging.getLogger("rtdehaze.estimate")


class Estimator:
    """A model that is open, checked and ready.

    It keeps nothing between two pictures: `estimate` may be called from several threads, and for several clips, each
    with a memory of its own.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def card(self) -> Card:
        """What is known about the model; names of inputs and outputs filled in where there was no card."""
        return self._network.card

    @property
    def name(self) -> str:
        """The model's name."""
        return self._network.card.name

    @property
    def provider(self) -> str:
        """What it runs on: `cpu`, `cuda` or `tensorrt`."""
        return self._network.session.provider

    @property
    def provider_note(self) -> str:
        """One line that says which provider was taken and why."""
        return self._network.session.note

    def left_to_cpu(self) -> tuple[str, ...]:
        """Nodes that compute on the CPU although another provider was taken; empty where it really runs there."""
        return self._network.session.left_to_cpu()

    def thumbnail_size(self, width: int, height: int) -> tuple[int, int]:
        """The (width, height) of the thumbnail for a picture of that size."""
        return self._network.thumbnail_size(width, height)

    def estimate(self, thumbnail: Map, memory: Memory | None = None) -> Haze:
        """Estimates the haze of one picture.

        Args:
            thumbnail: (3, h, w), RGB in [0, 1], of the size that `thumbnail_size` says.
            memory: Of the clip that the picture is the next frame of; a model for video goes on from it and brings
                it up to date. None takes the picture by itself.

        Returns:
            Maps at the model's own resolution: the thumbnail's, or a fraction of it.

        Raises:
            ModelError: The model failed on this picture.
        """
        found = self._network.run(thumbnail, memory)
        if self.card.kind is Kind.RESTORER:
            return haze_from_picture(thumbnail, found["image"])
        removal = None
        if "bias" in found:
            gains = (self._gain(found, "luma_gain"), self._gain(found, "chroma_gain"))
            removal = removal_from_gains(*gains, found["bias"])
        return Haze(
            transmission=np.minimum(np.maximum(found["transmission"], np.float32(LEAST_TRANSMISSION)), np.float32(1.0)),
            airlight=np.minimum(np.maximum(found["airlight"], np.float32(0.0)), np.float32(1.0)),
            density=min(max(float(found["density"][0]), 0.0), 1.0),
            removal=removal,
        )

    def _gain(self, found: dict[str, Map], meaning: str) -> Map:
        least = float(found[meaning].min())
        if least < LEAST_GAIN:
            raise ModelError(f"model {self.name}: {meaning} of a picture falls to {least:.3g}, but must be above 0")
        return found[meaning]


def open_estimator(model: str | Path, *, provider: str = "auto", threads: int = 1) -> Estimator:
    """Opens a model: found, inspected, loaded, checked with a test picture.

    Args:
        model: The name of a shipped model or the path of an .onnx file.
        provider: `auto`, `cpu`, `cuda` or `tensorrt`.
        threads: Threads that inference may use on the CPU.

    Raises:
        UnknownModelError: No such model.
        ModelError: The model is broken, hostile, or not what its card says.
        ProviderError: The provider did not open; never with `auto`.
        UsageError: No such provider.
    """
    found = load_model(model)
    if not found.shipped:
        try_apart(found.path)
    session = open_session(found, provider, threads)
    network = Network(resolve_card(found, session), session)
    if not found.has_card:
        _LOG.warning(
            "%s has no card: taken for a restorer of RGB pictures in [0, 1]; write %s to say otherwise",
            found.path.name,
            found.path.with_suffix(".json").name,
        )
    if session.provider == "cpu":
        check_answers(network)
        return Estimator(network)
    return Estimator(_trusted(found, network, provider, threads))


def _trusted(model: Model, network: Network, asked: str, threads: int) -> Network:
    """The network on its accelerator if it answers as the CPU does; for `auto` otherwise the CPU's."""
    session = open_session(model, "cpu", threads)
    reference = Network(network.card, session)
    try:
        compare_with_cpu(network, reference)
    except ProviderError as error:
        if asked != "auto":
            raise
        note = f"CPU, because {error}"
        return Network(network.card, Session(session.runtime, model, "cpu", note))
    return network
