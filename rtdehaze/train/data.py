"""Batches for the loop: sample number i of a run is a pure function of the seed and i, whoever makes it."""

from __future__ import annotations

import dataclasses
import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from rtdehaze.core.errors import SourceError
from rtdehaze.train.config import Config, StageConfig
from rtdehaze.train.decoding import Scene, UnreadableError
from rtdehaze.train.samples import Sample, make_sample

__all__ = ["Batch", "Motion", "Samples", "batches", "stage_at", "stream"]

log = logging.getLogger("rtdehaze.train")

DRAWS = 100
"""Pictures drawn for one sample, of which the first readable one is taken; so many unreadable ones end the run."""

Key = tuple[int, int, int]
"""Number of the sample in the run, its height and width."""


class Motion(NamedTuple):
    """How the pictures of a batch follow each other, where they are the frames of clips, clip by clip."""

    fresh: Tensor
    """(clips, frames), 1 where the network is told that a scene begins."""
    flow: Tensor
    """(clips, frames, h/2, w/2, 2): from each sample of a map to where its surface was in the frame before, (x, y)."""
    valid: Tensor
    """(clips, frames, h/2, w/2), where that is known; never in the first frame of a scene."""


class Batch(NamedTuple):
    """`n` samples on the device that computes; pictures RGB in [0, 1]."""

    hazy: Tensor
    """(n, 3, h, w)."""
    clear: Tensor
    """(n, 3, h, w)."""
    transmission: Tensor
    """(n, 1, h, w)."""
    airlight: Tensor
    """(n, 3)."""
    is_hazy: Tensor
    """(n,), 1 or 0."""
    known: Tensor
    """(n,), 1 where transmission and airlight are the truth."""
    motion: Motion | None = None
    """None for single pictures."""

    def to(self, device: torch.device) -> Batch:
        """Moves bytes to the device and only there turns them into numbers."""
        hazy, clear, *rest = (part.to(device, non_blocking=True) for part in self[:6])
        hazy, clear = (part.permute(0, 3, 1, 2).float() / 255.0 for part in (hazy, clear))
        transmission, airlight, is_hazy, known = rest
        motion = self.motion and Motion(*(part.to(device, non_blocking=True) for part in self.motion))
        return Batch(hazy, clear, transmission, airlight, is_hazy, known, motion)


@dataclass(frozen=True)
class Samples(Dataset[Sample]):
    """The endless sequence of samples of a run."""

    scenes: Sequence[Scene]
    config: Config
    left_out: dict[str, None] = field(default_factory=dict)
    """What could not be used so far, each with the reason, once; filled in where batches are taken."""

    def __getitem__(self, key: Key) -> Sample:
        """Makes the sample; two calls with the same key give the same bytes.

        A picture that cannot be used gives way to the next one drawn.

        Raises:
            SourceError: So many in a row cannot be used that something is wrong with all of them.
        """
        number, height, width = key
        rng = np.random.default_rng((self.config.seed, number))
        unusable: list[str] = []
        while len(unusable) < DRAWS:
            try:
                scene = self.scenes[int(rng.integers(len(self.scenes)))]
            except UnreadableError as error:
                unusable.append(str(error))
                continue
            sample = make_sample(scene, (height, width), rng, self.config.weather(rng))
            return dataclasses.replace(sample, left_out=tuple(unusable)) if unusable else sample
        raise SourceError(f"{DRAWS} pictures in a row cannot be used, the last: {unusable[-1]}")

    def note(self, unusable: Iterable[str]) -> None:
        """Names pictures that were left out, each once, and counts them."""
        for reason in unusable:
            if reason not in self.left_out:
                self.left_out[reason] = None
                log.warning("picture left out (%d so far): %s", len(self.left_out), reason)


def stage_at(config: Config, done: float) -> StageConfig:
    """The stage that a run is in when that share of it, in [0, 1], is done."""
    whole = sum(stage.share for stage in config.stages)
    reached = 0.0
    for stage in config.stages:
        reached += stage.share / whole
        if done < reached:
            return stage
    return config.stages[-1]


