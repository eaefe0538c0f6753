"""A model's card: what `NAME.json` beside `NAME.onnx` says about it, read and checked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from rtdehaze.core.errors import ModelError
from rtdehaze.core.keys import Keys

__all__ = ["Card", "Gate", "InputSpec", "Kind", "Score", "State", "parse_card", "read_card"]

ESTIMATOR_OUTPUTS = ("transmission", "airlight", "density", "luma_gain", "chroma_gain", "bias")
"""What an estimator's outputs may mean; the first three are required, the last three come together."""


class Kind(StrEnum):
    """What a model answers."""

    ESTIMATOR = "estimator"
    """Transmission, airlight and density, optionally gain and bias maps."""
    RESTORER = "restorer"
    """The picture without haze."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How a thumbnail becomes the model's input: `(low + (high - low) * rgb - mean) / std`."""

    name: str = "image"
    order: str = "rgb"
    """`rgb` or `bgr`, the order of the three channels."""
    low: float = 0.0
    """The value of black."""
    high: float = 1.0
    """The value of white."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Per channel, in the model's order."""
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Per channel, > 0."""
    long_side: int = 256
    """Samples of the thumbnail's longer side, where the picture has as many."""
    multiple: int = 1
    """Both sides must be a multiple of this."""
    minimum: int = 8
    """Shortest side that the model takes, in samples."""


@dataclass(frozen=True, slots=True)
class State:
    """What a model for video remembers: an output of the graph that is an input of it at the next frame.

    Its shape is (1, channels, ceil(height / stride), ceil(width / stride)) for a thumbnail of height x width; all
    zeros where there is no frame before.
    """

    input: str
    """Name in the graph."""
    output: str
    """Name in the graph."""
    channels: int
    stride: int
    """Samples of the thumbnail to one of the state, along each side."""


@dataclass(frozen=True, slots=True)
class Gate:
    """When a frame counts as hazy, with hysteresis: between the two the last answer holds."""

    hazy_above: float
    """Density above which a frame is dehazed."""
    clear_below: float
    """Density below which a frame is left as it is."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measured figure and the command that measures it again."""

    measure: str
    dataset: str
    value: float
    unit: str
    command: str


@dataclass(frozen=True, slots=True)
class Card:
    """What must be known about a model to run it, and what a user should know before choosing it."""

    name: str
    kind: Kind
    input: InputSpec = InputSpec()
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Meaning -> name in the graph. Estimator: `ESTIMATOR_OUTPUTS`; restorer: `image`."""
    gate: Gate | None = None
    """None: the model cannot tell clear frames, all are treated as hazy."""
    state: tuple[State, ...] = ()
    """What it remembers from frame to frame; empty for a model that takes every picture by itself."""
    summary: str = ""
    """One line."""
    source: str = ""
    """Paper or project it comes from."""
    differs: str = ""
    """In what the model differs from its source."""
    licence: str = "unknown"
    trained_on: str = "unknown"
    scores: tuple[Score, ...] = ()
    sha256: str | None = None
    """Of the .onnx file, in hexadecimal; None where nobody wrote it down."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the card in the form of its JSON file: `parse_card(card.to_dict())` gives the card again."""
        table = dataclasses.asdict(self)
        spec = table["input"]
        spec["layout"] = "NCHW"
        spec["range"] = [spec.pop("low"), spec.pop("high")]
        spec["mean"], spec["std"] = list(self.input.mean), list(self.input.std)
        table["kind"] = self.kind.value
        for key in ("scores", "state"):
            table[key] = list(table[key])
        return {key: value for key, value in table.items() if value is not None}

    def describe(self) -> str:
        """Returns the card as lines for a person."""
        gate = f"hazy above {self.gate.hazy_above:g}, clear below {self.gate.clear_below:g}" if self.gate else "none"
        lines = {
            "name": self.name,
            "kind": self.kind.value,
            "summary": self.summary,
            "source": self.source,
            "differs": self.differs,
            "outputs": ", ".join(self.outputs),
            "thumbnail": f"{self.input.long_side} samples on the longer side, multiples of {self.input.multiple}",
            "gate": gate,
            "memory": ", ".join(f"{state.channels} channels at stride {state.stride}" for state in self.state),
            "licence": self.licence,
            "trained on": self.trained_on,
        }
        text = [f"{key + ':':12}{value}" for key, value in lines.items() if value]
        for score in self.scores:
            text.append(f"{'score:':12}{score.measure} {score.value:g} {score.unit} on {score.dataset}")
            text.append(f"{'':12}{score.command}")
        return "\n".join(text)


