"""Fine-tuning on real haze without truth: a student learns from its own moving average, held to what is known.

Half of every step is labelled as in training. In the other half the averaged network, asked in several views, says what
it thinks of a real picture, and the student must say the same of a view that is cropped, retoned, noisier, compressed
and has more haze in front; of all that the effect on transmission and airlight is known (`views.py`). Collapse does not
pay: a network that calls everything clear contradicts itself as soon as haze is added. Now and then the average is
held against labelled pairs (`guard.py`): where it has lost, the run goes back to its best and goes on more slowly.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from rtdehaze.core.errors import SourceError, UsageError
from rtdehaze.train.checkpoint import Progress, load_estimator, load_weights, save_weights
from rtdehaze.train.config import Config, OptimConfig, StageConfig
from rtdehaze.train.data import Batch
from rtdehaze.train.guard import Guard, pairs_of, split
from rtdehaze.train.loop import CHECKPOINT, Trainer
from rtdehaze.train.losses import Terms, loss_terms, total
from rtdehaze.train.networks import Estimate, Estimator
from rtdehaze.train.real import Real
from rtdehaze.train.scenes import Scene
from rtdehaze.train.teacher import Views, ask, collate, target_of
from rtdehaze.train.unlabelled import UnlabelledTerms, UnlabelledWeights, unlabelled_terms, weighted
from rtdehaze.train.validate import Pair, thumbnail_size
from rtdehaze.train.views import Known, make_view

__all__ = ["BEST", "Adapter", "Plan", "survey", "trial"]

log = logging.getLogger("rtdehaze.train")

BEST = "best.safetensors"
STEPS = 3000
TRIED = 32
"""Real pictures that every check looks at."""
TRIAL_SIZES = ((144, 192), (192, 144))
"""(height, width) of the views of wide and of tall pictures in a check."""
TRIAL_BATCH = 8
OPTIM = OptimConfig(rate=1.5e-4, last=2e-6, warmup=0.1, average=0.995)
"""A tenth of training's rate: what is known must not be forgotten."""
STAGES = (StageConfig(1.0, 4, ((192, 256), (192, 256), (176, 256), (256, 176), (144, 256))),)
"""The sizes that networks are run at, so that nothing is lost there by practising on smaller ones."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an adaptation does besides what a training run does."""

    unlabelled: int = 4
    """Real pictures in a step."""
    weight: float = 1.0
    """Of the unlabelled half, as a multiple of the labelled one's."""
    weights: UnlabelledWeights = field(default_factory=UnlabelledWeights)
    check_steps: int = 100
    """Steps between two checks against the guard."""
    rollbacks: int = 4
    """Falls after which the run ends."""
    tolerance: float = 0.1
    """dB of labelled PSNR that may be lost."""
    clear_tolerance: float = 1.0
    """dB that clear pictures may fare worse."""

    def configure(self, config: Config, network: str) -> Config:
        """The run's configuration: data, haze, losses and seed as given, the rest as fine-tuning wants it."""
        return dataclasses.replace(
            config, network=network, steps=STEPS, stages=STAGES, optim=OPTIM, validate_steps=0, amp="off"
        )


