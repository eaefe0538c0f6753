"""A training run from its configuration to the model that it delivers."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

from rtdehaze.core.errors import OutputExistsError, UsageError
from rtdehaze.train.checkpoint import notes_of, save_weights
from rtdehaze.train.config import Config, load_config
from rtdehaze.train.delivery import Delivered, Words, deliver
from rtdehaze.train.gate import gate_of
from rtdehaze.train.loop import CHECKPOINT, Trainer
from rtdehaze.train.networks import Estimator
from rtdehaze.train.origins import UNKNOWN, Origin, as_table, merged, parse_origins
from rtdehaze.train.scenes import load_scenes
from rtdehaze.train.sheets import preview, write_sheet
from rtdehaze.train.validate import read_validation
from rtdehaze.train.video import trainer_for

__all__ = ["configuration", "deliver_run", "open_run", "origins_of", "preview_to_file"]

log = logging.getLogger("rtdehaze.train")


def configuration(
    path: Path, *, pack: Path | None = None, validation: Path | None = None, workers: int | None = None
) -> Config:
    """Reads a configuration, with what is given instead of what it says.

    Raises:
        UsageError: It cannot be read, or says what cannot be meant.
    """
    config = load_config(path)
    changes = {
        "packs": None if pack is None else (str(pack),),
        "validation": None if validation is None else str(validation),
        "workers": workers,
    }
    kept = {key: value for key, value in changes.items() if value is not None}
    return dataclasses.replace(config, data=dataclasses.replace(config.data, **kept))  # type: ignore[arg-type]


def open_run(
    config: Config,
    out: Path,
    *,
    minutes: float | None = None,
    start: Path | None = None,
    kind: Callable[..., Trainer] | None = None,
) -> Trainer:
    """Lists the data and makes a run ready, or takes up the one that was interrupted in `out`.

    Args:
        config: What to do.
        out: Folder of the run.
        minutes: Budget of training time.
        start: A checkpoint whose weights a new run starts from.
        kind: Makes the run, given what `Trainer` takes; None makes what the configuration asks for.

    Raises:
        UsageError: The budget is not above 0, or there is no such network.
        SourceError: There is no data, or none that can be used.
        ModelError: A checkpoint is broken or of another network.
        SinkError: The folder cannot be made.
    """
    if minutes is not None and not minutes > 0:
        raise UsageError(f"{minutes:g} minutes are no budget; give more than 0")
    pairs = read_validation(Path(config.data.validation)) if config.data.validation else []
    scenes = load_scenes(config.data)
    trainer = (kind or trainer_for(config))(config, scenes, out, validation=pairs, minutes=minutes, start=start)
    known = parse_origins(trainer.progress.notes.get("origins", []), str(out / CHECKPOINT))
    if start is not None and trainer.progress.step == 0:
        known = origins_of(start)
    trainer.progress.notes["origins"] = as_table(merged(known, scenes.origins))
    log.info("%d pictures of %d sources; network %s", len(scenes), len(scenes.origins), config.network)
    return trainer


def deliver_run(trainer: Trainer, words: Words | None = None) -> Delivered:
    """Writes the averaged weights, `NAME.safetensors`, and the model, `NAME.onnx` with its card, into the run's folder.

    Args:
        trainer: Its run.
        words: What the card shall say; None says what network it is and how many steps it has learned.

    Raises:
        ModelError: The export does not answer as the network does.
        SinkError: A file cannot be written.
    """
    config, out, model = trainer.config, trainer.out, trainer.average
    if isinstance(model, Estimator):
        trainer.progress.notes["gate"] = dataclasses.asdict(gate_of(model, trainer.samples.scenes, config))
        trainer.save()
    if trainer.samples.left_out:
        log.warning("%d pictures were left out in all", len(trainer.samples.left_out))
    weights = out / f"{config.network}.safetensors"
    save_weights(weights, config.network, model, trainer.progress.notes)
    summary = f"The learned network {config.network}, {trainer.progress.step} steps."
    return deliver(weights, out / f"{config.network}.onnx", words or Words(summary=summary), overwrite=True)


def preview_to_file(
    path: Path, output: Path, *, pack: Path | None = None, rows: int = 8, columns: int = 2, overwrite: bool = False
) -> None:
    """Draws the first samples of a configuration's run as a contact sheet (see `sheets.preview`).

    Raises:
        UsageError: The configuration cannot be used, or the sheet has no .png name.
        OutputExistsError: The sheet exists.
        SourceError: There is no data, or none that can be used.
        SinkError: The sheet cannot be written.
    """
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output} is no name for a sheet; it must end in .png")
    if output.exists() and not overwrite:
        raise OutputExistsError(f"{output} exists; give --overwrite to replace it, or another name with -o")
    config = configuration(path, pack=pack)
    write_sheet(output, preview(load_scenes(config.data), config, rows, columns))


def origins_of(start: Path) -> tuple[Origin, ...]:
    """What the weights that a run starts from were trained on; what they do not tell cannot be vouched for."""
    origins = parse_origins(notes_of(start).get("origins", []), str(start))
    return origins or (Origin(f"the weights of {start.name}", f"{UNKNOWN} by the checkpoint", 0),)