def read_card(path: Path) -> Card:
    """Reads a card file.

    Raises:
        ModelError: The file cannot be read, is not JSON, or says something that a card may not say; the message
            names the key and the value.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except OSError as error:
        raise ModelError(f"model card {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model card {path} is not JSON: {error}") from error
    return parse_card(data, str(path))


def parse_card(data: object, where: str = "model card") -> Card:
    """Checks a card's content.

    Args:
        data: What the JSON file holds.
        where: Names the card in messages.

    Raises:
        ModelError: A key is unknown, missing, or its value impossible; the message names the key and the value.
    """
    keys = Keys(data, where, "")
    kind = Kind(keys.choice("kind", tuple(Kind)))
    spec = _input(keys.table("input"))
    outputs = _outputs(keys.table("outputs"), kind)
    card = Card(
        name=keys.text("name"),
        kind=kind,
        input=spec,
        outputs=outputs,
        state=_states(keys.tables("state"), spec, outputs),
        gate=_gate(keys.table("gate")) if "gate" in keys else None,
        summary=keys.text("summary", ""),
        source=keys.text("source", ""),
        differs=keys.text("differs", ""),
        licence=keys.text("licence"),
        trained_on=keys.text("trained_on"),
        scores=tuple(_score(entry) for entry in keys.tables("scores")),
        sha256=_checksum(keys) if "sha256" in keys else None,
    )
    keys.done()
    return card


def _input(keys: Keys) -> InputSpec:
    keys.choice("layout", ("NCHW",), "NCHW")
    low, high = keys.numbers("range", 2, (0.0, 1.0))
    if not low < high:
        keys.refuse("range", (low, high), "two rising numbers, for example [0, 1]")
    std = keys.numbers("std", 3, (1.0, 1.0, 1.0))
    if min(std) <= 0:
        keys.refuse("std", std, "three numbers above 0")
    mean = keys.numbers("mean", 3, (0.0, 0.0, 0.0))
    spec = InputSpec(
        name=keys.text("name"),
        order=keys.choice("order", ("rgb", "bgr"), "rgb"),
        low=low,
        high=high,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        long_side=keys.whole("long_side", 256),
        multiple=keys.whole("multiple", 1),
        minimum=keys.whole("minimum", 8),
    )
    keys.done()
    return spec


def _outputs(keys: Keys, kind: Kind) -> dict[str, str]:
    if kind is Kind.RESTORER:
        outputs = {"image": keys.text("image")}
    else:
        outputs = {meaning: keys.text(meaning) for meaning in ESTIMATOR_OUTPUTS[:3]}
        given = [meaning for meaning in ESTIMATOR_OUTPUTS[3:] if meaning in keys]
        if given and len(given) != 3:
            missing = ", ".join(sorted(set(ESTIMATOR_OUTPUTS[3:]) - set(given)))
            keys.refuse(given[0], "alone", f"luma_gain, chroma_gain and bias together; missing: {missing}")
        outputs |= {meaning: keys.text(meaning) for meaning in given}
    keys.done()
    return outputs


def _states(entries: list[Keys], spec: InputSpec, outputs: Mapping[str, str]) -> tuple[State, ...]:
    states: list[State] = []
    taken, given = {spec.name}, set(outputs.values())
    for keys in entries:
        state = State(keys.text("input"), keys.text("output"), keys.whole("channels"), keys.whole("stride"))
        for key, name, known in (("input", state.input, taken), ("output", state.output, given)):
            if name in known:
                keys.refuse(key, name, "a name of its own")
            known.add(name)
        keys.done()
        states.append(state)
    return tuple(states)


def _gate(keys: Keys) -> Gate:
    gate = Gate(keys.number("hazy_above"), keys.number("clear_below"))
    if not 0.0 <= gate.clear_below <= gate.hazy_above <= 1.0:
        keys.refuse("clear_below", gate.clear_below, f"between 0 and hazy_above = {gate.hazy_above}, and that below 1")
    keys.done()
    return gate


def _score(keys: Keys) -> Score:
    score = Score(
        keys.text("measure"), keys.text("dataset"), keys.number("value"), keys.text("unit", ""), keys.text("command")
    )
    keys.done()
    return score


def _checksum(keys: Keys) -> str:
    value = keys.text("sha256").lower()
    if len(value) != 64 or set(value) - set("0123456789abcdef"):
        keys.refuse("sha256", value, "64 hexadecimal digits")
    return value
