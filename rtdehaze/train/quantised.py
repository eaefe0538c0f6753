"""From an exported model to the same in int8, with its card and the table that tells whether that pays."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from rtdehaze.core.card import Card, parse_card
from rtdehaze.core.errors import ModelError, OutputExistsError, SinkError, SourceError, UsageError
from rtdehaze.train.comparison import ROUNDS, Row, compare, write_json
from rtdehaze.train.config import Config
from rtdehaze.train.cost import times
from rtdehaze.train.data import Samples
from rtdehaze.train.opened import card_of
from rtdehaze.train.quantise import SETS, Picture, Quantised, Quantiser, quantise
from rtdehaze.train.scenes import load_scenes
from rtdehaze.train.validate import Pair, thumbnail_size

__all__ = ["TOLERANCE", "pictures_of", "quantise_file", "samples_of"]

log = logging.getLogger("rtdehaze.train")

TOLERANCE = 0.02
"""Root mean square, of the range, by which the restored picture may differ from the float model's: 34 dB. Beside an
error of 0.1 (20 dB) from the truth, and independent of it, that costs less than 0.2 dB."""
SIZES = ((144, 256), (192, 256), (256, 176))
"""(height, width) of the samples that ranges are measured on: usual thumbnails."""


def samples_of(config: Config, count: int) -> list[Picture]:
    """The first samples of a training configuration, as thumbnails."""
    samples = Samples(load_scenes(config.data), config)
    return [_as_input(samples[i, *SIZES[i % len(SIZES)]].hazy) for i in range(count)]


def pictures_of(folder: Path, count: int) -> list[Picture]:
    """Pictures of a folder, spread over all of it, as thumbnails.

    Raises:
        SourceError: Nothing in it can be read as a picture.
    """
    paths = sorted(path for path in folder.glob("*.*") if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp"))
    found = []
    for path in paths[:: max(1, len(paths) // count)][:count]:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            log.warning("%s left out: unreadable", path)
            continue
        height, width = thumbnail_size(*picture.shape[:2])
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)[..., ::-1]
        found.append(_as_input(np.asarray(small, np.uint8)))
    if not found:
        raise SourceError(f"folder {folder} holds no picture that can be read")
    return found


def _as_input(picture: NDArray[np.uint8]) -> Picture:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def quantise_file(
    model: Path,
    target: Path,
    pictures: Sequence[Picture],
    *,
    pairs: list[Pair] | None = None,
    layers: str = "auto",
    tolerance: float = TOLERANCE,
    overwrite: bool = False,
    rounds: int = ROUNDS,
) -> list[Row]:
    """Writes an exported estimator in int8, its card, and beside them `NAME.table.json`.

    Args:
        model: The float model, its card beside it.
        target: The .onnx file to write.
        pictures: Thumbnails to measure ranges on.
        pairs: Hazy and clear pictures to score on; not used for any choice.
        layers: `all`, `wide`, or `auto` for the faster of the two.
        tolerance: See `Quantised.error`.
        overwrite: Replace existing files.
        rounds: Timed runs of each model.

    Returns:
        The rows of the table: the float model, what was tried, and what was written last.

    Raises:
        UsageError: The target is no .onnx file or the model itself, or there is no such set of layers.
        OutputExistsError: The target or its card exists.
        ModelError: The model is not one of ours, or nothing of it can be in int8 within the tolerance.
        SinkError: A file cannot be written.
    """
    _refuse(model, target, layers, overwrite)
    card = card_of(model)
    torch.set_num_threads(1)  # it recomposes thumbnails: more threads would wait longer than work
    quantiser = Quantiser(model, card, pictures)
    tried = {kind: quantise(quantiser, kind, tolerance) for kind in (SETS if layers == "auto" else (layers,))}
    found = {kind: one for kind, one in tried.items() if one is not None}
    if not found:
        raise ModelError(f"nothing of {model} can be in int8 with an error of at most {tolerance:g}; allow more")
    with tempfile.TemporaryDirectory(prefix="rtdehaze-") as folder:
        paths = {kind: Path(folder) / f"{kind}.onnx" for kind in found}
        for kind, path in paths.items():
            _write(path, found[kind], _card(card, target.stem, model, found[kind], len(pictures)))
        spent = dict(zip(paths, times(list(paths.values()), rounds), strict=True))
        best = min(spent, key=lambda kind: spent[kind])
        _write(target, found[best], _card(card, target.stem, model, found[best], len(pictures)))
        others = [(f"int8 {kind}", path) for kind, path in paths.items() if kind != best]
        rows = compare(
            [(f"{card.name}, float", model), *others, (f"int8 {best}, written", target)], pairs or [], rounds
        )
    write_json(target.with_suffix(".table.json"), rows)
    return rows


def _refuse(model: Path, target: Path, layers: str, overwrite: bool) -> None:
    if target.suffix != ".onnx" or target.resolve() == model.resolve():
        raise UsageError(f"{target} is no name for the model in int8; give another one that ends in .onnx")
    if layers not in (*SETS, "auto"):
        raise UsageError(f"{layers = } must be one of auto, {', '.join(SETS)}")
    for path in (target, target.with_suffix(".json")):
        if path.exists() and not overwrite:
            raise OutputExistsError(f"{path} exists; give --overwrite to replace it, or another name with -o")


def _card(card: Card, name: str, model: Path, made: Quantised, pictures: int) -> Card:
    """The float model's card, with what was done to it and without its scores, which are not this one's."""
    count = len(made.layers)
    differs = (f"{card.differs}; " if card.differs else "") + (
        f"int8 (static, QDQ, weights per channel) in {count} convolutions, ranges from {pictures} pictures, "
        f"{len(made.spared)} more kept in float for their error; made from {model.name}, "
        f"sha256 {hashlib.sha256(model.read_bytes()).hexdigest()[:16]}"
    )
    return dataclasses.replace(
        card, name=name, summary=f"{card.summary} In int8.", differs=differs, scores=(),
        sha256=hashlib.sha256(made.graph).hexdigest(),
    )  # fmt: skip


def _write(target: Path, made: Quantised, card: Card) -> None:
    """Writes the model beside its place first, so that a full disk leaves nothing half."""
    table, place = card.to_dict(), target.with_suffix(".json")
    parse_card(table, str(place))
    part = target.with_suffix(".part")
    try:
        part.write_bytes(made.graph)
        place.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SinkError(f"model {target} cannot be written: {error.strerror}") from error
