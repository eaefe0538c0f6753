"""The whole of an adaptation: read, run, and deliver the network with what it gained and what it cost."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError
from rtdehaze.train.adapt import Adapter, Plan
from rtdehaze.train.checkpoint import network_of, save_weights
from rtdehaze.train.config import Config, load_config
from rtdehaze.train.export import About, export
from rtdehaze.train.gate import gate_of
from rtdehaze.train.loop import CHECKPOINT
from rtdehaze.train.networks import SIZES, Estimator
from rtdehaze.train.origins import Origin, as_table, licence_of, merged, summary_of
from rtdehaze.train.real import Real, read_real
from rtdehaze.train.scenes import load_scenes
from rtdehaze.train.session import origins_of
from rtdehaze.train.sheets import write_sheet
from rtdehaze.train.validate import read_validation, restore

__all__ = ["Adaptation", "Adapted", "before_and_after", "configuration", "deliver_adaptation", "open_adaptation"]

log = logging.getLogger("rtdehaze.train")

SHOWN = 16
"""Real pictures on the sheet, spread over all."""
TILE = (180, 240)
"""(height, width) of a picture on the sheet."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What an adaptation delivered."""

    model: Path
    """.onnx, its card beside it."""
    weights: Path
    """.safetensors, to go on from."""
    sheet: Path
    """Real pictures: as they are, by the start, by what came of it, and both transmissions."""
    pictures: int
    """Real ones."""
    steps: int
    rollbacks: int
    """How often the guard sent the run back to its best."""
    kept_step: int
    """The step that was delivered; 0 is the start, unchanged."""
    before: dict[str, Any]
    """The check of the start: `standing` per set, `real` terms."""
    after: dict[str, Any]
    """The check of what was delivered."""

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        table = dataclasses.asdict(self)
        return table | {name: str(table[name]) for name in ("model", "weights", "sheet")}

    def describe(self) -> str:
        """A table for a person."""
        lines = [f"{'':34}{'before':>9}{'after':>9}"]
        for name, row in self.before["standing"].items():
            now = self.after["standing"][name]
            for what, title, unit in (("psnr", "PSNR", " dB"), ("clear_psnr", "clear pictures", " dB")):
                lines.append(f"{f'{name}, {title}{unit}':34}{row[what]:9.2f}{now[what]:9.2f}")
            if row["transmission"] == row["transmission"]:
                lines.append(f"{f'{name}, t error':34}{row['transmission']:9.4f}{now['transmission']:9.4f}")
        for name, value in self.before["real"].items():
            lines.append(f"{f'real pictures, {name}':34}{value:9.4f}{self.after['real'][name]:9.4f}")
        kept = f"the average of step {self.kept_step}" if self.kept_step else "the start, unchanged: nothing was better"
        lines.append(f"{self.steps} steps on {self.pictures} real pictures, {self.rollbacks} times back; kept {kept}")
        return "\n".join(lines)


def configuration(
    file: Path | None,
    *,
    packs: Sequence[Path] = (),
    validation: Path | None = None,
    seed: int | None = None,
    threads: int | None = None,
    workers: int | None = None,
) -> Config:
    """A configuration file with what was given beside it; the usual values where there is no file.

    Raises:
        UsageError: No labelled pictures are named, or the file cannot be used.
    """
    if file is None and not packs:
        raise UsageError(
            "adapting needs labelled pictures beside the real ones, to practise with and to be held to: "
            "give --pack DIR or --config FILE"
        )
    config = load_config(file) if file is not None else Config(threads=1)
    data = {
        "packs": tuple(str(pack) for pack in packs) or None,
        "validation": None if validation is None else str(validation),
        "workers": workers,
    }
    top = {"seed": seed, "threads": threads}
    kept = dataclasses.replace(config.data, **{key: value for key, value in data.items() if value is not None})  # type: ignore[arg-type]
    return dataclasses.replace(config, data=kept, **{key: value for key, value in top.items() if value is not None})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """An adaptation made ready: `run.run()` and then `deliver_adaptation`."""

    run: Adapter
    found: Sequence[Real]
    origins: tuple[Origin, ...]
    """What its start and its labelled pictures come from."""


