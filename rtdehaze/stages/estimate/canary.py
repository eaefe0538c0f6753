"""One picture through a model before any of the user's: what is broken shows here, with a clear message."""

from __future__ import annotations

import numpy as np

from rtdehaze.core.errors import ModelError, ProviderError
from rtdehaze.core.haze import Map
from rtdehaze.stages.estimate.contract import Network
from rtdehaze.stages.estimate.memory import Memory

__all__ = ["check_answers", "compare_with_cpu"]

TOLERANCE = 0.05
"""How far a GPU's answer may lie from the CPU's, in units of [0, 1]: half precision stays well below."""

SLACK = 0.02
"""Overshoot beyond [0, 1] that is rounding."""

_UNIT = ("transmission", "airlight", "density")


def canary_picture(width: int, height: int) -> Map:
    """A textured scene under haze that grows upwards, always the same; (3, height, width), RGB in [0, 1]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    texture = 0.5 + 0.3 * np.sin(x * 0.7) * np.cos(y * 0.5) + 0.1 * np.sin(x * y * 0.01)
    scene = np.stack([texture, texture * 0.8, texture * 0.5])
    transmission = 0.2 + 0.75 * (y + 1) / height
    picture: Map = np.clip(scene * transmission + 0.85 * (1 - transmission), 0.0, 1.0).astype(np.float32)
    return picture


def check_answers(network: Network) -> dict[str, Map]:
    """Runs the canary.

    Raises:
        ModelError: The answer is of the wrong shape, not finite, out of range, or a black picture.
    """
    picture, memory = canary_picture(*network.thumbnail_size(1920, 1080)), Memory()
    answers = network.run(picture, memory)
    if network.card.state:
        # What a model makes of its own state shows only at the next frame.
        answers = network.run(picture, memory)
    for meaning, array in answers.items():
        low, high = float(array.min()), float(array.max())
        where = f"model {network.card.name}: {meaning} of a test picture lies between {low:.3g} and {high:.3g}"
        if meaning in _UNIT and (low < -SLACK or high > 1.0 + SLACK):
            raise ModelError(f"{where}, but must lie in [0, 1]")
        if meaning == "transmission" and high < SLACK:
            raise ModelError(f"{where}: no light arrives anywhere; the model is broken")
        if meaning.endswith("_gain") and low <= 0:
            raise ModelError(f"{where}, but must be above 0")
        if meaning == "image" and (high - low < SLACK or low < -1.0 or high > 2.0):
            raise ModelError(
                f"{where}: not a picture in the range that the card says ([0, 1] without a card); "
                "the model is broken, or its card's input.range is wrong"
            )
    return answers


def compare_with_cpu(network: Network, reference: Network) -> None:
    """Holds another provider's answer to the canary against the CPU's.

    Raises:
        ModelError: The model is broken on the CPU already.
        ProviderError: It is broken on the other provider only, or the two differ by more than rounding.
    """
    expected = check_answers(reference)
    try:
        answers = check_answers(network)
    except ModelError as error:
        raise ProviderError(f"on {network.session.provider} it fails, on the CPU it works: {error}") from error
    for meaning, array in answers.items():
        apart = float(np.abs(array - expected[meaning]).max())
        scale = max(1.0, float(np.abs(expected[meaning]).max()))
        if apart > TOLERANCE * scale:
            raise ProviderError(
                f"model {network.card.name} answers differently on {network.session.provider} than on the CPU "
                f"({meaning} by {apart:.3g}): choose --provider cpu"
            )