def batches(samples: Samples, first: int, completed: Callable[[int], float]) -> Iterator[Batch]:
    """Yields the batches of steps `first`, `first + 1`, ... to the end of the run, pictures still bytes (n, h, w, 3).

    Args:
        samples: What to draw from.
        first: Steps already done.
        completed: The share of the run that is done before a step; decides its stage. Asked a few steps ahead
            where workers make the samples.
    """
    yield from stream(samples, _pack, samples.config, first, completed, samples.note)


def stream(
    samples: Dataset[Any], pack: Callable[[list[Any]], Batch], config: Config, first: int,
    completed: Callable[[int], float], note: Callable[[Iterable[str]], None],
) -> Iterator[Batch]:  # fmt: skip
    """Yields the batches of steps `first`, `first + 1`, ... of any samples.

    Args:
        samples: What to draw from by `Key`; what it gives has the field `left_out` of `Sample`.
        pack: Makes a batch of what was drawn.
        config: The run's.
        first: Steps already done.
        completed: As for `batches`.
        note: Is told what was left out on the way to each batch.

    Raises:
        SourceError: A sample cannot be made.
    """
    workers = config.data.workers
    if workers:
        # OpenCV's threads do not survive a fork: a worker would wait for them for ever.
        cv2.setNumThreads(1)
    loader = DataLoader(
        _Careful(samples),
        batch_sampler=_StepKeys(config, first, completed),
        collate_fn=_Packing(pack),
        num_workers=workers,
        worker_init_fn=_quiet_worker if workers else None,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
        # Its own, so that starting a loader leaves torch's generator where a resumed run needs it.
        generator=torch.Generator().manual_seed(config.seed),
    )
    for fetched in loader:
        if isinstance(fetched, SourceError):
            raise fetched
        batch, unusable = fetched
        note(unusable)
        yield batch


@dataclass(frozen=True)
class _StepKeys:
    """The keys of each step; which size a step has is drawn from the seed and the step."""

    config: Config
    first: int
    completed: Callable[[int], float]

    def __iter__(self) -> Iterator[list[Key]]:
        largest = max(stage.batch for stage in self.config.stages)
        for step in range(self.first, self.config.steps):
            stage = stage_at(self.config, self.completed(step))
            rng = np.random.default_rng((self.config.seed, step, 1))
            height, width = stage.sizes[int(rng.integers(len(stage.sizes)))]
            yield [(step * largest + i, height, width) for i in range(stage.batch)]


def _quiet_worker(_: int) -> None:
    """One worker, one core: OpenCV's own threads would fight over the rest."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGTERM, _leave_at_second)


def _leave_at_second(number: int, _: FrameType | None) -> None:
    """Lets a SIGTERM to the whole group, as from systemd, pass: the run stops its workers once it has saved."""
    signal.signal(number, signal.SIG_DFL)


@dataclass(frozen=True)
class _Careful(Dataset[Any]):
    """Hands errors on as values: one that a worker raises arrives with the worker's traceback as its message."""

    samples: Dataset[Any]

    def __getitem__(self, key: Key) -> Any:
        try:
            return self.samples[key]
        except SourceError as error:
            return error


@dataclass(frozen=True)
class _Packing:
    """The batch and what was left out on the way to it, or the error that stands in a sample's place."""

    pack: Callable[[list[Any]], Batch]

    def __call__(self, made: list[Any]) -> tuple[Batch, list[str]] | SourceError:
        for sample in made:
            if isinstance(sample, SourceError):
                return sample
        return self.pack(made), [reason for sample in made for reason in sample.left_out]


def _pack(samples: list[Sample]) -> Batch:
    return Batch(
        torch.from_numpy(np.stack([sample.hazy for sample in samples])),
        torch.from_numpy(np.stack([sample.clear for sample in samples])),
        torch.from_numpy(np.stack([sample.transmission for sample in samples])[:, None]),
        torch.from_numpy(np.stack([sample.airlight for sample in samples])),
        torch.tensor([float(sample.is_hazy) for sample in samples]),
        torch.tensor([float(sample.known) for sample in samples]),
    )