def open_adaptation(
    real: Sequence[Path],
    start: Path,
    out: Path,
    *,
    config: Config,
    plan: Plan | None = None,
    minutes: float | None = None,
) -> Adaptation:
    """Makes the adaptation of a network to real pictures without truth ready, or takes up an interrupted one.

    Args:
        real: Folders, pictures or videos of real haze.
        start: The checkpoint to adapt.
        out: Folder of the run and of what it delivers.
        config: Its data, haze, losses, seed and threads are used; `data.validation` is part of the guard.
        plan: How; None takes the usual way.
        minutes: Budget of training time; the usual number of steps ends the run otherwise.

    Raises:
        UsageError: The network is none that can be adapted, or `out` holds something else.
        SourceError: Pictures are missing, unreadable or too few.
        ModelError: The checkpoint is broken.
        SinkError: The folder cannot be made.
    """
    plan = plan or Plan()
    network = network_of(start)
    if network not in SIZES or SIZES[network].memory:
        raise UsageError(f"{start} is of network {network!r}; estimators of single pictures can be adapted")
    _refuse_to_overwrite(out, network)
    found = read_real(real)
    scenes = load_scenes(config.data)
    validation = read_validation(Path(config.data.validation)) if config.data.validation else []
    settled = plan.configure(config, network)
    run = Adapter(plan, settled, scenes, found, out, start=start, minutes=minutes, validation=validation)
    return Adaptation(run, found, merged(origins_of(start), scenes.origins))


def _places(out: Path, network: str) -> tuple[Path, Path, Path, Path]:
    """Where weights, model, sheet and report go."""
    return out / f"{network}.safetensors", out / f"{network}.onnx", out / "real.png", out / "adapted.json"


def _refuse_to_overwrite(out: Path, network: str) -> None:
    """A run replaces what it delivered itself, nothing else: the start may lie in the folder that was named."""
    if (out / CHECKPOINT).is_file():
        return
    for path in _places(out, network):
        if path.exists():
            raise OutputExistsError(f"{path} exists and is of no adaptation that could go on; choose another --out")


def deliver_adaptation(adaptation: Adaptation) -> Adapted:
    """Writes the best network of a run that is over, with its card, its sheet and its report, into the run's folder.

    Raises:
        ModelError: The export does not answer as the network does.
        SinkError: A file cannot be written.
    """
    run, found, origins = adaptation.run, adaptation.found, adaptation.origins
    best, network = run.best(), run.config.network
    before, after = run.checks[0], [check for check in run.checks if check["kept"]][-1]
    weights, model, sheet, table = _places(run.out, network)
    gate = gate_of(best, run.samples.scenes, run.config)
    save_weights(weights, network, best, {"origins": as_table(origins), "gate": dataclasses.asdict(gate)})
    about = About(
        f"{network}-adapted",
        f"The learned estimator of size {network}, adapted to real pictures without truth.",
        f"{licence_of(origins)}; and what the {len(found)} real pictures allow",
        f"{summary_of(origins)}; adapted to {len(found)} real pictures without truth",
        gate,
    )
    export(weights, network, model, about)
    write_sheet(sheet, before_and_after(run.start, best, found))
    report = Adapted(
        model, weights, sheet, len(found), run.progress.step, run.progress.notes.get("rollbacks", 0), after["step"],
        before, after,
    )  # fmt: skip
    try:
        table.write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"report {table} cannot be written: {error.strerror}") from error
    return report


def before_and_after(start: Estimator, best: Estimator, found: Sequence[Real], columns: int = 2) -> NDArray[np.uint8]:
    """For each real picture: as it is, by either network, and their transmissions, in one line.

    Args:
        start: In evaluation mode.
        best: In evaluation mode.
        found: At most 16 of them are shown, spread over all.
        columns: Pictures beside each other.

    Returns:
        (H, W, 3) RGB.
    """
    count = min(SHOWN, len(found))
    lines = []
    for i in range(count):
        picture = found[i * len(found) // count].picture
        restored, maps = [], []
        for model in (start, best):
            result, said = restore(model, picture)
            restored.append(np.round(result * 255).astype(np.uint8))
            if said is not None:
                shade = np.round(said.transmission[0, 0].cpu().numpy() * 255).astype(np.uint8)
                maps.append(np.repeat(shade[..., None], 3, axis=2))
        lines.append(np.concatenate([_fit(part) for part in (picture, *restored, *maps)], axis=1))
    while len(lines) % columns:
        lines.append(np.zeros_like(lines[0]))
    rows = [np.concatenate(lines[i : i + columns], axis=1) for i in range(0, len(lines), columns)]
    return np.concatenate(rows, axis=0)


def _fit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in the middle of a tile, its shape kept."""
    scale = min(TILE[0] / picture.shape[0], TILE[1] / picture.shape[1])
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    tile = np.full((*TILE, 3), 32, np.uint8)
    top, left = (TILE[0] - height) // 2, (TILE[1] - width) // 2
    tile[top : top + height, left : left + width] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return tile
