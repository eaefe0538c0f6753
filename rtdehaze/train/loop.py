"""The training loop: fetch, forward, backward, step; score, keep, stop."""

from __future__ import annotations

import copy
import csv
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import torch
from torch import Tensor, nn

from rtdehaze.core.errors import SinkError, SourceError
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.checkpoint import Progress, load_checkpoint, load_weights, read_size, save_checkpoint
from rtdehaze.train.config import Config
from rtdehaze.train.curves import CURVES, SCORES, draw_curves
from rtdehaze.train.data import Batch, Samples, batches
from rtdehaze.train.losses import Terms, loss_terms, total
from rtdehaze.train.networks import Estimate, Estimator, build_any
from rtdehaze.train.scenes import Scene
from rtdehaze.train.sheets import restored, write_sheet
from rtdehaze.train.validate import Pair, Scores, score

__all__ = ["CHECKPOINT", "Trainer", "learning_rate"]

log = logging.getLogger("rtdehaze.train")

CHECKPOINT = "checkpoint.safetensors"
REPORT_STEPS = 50
"""Steps averaged in one line of the curves."""
SHOWN = 16
"""Validation pairs on the sheet that each scoring writes."""
LONGEST_STEP = 10.0
"""Seconds. A step on a GPU that seems longer was a paused process; no more is counted towards the budget."""


