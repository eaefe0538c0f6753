"""Everything a run needs to go on, in one safetensors file: weights, their average, optimiser, step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from rtdehaze.core.errors import ModelError, SinkError
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.networks import SIZES, Estimator, Size, build_any

__all__ = [
    "Progress",
    "load_any",
    "load_checkpoint",
    "load_estimator",
    "load_weights",
    "network_of",
    "notes_of",
    "read_size",
    "save_checkpoint",
    "save_weights",
]

FORMAT = "rtdehaze-training-1"
WIDEST, DEEPEST = 4096, 64
"""Channels and blocks of a stride: no more are built because a file says so."""


@dataclass(slots=True)
class Progress:
    """How far a run has come."""

    step: int = 0
    """Steps done."""
    seconds: float = 0.0
    """Time spent on them, pauses left out."""
    best: float = 0.0
    """Highest validation PSNR so far in dB."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What a run of another kind must know to go on; plain JSON."""


def save_checkpoint(
    path: Path, network: str, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, progress: Progress
) -> None:
    """Writes the file beside its place and moves it there, so that an interrupted writing leaves the last one whole.

    Raises:
        SinkError: It cannot be written (a full disk, say).
    """
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    tensors |= {f"average.{key}": value for key, value in average.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": value for key, value in state.items()}
    tensors["random"] = torch.get_rng_state()
    _write(path, network, model, tensors, progress)


def save_weights(path: Path, network: str, model: nn.Module, notes: Mapping[str, Any] | None = None) -> None:
    """Writes the weights alone: small enough to be kept, enough to start another run from (`load_weights`).

    Args:
        path: Where to.
        network: The network's name.
        model: Its weights.
        notes: What is known of them, as `Progress.notes`.

    Raises:
        SinkError: It cannot be written.
    """
    tensors = {f"average.{key}": value for key, value in model.state_dict().items()}
    _write(path, network, model, tensors, Progress(notes=dict(notes or {})))


def _write(path: Path, network: str, model: nn.Module, tensors: dict[str, Tensor], progress: Progress) -> None:
    about: dict[str, Any] = {"format": FORMAT, "network": network, **asdict(progress)}
    if isinstance(model, Estimator):
        about["size"] = asdict(model.size)
    metadata = {"about": json.dumps(about)}
    part = path.with_suffix(".part")
    try:
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, part, metadata)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise SinkError(f"checkpoint {path} cannot be written: {error}") from error


def load_checkpoint(
    path: Path, network: str, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> Progress:
    """Restores model, average, optimiser and torch's generator in place.

    Raises:
        ModelError: The file is no checkpoint, holds weights alone, or is of another network.
    """
    about, tensors = _read(path, network)
    if "random" not in tensors:
        raise ModelError(f"{path} holds weights alone: start a new run from it instead of resuming it")
    _fill(path, model, "model.", tensors)
    _fill(path, average, "average.", tensors)
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser."):
            _, index, name = key.split(".")
            states.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    _lay_out(optimiser)
    torch.set_rng_state(tensors["random"])
    return Progress(int(about["step"]), float(about["seconds"]), float(about["best"]), about.get("notes", {}))


def _lay_out(optimiser: torch.optim.Optimizer) -> None:
    """Gives the moments the memory format of their weights: the fused step walks both as flat memory."""
    for weight, state in optimiser.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name] = torch.empty_like(weight).copy_(state[name])


def load_weights(path: Path, network: str, model: nn.Module, *, start: bool = False) -> None:
    """Loads a checkpoint's averaged weights: to export them, to score them, or to start another run from them.

    Args:
        path: The checkpoint.
        network: The network's name.
        model: What is filled.
        start: A network for video may start from the one for pictures: its memory then stays as it is.

    Raises:
        ModelError: The file is no checkpoint, or one of another network.
    """
    _, tensors = _read(path, network, start=start)
    if start:
        own = {f"average.{key}": value for key, value in model.state_dict().items() if key.startswith("memory.")}
        tensors = own | tensors
    _fill(path, model, "average.", tensors)


def network_of(path: Path) -> str:
    """The name of a checkpoint's network.

    Raises:
        ModelError: The file is no checkpoint.
    """
    return str(_read(path, None)[0]["network"])


def notes_of(path: Path) -> dict[str, Any]:
    """What a checkpoint's run noted: its data, its gate.

    Raises:
        ModelError: The file is no checkpoint.
    """
    return dict(_read(path, None)[0].get("notes", {}))


def load_estimator(path: Path, network: str) -> Estimator:
    """The network of a checkpoint, in the size that the checkpoint says, with its averaged weights, to be used.

    Raises:
        ModelError: The file is no checkpoint, or one of another network.
    """
    model = load_any(path, network)
    if isinstance(model, AODNet):
        raise ModelError(f"checkpoint {path} is of a restorer, which tells of no haze; an estimator is needed")
    return model


def load_any(path: Path, network: str) -> Estimator | AODNet:
    """The same for an estimator or a restorer.

    Raises:
        ModelError: As `load_estimator`.
    """
    model = build_any(network, read_size(path, network)).eval()
    load_weights(path, network, model)
    return model


def read_size(path: Path, network: str, *, start: bool = False) -> Size | None:
    """The size of a checkpoint's network; None if it is the one that the network's name says.

    Args:
        path: The checkpoint.
        network: The network's name.
        start: As for `load_weights`; the size then has the memory of the network that is started.

    Raises:
        ModelError: The file is no checkpoint, one of another network, or tells of an impossible size.
    """
    table = _read(path, network, start=start)[0].get("size")
    if table is None:
        return None
    try:
        down = tuple(tuple(int(width) for width in stage) for stage in table["down"])
        widths, depths, up = (tuple(int(value) for value in table[key]) for key in ("widths", "depths", "up"))
        memory = SIZES[network].memory if start else int(table.get("memory", 0))
        size = Size(widths, depths, int(table["expansion"]), down, up, memory)
        whole = size.explicit()
        good = all(
            0 < width <= WIDEST for width in (*whole.widths, *whole.up, *(w for stage in whole.down for w in stage))
        )
        good &= len(whole.down) == len(widths) == len(whole.up) + 1 and max(depths) <= DEEPEST
        good &= 0 <= memory <= WIDEST
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"checkpoint {path} tells of no size that can be built: {error}") from error
    if not good:
        raise ModelError(f"checkpoint {path} tells of no size that can be built: {table}")
    return size


def _read(path: Path, network: str | None, *, start: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise ModelError(f"checkpoint {path} cannot be read: {error}") from error
    if about.get("format") != FORMAT:
        raise ModelError(f"{path} is no training checkpoint of rtdehaze")
    known = {network, network.removesuffix("-video")} if start and network is not None else {network}
    if network is not None and about.get("network") not in known:
        raise ModelError(f"checkpoint {path} is of network {about.get('network')!r}, not {network!r}")
    return about, tensors


def _fill(path: Path, module: nn.Module, prefix: str, tensors: dict[str, Tensor]) -> None:
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"checkpoint {path} does not fit the network: {str(error).splitlines()[0]}") from error
