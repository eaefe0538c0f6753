"""Distillation and pruning from a checkpoint to a delivered model and the table that tells what it gained and lost."""

from __future__ import annotations

import dataclasses
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from rtdehaze.core.errors import UsageError
from rtdehaze.train.channels import inherit
from rtdehaze.train.checkpoint import load_estimator, network_of, notes_of, save_weights
from rtdehaze.train.comparison import ROUNDS, Row, compare, write_json
from rtdehaze.train.config import Config
from rtdehaze.train.data import Samples
from rtdehaze.train.delivery import Delivered, Words
from rtdehaze.train.distill import Distiller
from rtdehaze.train.export import About, export
from rtdehaze.train.loop import CHECKPOINT
from rtdehaze.train.networks import Estimator
from rtdehaze.train.origins import as_table, merged, parse_origins
from rtdehaze.train.prune import MULTIPLE, plan, survey
from rtdehaze.train.scenes import load_scenes
from rtdehaze.train.session import deliver_run, open_run
from rtdehaze.train.sizes import SIZES, Size

__all__ = ["START", "TABLE", "Simplified", "finish", "open_distillation", "open_pruning"]

log = logging.getLogger("rtdehaze.train")

START = "start.safetensors"
"""In a run's folder: the smaller network before it has learned."""
TABLE = "table.json"


@dataclass(frozen=True, slots=True)
class Simplified:
    """What came of it."""

    delivered: Delivered
    rows: tuple[Row, ...]
    """Before, at the start, after."""


def open_distillation(
    config: Config,
    teacher: Path,
    out: Path,
    *,
    minutes: float | None = None,
    weight: float = 1.0,
    inherits: bool = True,
) -> Distiller:
    """Makes a distillation ready, or takes up the one that was interrupted in `out`.

    Args:
        config: Of the student.
        teacher: Checkpoint of the network to learn from. It may be another one when a run is taken up.
        out: Folder of the run.
        minutes: Budget of training time.
        weight: Of the teacher's answers beside the truth.
        inherits: Begin with the teacher's most important channels instead of random numbers.

    Raises:
        UsageError: Teacher or student is no estimator of single pictures, or the student is the larger one.
        SourceError, ModelError, SinkError: As of `open_run`.
    """
    master = _estimator(teacher)
    if config.network not in SIZES or SIZES[config.network].memory:
        raise UsageError(f"network {config.network!r} cannot be taught; choose an estimator of single pictures")
    asked = {"distilled": True, "inherits": inherits}
    if inherits:
        _begin(config, teacher, master, out, asked, lambda _: SIZES[config.network])
    start = out / START if inherits else None
    return _open(config, teacher, master, out, minutes=minutes, weight=weight, start=start)


def open_pruning(
    config: Config,
    checkpoint: Path,
    out: Path,
    *,
    share: float,
    multiple: int = MULTIPLE,
    minutes: float | None = None,
    weight: float = 1.0,
) -> Distiller:
    """Takes channels out of a network and makes its fine-tuning ready, or takes up the one interrupted in `out`.

    The network as it was is the teacher of what is left of it.

    Args:
        config: Data, sizes and rate of the fine-tuning; the network is the checkpoint's.
        checkpoint: What to prune.
        out: Folder of the run.
        share: Of the multiply-adds that is to be left, in (0, 1).
        multiple: Channels that go together.
        minutes: Budget of training time.
        weight: Of the unpruned network's answers beside the truth.

    Raises:
        UsageError: The network is no estimator of single pictures, so little cannot be left of it, or `out` holds a
            run that was asked for something else.
        SourceError, ModelError, SinkError: As of `open_run`.
    """
    if not 0.0 < share < 1.0 or multiple < 1:
        raise UsageError(f"{share = :g} must lie between 0 and 1, and {multiple = } be 1 or more")
    whole = _estimator(checkpoint)
    config = dataclasses.replace(config, network=network_of(checkpoint))
    asked = {"share": share, "multiple": multiple}
    _begin(config, checkpoint, whole, out, asked, lambda worth: plan(whole.size, worth, share, multiple))
    return _open(config, checkpoint, whole, out, minutes=minutes, weight=weight, start=out / START)


def finish(run: Distiller, before: Path, summary: str, *, rounds: int = ROUNDS) -> Simplified:
    """Delivers a finished run and measures it beside what it came from.

    Args:
        run: Its average is exported.
        before: The checkpoint that was taught from or pruned.
        summary: For the card.
        rounds: Timed runs of each model.

    Raises:
        ModelError: The export does not answer as the network does.
        SinkError: A file cannot be written.
    """
    delivered = deliver_run(run, Words(summary=summary))
    name = network_of(before)
    after = f"{run.config.network}, {run.progress.step} steps"
    with tempfile.TemporaryDirectory(prefix="rtdehaze-") as folder:
        models = [(f"{name}, before", _exported(before, Path(folder) / "before.onnx"))]
        if (run.out / START).is_file():
            models.append((f"{run.config.network}, untrained", _exported(run.out / START, Path(folder) / "start.onnx")))
        rows = compare([*models, (after, delivered.model)], run.validation, rounds)
    write_json(run.out / TABLE, rows)
    return Simplified(delivered, tuple(rows))


def _estimator(path: Path) -> Estimator:
    name = network_of(path)
    if name not in SIZES or SIZES[name].memory:
        raise UsageError(f"{path} is of network {name!r}; only estimators of single pictures are simplified")
    return load_estimator(path, name)


def _exported(checkpoint: Path, target: Path) -> Path:
    """A model for the table alone."""
    export(checkpoint, network_of(checkpoint), target, About(target.stem, "For comparison.", "unknown", "unknown"))
    return target


def _begin(
    config: Config, source: Path, large: Estimator, out: Path, asked: dict[str, Any], choose: Callable[[Any], Size]
) -> None:
    """Writes the network that the run starts from, unless an interrupted run has done so."""
    start = out / START
    if (out / CHECKPOINT).is_file() or start.is_file():
        known = notes_of(start).get("asked") if start.is_file() else None
        if known != asked:
            raise UsageError(f"{out} holds a run of another kind ({known}, not {asked}); choose another folder")
        return
    if not torch.cuda.is_available():
        torch.set_num_threads(config.threads or os.cpu_count() or 1)
    worth = survey(large, Samples(load_scenes(config.data), config), config)
    small = inherit(large, choose(worth), worth)
    log.info("%s", small.size)
    out.mkdir(parents=True, exist_ok=True)
    save_weights(start, config.network, small, {"origins": notes_of(source).get("origins", []), "asked": asked})


def _open(
    config: Config, source: Path, teacher: Estimator, out: Path, *, minutes: float | None, weight: float,
    start: Path | None,
) -> Distiller:  # fmt: skip
    kind: Callable[..., Distiller] = partial(Distiller, teacher=teacher, weight=weight)
    run = open_run(config, out, minutes=minutes, start=start, kind=kind)
    assert isinstance(run, Distiller)  # noqa: S101 - what `kind` makes
    mine, theirs = (
        parse_origins(notes.get("origins", []), str(source)) for notes in (run.progress.notes, notes_of(source))
    )
    run.progress.notes["origins"] = as_table(merged(mine, theirs))
    return run