class Trainer:
    """One run: holds the network, its moving average and the optimiser.

    Args:
        config: What to do.
        scenes: What to learn from.
        out: Folder for the checkpoint and the curves; made if missing.
        validation: Pairs to score on now and then.
        minutes: Budget of training time: the clock's on CUDA, on a CPU that of the training thread. The schedule ends
            with whichever comes first, the steps or the minutes.
        start: A checkpoint whose averaged weights to start from, for a new run; ignored where `out` holds a
            checkpoint, which is resumed.

    Raises:
        SinkError: The folder cannot be made.
        ModelError: A checkpoint is broken or of another network.
    """

    terms: tuple[str, ...] = Terms._fields
    """Names of the loss's terms, the columns of the curves; a run of another kind appends its own."""
    on_step: Callable[[float], None] | None = None
    """Called after each step with the share of the run that is done; what it raises ends the run there, saved if it
    is a KeyboardInterrupt."""
    learns_statistics: bool = True
    """Whether batch normalisation follows the batches; a run that mixes two kinds of pictures keeps it as it is."""

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
        self.config, self.out, self.minutes = config, out, minutes
        self.samples = Samples(scenes, config)
        self.validation = validation or []
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # On a CPU the thread's own time: what other programs took, or a pause, is not charged to the budget.
        self._clock = time.monotonic if self.device.type == "cuda" else time.thread_time
        self._prepare()
        torch.manual_seed(config.seed)
        self.model = self._build(start).to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        groups = _groups(self.model, config.optim.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, lr=config.optim.rate, fused=True)
        if start is not None:
            load_weights(start, config.network, self.model, start=True)
        self.average = copy.deepcopy(self.model).eval()
        self.progress = Progress()
        self._saved = 0.0
        if (out / CHECKPOINT).is_file():
            self.progress = load_checkpoint(out / CHECKPOINT, config.network, self.model, self.average, self.optimiser)
            self._saved = self.progress.seconds
            log.info("resumed at step %d of %d", self.progress.step, config.steps)

    def run(self, steps: int | None = None, on_score: Callable[[Scores], None] | None = None) -> Progress:
        """Trains until the schedule or the budget ends.

        Args:
            steps: Steps to do in this call at most, so that a run can be interrupted and resumed.
            on_score: Called with each scoring on the validation set.

        Raises:
            SourceError: Samples cannot be made, or a process that makes them was killed.
            SinkError: The checkpoint or the curves cannot be written.
            KeyboardInterrupt: Ctrl-C; the checkpoint was written first.
        """
        last = self.config.steps if steps is None else min(self.config.steps, self.progress.step + steps)
        try:
            self._train(last, on_score)
        except KeyboardInterrupt:
            self.save()
            raise
        except RuntimeError as error:
            # PyTorch has no type for it, and raises it wherever the main thread happens to be.
            if "DataLoader worker" not in str(error):
                raise
            raise SourceError(
                f"a process that makes samples was killed, as when memory runs out ({str(error).split('. ')[0]}); "
                f"give fewer data.workers or less data.cache_mb: the same command goes on from what {self.out} holds"
            ) from error
        if self.completed >= 1.0:
            self._score(on_score)
        self.save()
        draw_curves(self.out)
        return self.progress

    def _train(self, last: int, on_score: Callable[[Scores], None] | None) -> None:
        window: list[Tensor] = []
        fetched = self.fetch()
        before = self._clock()
        while self.progress.step < last and self.completed < 1.0:
            terms = self.step(next(fetched).to(self.device))
            window.append(torch.stack(terms))
            now = self._clock()
            self.progress.seconds += min(now - before, LONGEST_STEP)
            before = now
            if self.progress.step % REPORT_STEPS == 0:
                self._report(torch.stack(window).mean(0))
                window.clear()
            self._keep_up(on_score)
            if self.on_step is not None:
                self.on_step(self.completed)

    @property
    def completed(self) -> float:
        """The share of the run that is done, by steps or by minutes, in [0, 1]."""
        return self._completed_at(self.progress.step)

    def _completed_at(self, step: int) -> float:
        spent = 0.0 if self.minutes is None else self.progress.seconds / (60.0 * self.minutes)
        return min(1.0, max(step / self.config.steps, spent))

    def step(self, batch: Batch) -> list[Tensor]:
        """One step of the optimiser; returns the loss's terms, detached, in the order of `terms`."""
        rate = learning_rate(self.config, self.completed)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train(self.learns_statistics)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            estimate = self.answer(batch)
        loss, terms = self.loss(batch, estimate)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optim.clip)
        self.optimiser.step()
        self.progress.step += 1
        self._follow()
        return [term.detach() for term in terms]

    def answer(self, batch: Batch) -> Estimate:
        """What the network says of a batch."""
        estimate: Estimate = self.model(batch.hazy.contiguous(memory_format=torch.channels_last))
        return estimate

    def fetch(self) -> Iterator[Batch]:
        """The batches from the next step on."""
        return batches(self.samples, self.progress.step, self._completed_at)

    def loss(self, batch: Batch, estimate: Estimate) -> tuple[Tensor, Sequence[Tensor]]:
        """What a step lowers, and its terms in the order of `terms`; where a run of another kind says more."""
        terms = loss_terms(batch, estimate)
        return total(terms, self.config.loss), terms

    @property
    def decay(self) -> float:
        """What the average keeps of itself in this step; early on less, so that it forgets the start."""
        return min(self.config.optim.average, (1.0 + self.progress.step) / (10.0 + self.progress.step))

    def save(self) -> None:
        """Writes the checkpoint."""
        path = self.out / CHECKPOINT
        save_checkpoint(path, self.config.network, self.model, self.average, self.optimiser, self.progress)
        self._saved = self.progress.seconds

    def _build(self, start: Path | None) -> Estimator | AODNet:
        """The network as large as the checkpoint that is resumed or started from, which pruning may have narrowed."""
        resumed = self.out / CHECKPOINT
        name = self.config.network
        if resumed.is_file():
            return build_any(name, read_size(resumed, name))
        return build_any(name, read_size(start, name, start=True) if start is not None else None)

    def _prepare(self) -> None:
        self._half = self.config.amp == "bf16" or (self.config.amp == "auto" and self.device.type == "cuda")
        if self.device.type == "cpu":
            torch.set_num_threads(self.config.threads or os.cpu_count() or 1)
        cv2.setNumThreads(1)
        torch.backends.cudnn.benchmark = True
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"folder {self.out} cannot be made: {error.strerror}") from error

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the average towards the weights."""
        kept = [value for value in self.average.state_dict().values() if value.is_floating_point()]
        fresh = [value for value in self.model.state_dict().values() if value.is_floating_point()]
        torch._foreach_lerp_(kept, fresh, 1.0 - self.decay)

    def _keep_up(self, on_score: Callable[[Scores], None] | None) -> None:
        every = self.config.validate_steps
        if every and self.progress.step % every == 0 and self.progress.step < self.config.steps:
            self._score(on_score)
        if self.progress.seconds - self._saved >= 60.0 * self.config.checkpoint_minutes:
            self.save()
            draw_curves(self.out)

    def _score(self, on_score: Callable[[Scores], None] | None) -> None:
        if not self.validation:
            return
        scores = score(self.average, self.validation)
        self.progress.best = max(self.progress.best, scores.psnr)
        log.info(
            "step %d: %.2f dB (untouched %.2f), t error %.3f, A error %.3f, clear %.1f dB, density %.3f | %.3f",
            self.progress.step, *_values(scores),
        )  # fmt: skip
        self._append(SCORES, ("step", *scores.__slots__), (self.progress.step, *_values(scores)))
        write_sheet(self.out / "sheet.png", restored(self.average, self.validation[:SHOWN]))
        draw_curves(self.out)
        if on_score is not None:
            on_score(scores)

    def _report(self, means: Tensor) -> None:
        values = [float(value) for value in means]
        done, seconds = self.completed, self.progress.seconds
        log.info(
            "step %d (%.0f %%), %.0f s, %.0f s to go: t %.4f A %.4f picture %.4f %.2f dB structure %.3f gate %.3f",
            self.progress.step, 100 * done, seconds, seconds / max(done, 1e-6) - seconds, *values[:3],
            -10 / math.log(10) * values[3], *values[4:6],
        )  # fmt: skip
        rate = self.optimiser.param_groups[0]["lr"]
        row = (self.progress.step, round(seconds, 2), rate, *values)
        self._append(CURVES, ("step", "seconds", "rate", *self.terms), row)

    def _append(self, name: str, head: tuple[str, ...], row: tuple[float, ...]) -> None:
        path = self.out / name
        try:
            new = not path.exists()
            with path.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([head, row] if new else [row])
        except OSError as error:
            raise SinkError(f"curves {path} cannot be written: {error.strerror}") from error


def _values(scores: Scores) -> tuple[float, ...]:
    return tuple(float(getattr(scores, name)) for name in scores.__slots__)


def learning_rate(config: Config, done: float) -> float:
    """The rate when that share of the run is done: a linear warm-up, then half a cosine."""
    optim = config.optim
    if done < optim.warmup:
        return optim.rate * max(done / optim.warmup, 0.01)
    way = (done - optim.warmup) / max(1.0 - optim.warmup, 1e-6)
    return optim.last + (optim.rate - optim.last) * 0.5 * (1.0 + math.cos(math.pi * min(way, 1.0)))


def _groups(model: nn.Module, decay: float) -> list[dict[str, object]]:
    """Weight decay for what multiplies features, none for biases and normalisation."""
    heavy = [value for value in model.parameters() if value.ndim > 1]
    light = [value for value in model.parameters() if value.ndim <= 1]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]
