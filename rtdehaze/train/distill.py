"""A large network teaches a small one: the student learns from the truth and from what the teacher answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from rtdehaze.core.errors import UsageError
from rtdehaze.train.config import Config
from rtdehaze.train.data import Batch
from rtdehaze.train.loop import Trainer
from rtdehaze.train.losses import Terms
from rtdehaze.train.networks import Estimate, Estimator
from rtdehaze.train.scenes import Scene
from rtdehaze.train.validate import Pair

__all__ = ["Distiller", "lesson"]


def lesson(said: Estimate, taught: Estimate) -> Tensor:
    """How far a student's answers are from its teacher's, a scalar.

    The truth says one thing of a pixel that may have looked like several; a teacher that has seen more says what can
    be known from the picture (Hinton, Vinyals, Dean 2015), and says it of all the maps, of which only two have a truth.

    Args:
        said: The student's answer.
        taught: The teacher's to the same pictures.
    """
    mine, theirs = (Estimate(*(part.float() for part in answer)) for answer in (said, taught))
    # Divisors by their ratio: 0.1 too much is little at 1 and doubles the picture at 0.1.
    ratios = [(a.log() - b.log()).abs().mean() for a, b in ((mine.luma, theirs.luma), (mine.chroma, theirs.chroma))]
    plain = [
        (getattr(mine, name) - getattr(theirs, name)).abs().mean()
        for name in ("transmission", "airlight", "density", "veil")
    ]
    return torch.stack([*plain, *(0.5 * ratio for ratio in ratios)]).sum()


class Distiller(Trainer):
    """A run whose loss also counts the distance to a teacher's answers.

    Args:
        config: Of the student.
        scenes: What to learn from.
        out: Folder for the checkpoint and the curves.
        teacher: What to learn from besides; it is not changed.
        weight: Of the lesson beside the other terms of the loss, 0 or more.
        validation: As of `Trainer`.
        minutes: As of `Trainer`.
        start: As of `Trainer`.

    Raises:
        UsageError: The weight is negative, or the configuration's network is a restorer.
        SinkError, ModelError: As of `Trainer`.
    """

    terms = (*Terms._fields, "taught")

    def __init__(
        self,
        config: Config,
        scenes: list[Scene],
        out: Path,
        *,
        teacher: Estimator,
        weight: float = 1.0,
        validation: list[Pair] | None = None,
        minutes: float | None = None,
        start: Path | None = None,
    ) -> None:
        if weight < 0:
            raise UsageError(f"{weight = } of the teacher must be 0 or more")
        super().__init__(config, scenes, out, validation=validation, minutes=minutes, start=start)
        if not isinstance(self.model, Estimator):
            raise UsageError(f"network {config.network!r} is a restorer; only estimators can be taught")
        moved: Estimator = teacher.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._teacher, self._weight = moved.eval().requires_grad_(False), weight

    def loss(self, batch: Batch, estimate: Estimate) -> tuple[Tensor, Sequence[Tensor]]:
        """The terms of any run, and `taught`."""
        loss, terms = super().loss(batch, estimate)
        pictures = batch.hazy.contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            taught = self._teacher(pictures)
        distance = lesson(estimate, taught)
        return loss + self._weight * distance, (*terms, distance)
