"""What a model takes and gives, checked: between our thumbnails and the graph's tensors."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.card import Card, Kind, State
from rtdehaze.core.errors import ModelError
from rtdehaze.core.haze import Map
from rtdehaze.stages.estimate.memory import Memory
from rtdehaze.stages.estimate.models import Model
from rtdehaze.stages.estimate.session import Session, Tensor

__all__ = ["Network", "resolve_card"]

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}

UNKNOWN_MULTIPLE = 32
"""Sides of the thumbnail for a network without a card: five halvings are the most that published ones make."""

_SHAPES = {
    "transmission": "(1, 1, h, w)",
    "airlight": "(1, 3)",
    "density": "(1,)",
    "luma_gain": "(1, 1, h, w)",
    "chroma_gain": "(1, 1, h, w)",
    "bias": "(1, 3, h, w)",
}


def resolve_card(model: Model, session: Session) -> Card:
    """Checks the graph's inputs and outputs against the card, or finds them out where there is no card.

    Raises:
        ModelError: The graph is not what the card says, or nothing that this program can use.
    """
    where = model.path
    states = model.card.state
    if len(session.inputs) != 1 + len(states):
        names = ", ".join(item.name for item in session.inputs) or "none"
        wanted = "one input, a picture" if not states else f"a picture and {len(states)} states, as its card says"
        raise ModelError(f"{where} must take {wanted}; it takes: {names}")
    card = model.card if model.has_card else _guess(model, session)
    takes = {item.name: item for item in session.inputs}
    if card.input.name not in takes:
        names = ", ".join(repr(name) for name in takes)
        raise ModelError(f"{where}: the card's input.name is {card.input.name!r}, the graph's is {names}")
    taken = takes[card.input.name]
    if taken.type not in _FLOATS:
        raise ModelError(f"{where}: input {taken.name!r} is {taken.type}, but must be float or float16")
    if len(taken.shape) != 4 or not _fits(taken.shape[0], 1) or not _fits(taken.shape[1], 3):
        raise ModelError(f"{where}: input {taken.name!r} has shape {_show(taken)}, but must be (1, 3, height, width)")
    given = {item.name: item for item in session.outputs}
    for meaning, name in card.outputs.items():
        if name not in given:
            raise ModelError(f"{where}: no output {name!r} for {meaning}; the graph gives: {', '.join(given)}")
        if given[name].type not in _FLOATS:
            raise ModelError(f"{where}: output {name!r} is {given[name].type}, but must be float or float16")
    for state in states:
        _check_state(state, takes.get(state.input), given.get(state.output), str(where))
    return card


def _check_state(state: State, taken: Tensor | None, given: Tensor | None, where: str) -> None:
    for name, tensor in ((state.input, taken), (state.output, given)):
        if tensor is None:
            raise ModelError(f"{where}: the card's state names {name!r}, but the graph does not")
        if tensor.type not in _FLOATS or len(tensor.shape) != 4 or not _fits(tensor.shape[1], state.channels):
            raise ModelError(
                f"{where}: state {name!r} is {tensor.type} {_show(tensor)}, but must be float or float16 of shape "
                f"(1, {state.channels}, height / {state.stride}, width / {state.stride})"
            )


def _guess(model: Model, session: Session) -> Card:
    """A card for a published network that came without: a restorer in [0, 1] RGB."""
    pictures = [item for item in session.outputs if len(item.shape) == 4 and _fits(item.shape[1], 3)]
    if len(pictures) != 1:
        shown = ", ".join(f"{item.name} {_show(item)}" for item in session.outputs)
        raise ModelError(
            f"{model.path} has no card and must then give one picture (1, 3, height, width), but gives: {shown}; "
            f"write {model.path.with_suffix('.json').name} beside it"
        )
    spec = dataclasses.replace(
        model.card.input, name=session.inputs[0].name, multiple=UNKNOWN_MULTIPLE, minimum=UNKNOWN_MULTIPLE
    )
    return dataclasses.replace(model.card, kind=Kind.RESTORER, input=spec, outputs={"image": pictures[0].name})


class Network:
    """A checked model: thumbnails in, named maps out."""

    def __init__(self, card: Card, session: Session) -> None:
        self.card, self.session = card, session
        takes = {item.name: item for item in session.inputs}
        taken = takes[card.input.name]
        self._dtype = _FLOATS[taken.type]
        self._state_types = [_FLOATS[takes[state.input].type] for state in card.state]
        height, width = taken.shape[2:]
        self._height = height if isinstance(height, int) else None
        self._width = width if isinstance(width, int) else None
        spec = card.input
        scale, std = spec.high - spec.low, np.array(spec.std)
        self._scale = (scale / std).astype(np.float32).reshape(3, 1, 1)
        self._offset = ((spec.low - np.array(spec.mean)) / std).astype(np.float32).reshape(3, 1, 1)
        self._plain = bool(np.all(self._scale == 1) and np.all(self._offset == 0) and spec.order == "rgb")

    def thumbnail_size(self, width: int, height: int) -> tuple[int, int]:
        """The thumbnail for a picture of that size: never larger than it, unless the model can take no less."""
        spec = self.card.input
        scale = min(1.0, spec.long_side / max(width, height))
        least = math.ceil(spec.minimum / spec.multiple)
        sides = [max(least, round(side * scale / spec.multiple)) * spec.multiple for side in (width, height)]
        return self._width or sides[0], self._height or sides[1]

    def run(self, thumbnail: Map, memory: Memory | None = None) -> dict[str, Map]:
        """Runs the model.

        Args:
            thumbnail: (3, h, w), RGB in [0, 1].
            memory: What is known of the frames before, brought up to date; None takes the picture by itself.

        Returns:
            By meaning: maps (h, w) or (3, h, w), airlight (3,), density (1,); finite, in units of [0, 1].

        Raises:
            ModelError: It failed, or its answer has the wrong shape or holds NaN or infinity.
        """
        names = list(self.card.outputs.values())
        before = self._states(thumbnail, memory)
        kept = [state.output for state in self.card.state] if memory is not None else []
        answers = self.session.run(names + kept, {self.card.input.name: self._pack(thumbnail)} | before)
        if memory is not None and kept:
            self._keep(thumbnail, memory, list(before.values()), answers[len(names) :])
        found: dict[str, Map] = {}
        for (meaning, name), answer in zip(self.card.outputs.items(), answers, strict=False):
            array = np.asarray(answer, np.float32)
            if not np.isfinite(array).all():
                raise ModelError(f"model {self.card.name}: output {name!r} holds NaN or infinity")
            if meaning == "image":
                found[meaning] = self._picture(array, thumbnail)
            else:
                found[meaning] = self._shaped(meaning, name, array)
        return found

    def feed(self, thumbnail: Map) -> dict[str, NDArray[Any]]:
        """What the graph takes for a picture by itself, by input name.

        Args:
            thumbnail: (3, h, w), RGB in [0, 1].
        """
        return {self.card.input.name: self._pack(thumbnail)} | self._states(thumbnail, None)

    def _states(self, thumbnail: Map, memory: Memory | None) -> dict[str, NDArray[Any]]:
        """The state inputs by name: as remembered, or zeros."""
        height, width = thumbnail.shape[1:]
        held = memory.recall((height, width)) if memory is not None else ()
        if not held:
            shapes = ((1, s.channels, -(-height // s.stride), -(-width // s.stride)) for s in self.card.state)
            held = tuple(np.zeros(shape, kind) for shape, kind in zip(shapes, self._state_types, strict=True))
        return {state.input: array for state, array in zip(self.card.state, held, strict=True)}

    def _keep(self, thumbnail: Map, memory: Memory, before: list[NDArray[Any]], after: list[NDArray[Any]]) -> None:
        for state, old, new in zip(self.card.state, before, after, strict=True):
            where = f"model {self.card.name}: state {state.output!r}"
            if new.shape != old.shape or new.dtype != old.dtype:
                raise ModelError(f"{where} is {new.dtype} {new.shape}, but its input is {old.dtype} {old.shape}")
            if not np.isfinite(new).all():
                raise ModelError(f"{where} holds NaN or infinity")
        memory.keep((thumbnail.shape[1], thumbnail.shape[2]), tuple(after))

    def _pack(self, thumbnail: Map) -> NDArray[Any]:
        if self._plain:
            return np.asarray(thumbnail[None], self._dtype)
        channels = thumbnail if self.card.input.order == "rgb" else thumbnail[::-1]
        return np.asarray((channels * self._scale + self._offset)[None], self._dtype)

    def _picture(self, array: Map, thumbnail: Map) -> Map:
        if array.shape != (1, *thumbnail.shape):
            raise ModelError(
                f"model {self.card.name}: for a picture of shape {(1, *thumbnail.shape)} it gives {array.shape}; "
                "the two must be the same"
            )
        spec = self.card.input
        picture: Map = (array[0] - np.float32(spec.low)) / np.float32(spec.high - spec.low)
        return picture if spec.order == "rgb" else np.ascontiguousarray(picture[::-1])

    def _shaped(self, meaning: str, name: str, array: Map) -> Map:
        if meaning in ("airlight", "density"):
            shape: tuple[int, ...] = (3,) if meaning == "airlight" else (1,)
        else:
            shape = array.shape[-2:] if meaning != "bias" else array.shape[-3:]
        if (
            array.size != math.prod(shape)
            or len(shape) < _SHAPES[meaning].count("h")
            or (meaning == "bias" and shape[0] != 3)
        ):
            raise ModelError(
                f"model {self.card.name}: output {name!r} ({meaning}) has shape {array.shape}, "
                f"but must be {_SHAPES[meaning]}"
            )
        return array.reshape(shape)


def _fits(dimension: int | str | None, wanted: int) -> bool:
    """A dimension that is named or open fits all."""
    return dimension == wanted if isinstance(dimension, int) else True


def _show(tensor: Tensor) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in tensor.shape) + ")"
