"""The models that are scored, each as users run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.haze import Haze
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.threads import plan_threads
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.smooth.gate import Gate

__all__ = ["Contender", "Settings", "open_contenders"]

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the models are run and how much is looked at."""

    provider: str = "auto"
    strength: float = 100.0
    exposure: bool = True
    """Whether dim results are brightened, as `rtdehaze run` does."""
    smoothing: float = 0.5
    """Seconds, for clips and real videos."""
    frames: int = 50
    """Frames that are read of a clip, at most."""
    limit: int | None = None
    """Pictures or clips of a domain, spread evenly over it; None takes all."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a model made of a picture with the gate off."""

    picture: Picture
    haze: Haze


class Contender:
    """A model, open, under the name that the tables give it."""

    def __init__(self, label: str, estimator: Estimator, settings: Settings) -> None:
        self.label = label
        self.estimator = estimator
        self._settings = settings
        self._single = self.dehazer(0.0)

    def dehazer(self, smoothing: float) -> Dehazer:
        """Returns a dehazer for one clip, its gate off: what is scored is the model, not its silence."""
        return Dehazer(
            self.estimator,
            mode=Mode.MANUAL,
            strength=self._settings.strength,
            smoothing=smoothing,
            exposure=self._settings.exposure,
            threads=plan_threads().recompose,
        )

    def restore(self, picture: Picture) -> Restored:
        """Dehazes one picture, (H, W, 3) RGB, by itself."""
        self._single.reset()
        restored = self._single.process(picture)
        haze = self._single.haze
        assert haze is not None  # noqa: S101 - mode manual estimates every picture
        return Restored(restored, haze)

    def calls_hazy(self, density: float) -> bool | None:
        """What the gate says of a single picture, as `rtdehaze run` asks it; None for a model without one."""
        limits = self.estimator.card.gate
        if limits is None:
            return None
        return Gate(limits.hazy_above, limits.clear_below, 0.0).update(density, 0.0) > 0.0


def open_contenders(models: Sequence[str], settings: Settings) -> list[Contender]:
    """Opens the models.

    Args:
        models: Names of shipped models or paths of .onnx files, each once.
        settings: As for the evaluation.

    Raises:
        UsageError: No such model or provider.
        ModelError: A model is broken, or the provider did not open.
    """
    threads = plan_threads().inference
    given = list(dict.fromkeys(models))
    opened = [open_estimator(model, provider=settings.provider, threads=threads) for model in given]
    names = [estimator.name for estimator in opened]
    # Two runs of one network have one name; then the file's says which is which.
    labels = [
        name if names.count(name) == 1 else (str(Path(model).with_suffix("")) if name != model else name)
        for name, model in zip(names, given, strict=True)
    ]
    return [Contender(label, estimator, settings) for label, estimator in zip(labels, opened, strict=True)]
