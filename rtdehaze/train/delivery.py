"""From a checkpoint to a model that may be given away: exported, proven, its card filled in."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rtdehaze.core.card import Card, Gate, Score, read_card
from rtdehaze.core.errors import ModelError, OutputExistsError, SinkError, SourceError, UsageError
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.checkpoint import load_any, network_of, notes_of
from rtdehaze.train.cost import open_graph
from rtdehaze.train.export import About, agreement, export
from rtdehaze.train.networks import Estimator
from rtdehaze.train.origins import Origin, licence_of, parse_origins, summary_of
from rtdehaze.train.validate import read_validation, score

__all__ = ["AGREEMENT", "Delivered", "Words", "deliver", "disagreement"]

log = logging.getLogger("rtdehaze.train")

AGREEMENT = 1e-4
"""Largest difference between PyTorch's answers and ONNX Runtime's, relative to answers above 1."""
COMPARED = (48, 64)
"""(height, width) of the picture that restorers are compared on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a person adds to a card, or says instead of what the checkpoint tells."""

    name: str | None = None
    summary: str | None = None
    licence: str | None = None
    trained_on: str | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A model that was written."""

    model: Path
    card: Card
    difference: float
    """Between PyTorch and ONNX Runtime, see `agreement`."""


def deliver(
    checkpoint: Path,
    target: Path,
    words: Words | None = None,
    *,
    validation: Path | None = None,
    evaluation: Path | None = None,
    overwrite: bool = False,
) -> Delivered:
    """Exports a checkpoint's averaged weights, proves the export, and writes its card.

    Args:
        checkpoint: Of training, or weights alone.
        target: The .onnx file; the card goes beside it as .json.
        words: What the card shall say.
        validation: A folder of pairs to score the network on, for the card.
        evaluation: What `rtdehaze evaluate --json` wrote, for the card.
        overwrite: Replace existing files.

    Raises:
        UsageError: The target is no .onnx file.
        OutputExistsError: The model or its card exists.
        ModelError: The checkpoint is none, or ONNX Runtime answers something else than PyTorch.
        SourceError: The pairs or the evaluation cannot be read.
        SinkError: The files cannot be written.
    """
    _refuse(target, overwrite)
    network, notes = network_of(checkpoint), notes_of(checkpoint)
    model = load_any(checkpoint, network)
    scores: tuple[Score, ...] = ()
    if validation is not None:
        command = f"rtdehaze export {checkpoint} -o {target} --validation {validation}"
        scores += tuple(_scores(model, validation, command))
    if evaluation is not None:
        scores += tuple(_evaluated(evaluation, target.stem))
    about = _about(words or Words(), network, notes, target.stem, str(checkpoint), scores)
    try:
        # Beside its place, so that nothing unproven is ever there.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
            made = Path(folder) / target.name
            export(checkpoint, network, made, about)
            difference = disagreement(model, made)
            if not difference < AGREEMENT:
                raise ModelError(
                    f"{checkpoint} is not exported: ONNX Runtime's answers differ from PyTorch's by {difference:.1e}, "
                    f"more than {AGREEMENT:g}"
                )
            made.replace(target)
            made.with_suffix(".json").replace(target.with_suffix(".json"))
    except OSError as error:
        raise SinkError(f"model {target} cannot be written: {error.strerror or error}") from error
    return Delivered(target, read_card(target.with_suffix(".json")), difference)


def disagreement(model: Estimator | AODNet, path: Path) -> float:
    """The largest difference between a network's answers and its export's in ONNX Runtime, as `agreement` says."""
    session = open_graph(path)
    names = [given.name for given in session.get_inputs()]

    def run(*given: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        return list(session.run(None, dict(zip(names, given, strict=True))))

    if isinstance(model, Estimator):
        return agreement(model, run)
    picture = np.random.default_rng(1).random((1, 3, *COMPARED), dtype=np.float32)
    with torch.inference_mode():
        expected = model(torch.from_numpy(picture)).numpy()
    return float(np.abs(expected - run(picture)[0]).max()) / max(1.0, float(expected.max()))


def _refuse(target: Path, overwrite: bool) -> None:
    if target.suffix != ".onnx":
        raise UsageError(f"{target} is no name for a model; it must end in .onnx")
    for path in (target, target.with_suffix(".json")):
        if path.exists() and not overwrite:
            raise OutputExistsError(f"{path} exists; give --overwrite to replace it, or another name with -o")


def _about(
    words: Words, network: str, notes: dict[str, Any], name: str, where: str, scores: tuple[Score, ...]
) -> About:
    origins: tuple[Origin, ...] = parse_origins(notes.get("origins", []), where)
    gate = words.gate or _gate(notes, where)
    return About(
        name=words.name or name,
        summary=words.summary or f"The learned network {network}.",
        licence=words.licence or licence_of(origins),
        trained_on=words.trained_on or summary_of(origins),
        gate=gate,
        scores=scores,
    )


def _gate(notes: dict[str, Any], where: str) -> Gate:
    """The gate that the run chose; without one, one that suits most networks, said aloud."""
    try:
        return Gate(float(notes["gate"]["hazy_above"]), float(notes["gate"]["clear_below"]))
    except (KeyError, TypeError, ValueError):
        gate = Gate(0.12, 0.08)
        log.warning(
            "%s tells no gate between clear and hazy: %g and %g are taken; --gate sets others",
            where, gate.hazy_above, gate.clear_below,
        )  # fmt: skip
        return gate


def _scores(model: Estimator | AODNet, folder: Path, command: str) -> Iterator[Score]:
    found = score(model, read_validation(folder))
    rows = (
        ("PSNR", found.psnr, "dB"),
        ("PSNR untouched", found.untouched, "dB"),
        ("mean absolute error of transmission", found.transmission, ""),
        ("mean absolute error of airlight", found.airlight, ""),
        ("PSNR of clear pictures, gate off", found.clear_psnr, "dB"),
    )
    return (Score(name, folder.name, round(value, 4), unit, command) for name, value, unit in rows if value == value)


def _evaluated(path: Path, name: str) -> Iterator[Score]:
    """The means that an evaluation's JSON holds for the model of that name, or for its only one."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        labels = list(table["models"])
        label = name if name in labels else labels[0]
        if label != name and len(labels) > 1:
            raise UsageError(f"evaluation {path} holds {', '.join(labels)}, but not {name}")
        found = [
            (table["measures"][key], domain, value)
            for domain in table["domains"]
            for key, value in domain["means"].get(label, {}).items()
            if value is not None
        ]
        command = "rtdehaze evaluate --model {} --{} {}"
        return iter(
            [
                Score(one["title"], domain["name"], round(float(value), 4), one["unit"],
                      command.format(label, domain["kind"], domain["source"]))
                for one, domain, value in found
            ]
        )  # fmt: skip
    except OSError as error:
        raise SourceError(f"evaluation {path} cannot be read: {error.strerror}") from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"{path} is no evaluation that rtdehaze evaluate --json wrote: {error!r}") from error
