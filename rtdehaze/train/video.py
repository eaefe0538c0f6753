"""Training on clips: the same loop, whole clips unrolled, and a term for steadiness; with a memory or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from rtdehaze.core.errors import UsageError
from rtdehaze.train.clips import ClipSamples, clip_batches
from rtdehaze.train.config import Config
from rtdehaze.train.data import Batch, Motion
from rtdehaze.train.films import read_films, render_drive
from rtdehaze.train.loop import Trainer
from rtdehaze.train.losses import Terms
from rtdehaze.train.networks import MIN_CHROMA, MIN_LUMA, SIZES, Estimate, Estimator
from rtdehaze.train.scenes import Scene
from rtdehaze.train.validate import Pair

__all__ = ["ClipTrainer", "steadiness", "trainer_for"]

VEIL = 2.0
"""Weight of the veil beside the logarithms of what is divided by: at mid-grey both move the picture alike."""


class ClipTrainer(Trainer):
    """A run on clips; arguments and errors are those of `Trainer`.

    The gradient goes back through all frames of a clip and no farther (truncated back-propagation through time:
    Williams and Peng 1990); every clip starts with an empty memory, as every scene does in use.

    Raises:
        UsageError: The network is a restorer, which tells of no haze.
    """

    terms = (*Terms._fields, "steady")

    def __init__(
        self,
        config: Config,
        scenes: Sequence[Scene],
        out: Path,
        *,
        validation: list[Pair] | None = None,
        minutes: float | None = None,
        start: Path | None = None,
    ) -> None:
        if config.network not in SIZES:
            raise UsageError(f"network {config.network!r} does not learn from clips: take one of {', '.join(SIZES)}")
        super().__init__(config, scenes, out, validation=validation, minutes=minutes, start=start)
        self.learns_statistics = config.clips.frozen == 0
        for part in _finest(self.model, config.clips.frozen):
            part.requires_grad_(False)
        clips = config.clips
        drives = [render_drive(1000 + i, clips.drive_seconds) for i in range(clips.drives if clips.drive_share else 0)]
        films = read_films(config.data.videos) if clips.video_share else []
        self.clips = ClipSamples(scenes, drives, films, config)

    def fetch(self) -> Iterator[Batch]:
        """The batches from the next step on, frames clip by clip."""
        return clip_batches(self.clips, self.progress.step, self._completed_at, self.samples.note)

    def answer(self, batch: Batch) -> Estimate:
        """What the network says of the frames of a batch of clips."""
        fresh = _motion_of(batch).fresh
        pictures = batch.hazy.contiguous(memory_format=torch.channels_last)
        estimate: Estimate = self.model.unroll(pictures, fresh)
        return estimate

    def loss(self, batch: Batch, estimate: Estimate) -> tuple[Tensor, Sequence[Tensor]]:
        """The loss of the frames as pictures, and of their errors' change from one to the next."""
        whole, terms = super().loss(batch, estimate)
        change = steadiness(batch, estimate)
        return whole + self.config.loss.steady * change, [*terms, change]


def steadiness(batch: Batch, estimate: Estimate) -> Tensor:
    """How far the errors of the maps change from frame to frame along the motion, a scalar.

    The maps are compared with those of the haze model, as logarithms of what is divided by: -ln t is the optical depth,
    in which an error of one size is seen as much in thin haze as in thick. An error that stays with its surface costs
    nothing here: it is the other terms' business.
    """
    motion = _motion_of(batch)
    said = Estimate(*(part.float() for part in estimate))
    truth = functional.avg_pool2d(batch.transmission, 2)
    veil = batch.airlight[:, :, None, None] * (1.0 - truth)
    logs = (
        said.transmission.log() - truth.log(),
        said.luma.log() - truth.clamp_min(MIN_LUMA).log(),
        said.chroma.log() - truth.clamp_min(MIN_CHROMA).log(),
    )
    errors = torch.cat([*logs, VEIL * (said.veil - veil)], 1)
    errors = errors.reshape(*motion.fresh.shape, *errors.shape[1:])
    before, now = errors[:, :-1].flatten(0, 1), errors[:, 1:].flatten(0, 1)
    change = (now - _moved(before, motion.flow[:, 1:].flatten(0, 1))).abs().mean(1)
    valid = motion.valid[:, 1:].flatten(0, 1).float()
    return (change * valid).sum() / valid.sum().clamp_min(1.0)


def trainer_for(config: Config) -> type[Trainer]:
    """The kind of run that a configuration asks for: on single pictures or on clips."""
    return ClipTrainer if config.clips.frames > 1 else Trainer


def _motion_of(batch: Batch) -> Motion:
    if batch.motion is None:
        raise ValueError("a network with a memory learns from clips; this batch has single pictures")
    return batch.motion


def _moved(maps: Tensor, flow: Tensor) -> Tensor:
    """Maps (n, c, h, w) of the frame before, sampled where `flow` (n, h, w, 2) leads, bilinearly."""
    height, width = maps.shape[-2:]
    rows = torch.arange(height, device=maps.device)[:, None] + flow[..., 1]
    columns = torch.arange(width, device=maps.device) + flow[..., 0]
    places = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], -1)
    return functional.grid_sample(maps, places, padding_mode="border", align_corners=False)


def _finest(model: Estimator, levels: int) -> list[nn.Module]:
    """The parts of a network at its finest strides, on the way down."""
    return [model.stem, model.hint, *list(model.down)[:levels]] if levels else []