class Adapter(Trainer):
    """One adaptation.

    Args:
        plan: How.
        config: What `Plan.configure` made.
        scenes: Labelled scenes; a few are held out for the guard.
        real: Pictures without truth.
        out: Folder of the run; a checkpoint in it is resumed.
        start: The checkpoint to adapt.
        minutes: Budget, as in training.
        validation: More pairs for the guard.

    Raises:
        UsageError: `out` holds a run of another kind.
        SourceError: Too few scenes.
        SinkError: The folder cannot be made.
        ModelError: A checkpoint is broken or of another network.
    """

    terms = (*Terms._fields, *(f"real_{name}" for name in UnlabelledTerms._fields))
    # Two kinds of pictures in turn: statistics that follow one would be wrong for the other.
    learns_statistics = False

    def __init__(
        self, plan: Plan, config: Config, scenes: Sequence[Scene], real: Sequence[Real], out: Path, *, start: Path,
        minutes: float | None = None, validation: Sequence[Pair] = (),
    ) -> None:  # fmt: skip
        if len(scenes) < 2:
            raise SourceError(f"{len(scenes)} labelled pictures: one to learn from and one to be held to are needed")
        self.plan = plan
        learned, held = split(scenes, config.seed)
        self.start = load_estimator(start, config.network)
        super().__init__(config, learned, out, minutes=minutes, start=start)
        if self.progress.step and "checks" not in self.progress.notes:
            raise UsageError(f"{out / CHECKPOINT} is of a training run, not of an adaptation; choose another --out")
        self.start.to(self.device)
        sets: dict[str, Sequence[Pair]] = {"held-out scenes": pairs_of(held, config)}
        if validation:
            sets["validation"] = validation
        self.guard = Guard(sets, plan.tolerance, plan.clear_tolerance)
        self.known = survey(self.start, real)
        self._slow_down()

    @property
    def decay(self) -> float:
        """What the teacher keeps of itself: much from the first step, as it begins with what is known."""
        return self.config.optim.average

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Every check so far: step, scores, the real pictures' terms and their sum, whether it was kept, or why not."""
        return list(self.progress.notes.setdefault("checks", []))

    def run(self, steps: int | None = None, on_score: Any = None) -> Progress:
        """Adapts until the schedule, the budget or the guard ends it; see `Trainer.run`."""
        self._check_if_due()
        done = super().run(steps, on_score)
        if self.completed >= 1.0 and self.checks[-1]["step"] < done.step:
            self._check()
        return done

    def best(self) -> Estimator:
        """The network to keep: the one with the least real terms of those that passed; the start is the first."""
        model = load_estimator(self.out / BEST, self.config.network)
        return model.to(self.device)

    def loss(self, batch: Batch, estimate: Estimate) -> tuple[Tensor, Sequence[Tensor]]:
        """Labelled terms as in training, and the unlabelled ones of as many real pictures."""
        labelled = loss_terms(batch, estimate)
        views = self._views((int(batch.hazy.shape[2]), int(batch.hazy.shape[3])))
        target = target_of(ask(self._teacher, views.weak), views)
        said = self.model(views.strong.contiguous(memory_format=torch.channels_last))
        terms = unlabelled_terms(views, target, said)
        whole = total(labelled, self.config.loss) + self.plan.weight * weighted(terms, self.plan.weights)
        return whole, (*labelled, *terms)

    @property
    def _teacher(self) -> Estimator:
        return cast("Estimator", self.average)

    def _views(self, size: tuple[int, int]) -> Views:
        """The views of this step: a pure function of the seed and the step."""
        rng = np.random.default_rng((self.config.seed, self.progress.step, 17))
        chosen = rng.integers(len(self.known), size=self.plan.unlabelled)
        return collate([make_view(self.known[int(i)], size, rng) for i in chosen], self.device)

    def _completed_at(self, step: int) -> float:
        gave_up = self.progress.notes.get("rollbacks", 0) >= self.plan.rollbacks
        return 1.0 if gave_up else super()._completed_at(step)

    def _keep_up(self, on_score: Any) -> None:
        self._check_if_due()
        super()._keep_up(on_score)

    def _check_if_due(self) -> None:
        checks = self.checks
        if not checks or (self.progress.step % self.plan.check_steps == 0 and checks[-1]["step"] < self.progress.step):
            self._check()

    def _check(self) -> None:
        """Holds the average against the guard; keeps it as the best, or goes back to the best."""
        checks = self.checks
        standing, terms = self.guard.measure(self._teacher), trial(self._teacher, self.known, self.config.seed)
        doubt = float(weighted(UnlabelledTerms(*(torch.tensor(terms[name]) for name in terms)), self.plan.weights))
        faults = self.guard.fallen(checks[0]["standing"], standing) if checks else []
        kept = not faults and all(doubt < check["doubt"] for check in checks if check["kept"])
        if kept:
            save_weights(self.out / BEST, self.config.network, self.average)
        checks.append({"step": self.progress.step, "standing": standing, "real": terms, "doubt": doubt, "kept": kept,
                       "faults": faults})  # fmt: skip
        self.progress.notes["checks"] = checks
        psnr = ", ".join(f"{name} {row['psnr']:.2f} dB" for name, row in standing.items())
        word = "kept" if kept else f"back to the best: {'; '.join(faults)}" if faults else "no better"
        log.info("check at step %d: %s; real pictures %.4f; %s", self.progress.step, psnr, doubt, word)
        if faults:
            self._go_back()
        self.save()

    def _go_back(self) -> None:
        for model in (self.model, self.average):
            load_weights(self.out / BEST, self.config.network, model)
        self.optimiser.state.clear()
        self.progress.notes["rollbacks"] = self.progress.notes.get("rollbacks", 0) + 1
        self._slow_down()

    def _slow_down(self) -> None:
        """Halves the rate for every time that the run had to go back."""
        halvings = 0.5 ** self.progress.notes.get("rollbacks", 0)
        optim = dataclasses.replace(self.config.optim, rate=OPTIM.rate * halvings, last=OPTIM.last * halvings)
        self.config = dataclasses.replace(self.config, optim=optim)


@torch.inference_mode()
def survey(model: Estimator, real: Sequence[Real]) -> list[Known]:
    """Looks once at every real picture: where it is deep, so that more haze can be put there, and what its air is like.

    Args:
        model: In evaluation mode.
        real: At least one.
    """
    device = next(model.parameters()).device
    found = []
    for one in real:
        height, width = thumbnail_size(*one.picture.shape[:2])
        seen = torch.from_numpy(one.picture).to(device).permute(2, 0, 1)[None].float() / 255.0
        small = torch.nn.functional.interpolate(seen, size=(height, width), mode="bilinear", antialias=True)
        said = model(small)
        depth = -torch.log(said.transmission[0, 0]) + 0.02
        depth = depth / depth.median()
        found.append(Known(one.picture, depth.cpu().numpy(), said.airlight[0].cpu().numpy()))
    return found


@torch.inference_mode()
def trial(model: Estimator, known: Sequence[Known], seed: int) -> dict[str, float]:
    """The unlabelled terms of a network that is its own teacher, on the same views whenever it is asked.

    Args:
        model: In evaluation mode.
        known: Real pictures; at most 32, spread over them, are looked at.
        seed: Draws the views.

    Returns:
        Means by the names of `UnlabelledTerms`.
    """
    device = next(model.parameters()).device
    count = min(TRIED, len(known))
    chosen = [known[i * len(known) // count] for i in range(count)]
    sums = np.zeros(len(UnlabelledTerms._fields))
    for upright, size in enumerate(TRIAL_SIZES):
        ones = [one for one in chosen if (one.picture.shape[0] > one.picture.shape[1]) == bool(upright)]
        for first in range(0, len(ones), TRIAL_BATCH):
            rng = np.random.default_rng((seed, first, upright, 19))
            part = collate([make_view(one, size, rng) for one in ones[first : first + TRIAL_BATCH]], device)
            terms = unlabelled_terms(part, target_of(ask(model, part.weak), part), model(part.strong))
            sums += len(part.weak) * np.array([float(term) for term in terms])
    return dict(zip(UnlabelledTerms._fields, (float(value) for value in sums / count), strict=True))
