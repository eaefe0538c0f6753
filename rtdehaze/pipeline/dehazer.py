"""The arithmetic of one frame: shrink, estimate, smooth over time, decide, recompose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.frame import Frame
from rtdehaze.core.haze import Haze, Map
from rtdehaze.core.options import Mode, Provider, parse_choice
from rtdehaze.pipeline.arrays import check_picture
from rtdehaze.pipeline.choices import Choices, Glide
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.threads import plan_threads
from rtdehaze.pipeline.tracker import HazeTracker
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.thumbnail import thumbnail_of, thumbnail_of_rgb
from rtdehaze.stages.recompose.compare import Comparison
from rtdehaze.stages.recompose.exposure import ExposureKeeper
from rtdehaze.stages.recompose.keep import KeepMask
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.stages.recompose.removal import plan_removal
from rtdehaze.stages.smooth.gate import Gate

__all__ = ["Dehazer"]

_NOMINAL_INTERVAL_S = 1 / 25
"""Time between pictures where the caller of `Dehazer.process` names none."""

_GATE_S = 0.5
"""The gate's ramp, and that of a change: slower looks like a lag when fog begins, faster like a switch."""

_EXPOSURE_RATIO = 2.0
"""The exposure's time constant over the map's: brightness that breathes is seen before haze that does."""


class Dehazer:
    """Removes haze from pictures that follow each other in time; keeps its state between them.

    Not for several videos at once: give each a dehazer of its own. `process` takes arrays; the pipeline calls
    `decide` and `apply` with YUV frames, each from a thread of its own.

    Args:
        estimator: The model, opened; None only in mode `off`.
        mode: When haze is removed.
        strength: 0 to 100, the share of the haze's optical depth that is removed, in percent.
        smoothing: 0 to 1, time constant of the haze map in seconds.
        every: 1 or more: the haze of every n-th picture is estimated, and of the first after a cut; with the others
            the map is moved along. Without smoothing there is nothing to move: all are estimated.
        exposure: Whether pictures that come out dim are brightened.
        keep: What is to be left untouched; `Dehazer.keep` may be set between two frames, for another size.
        comparison: How input and output share the picture that `apply` writes; None writes the output alone.
        threads: Threads of recomposition.
        aside: Whether motion is followed in a thread of its own, see `HazeTracker`.

    Raises:
        UsageError: A value is out of its range.
    """

    def __init__(
        self,
        estimator: Estimator | None,
        *,
        mode: Mode = Mode.AUTO,
        strength: float = 100.0,
        smoothing: float = 0.5,
        every: int = 1,
        exposure: bool = True,
        keep: KeepMask | None = None,
        comparison: Comparison | None = None,
        threads: int = 1,
        aside: bool = False,
    ) -> None:
        self._choices = self._followed = Choices(mode, strength, smoothing)
        self._choices.check_model(estimator is not None)
        self._estimator = estimator
        self._tracker = HazeTracker(smoothing=smoothing, every=every, aside=aside)
        self._glide = Glide(_GATE_S)
        self.keep = keep
        self._comparison = comparison
        self._exposure = ExposureKeeper(_EXPOSURE_RATIO * smoothing) if exposure else None
        self._gate: Gate | None = None
        if estimator is not None and estimator.card.gate is not None:
            self._gate = Gate(estimator.card.gate.hazy_above, estimator.card.gate.clear_below, _GATE_S)
        self._recomposer = Recomposer(threads=threads)
        self._haze: Haze | None = None
        self._time: float | None = None

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        mode: Mode | str = Mode.AUTO,
        strength: float = 100.0,
        smoothing: float = 0.5,
        every: int = 1,
        exposure: bool = True,
        provider: Provider | str = Provider.AUTO,
        threads: int | None = None,
    ) -> Dehazer:
        """Opens a model and makes a dehazer of it.

        Args:
            model: Name of a shipped model or path of an .onnx file; None takes the default model.
            mode: `off`, `auto` (a clear picture comes out as it went in) or `manual` (always).
            strength: 0 to 100.
            smoothing: 0 to 1 seconds; 0 takes every picture by itself.
            every: The haze of every n-th picture is estimated.
            exposure: Whether pictures that come out dim are brightened.
            provider: `auto`, `cpu`, `cuda` or `tensorrt`.
            threads: Cores to use; None takes those that the process may run on.

        Raises:
            UsageError: No such model, mode or provider, or a value is out of its range.
            ModelError: The model is broken, or the provider that was asked for did not open.
        """
        plan = plan_threads(threads)
        mode = parse_choice(Mode, "mode", mode)
        estimator = None
        if mode is not Mode.OFF:
            provider = parse_choice(Provider, "provider", provider)
            estimator = open_estimator(model or DEFAULT_MODEL, provider=provider.value, threads=plan.inference)
        return cls(
            estimator,
            mode=mode,
            strength=strength,
            smoothing=smoothing,
            every=every,
            exposure=exposure,
            threads=plan.recompose,
            aside=plan.aside,
        )

    @property
    def haze(self) -> Haze | None:
        """Transmission, airlight and density of the last picture; None before the first one and in mode `off`."""
        return self._haze

    @property
    def every(self) -> int:
        """The haze of every n-th picture is estimated; may be set at any time, from any thread.

        Raises:
            UsageError: It is set to less than 1.
        """
        return self._tracker.every

    @every.setter
    def every(self, every: int) -> None:
        self._tracker.every = every

    def change(
        self, *, mode: Mode | str | None = None, strength: float | None = None, smoothing: float | None = None
    ) -> None:
        """Changes what is done from the next picture on; what is removed glides there within half a second.

        May be called from any thread; what is known of the scene is kept.

        Args:
            mode: As in `load`; None leaves it, and so do the others.
            strength: 0 to 100.
            smoothing: 0 to 1 seconds.

        Raises:
            UsageError: A value is out of its range, or the mode needs a model and none was loaded.
        """
        before = self._choices
        choices = Choices(
            before.mode if mode is None else parse_choice(Mode, "mode", mode),
            before.strength if strength is None else strength,
            before.smoothing if smoothing is None else smoothing,
        )
        choices.check_model(self._estimator is not None)
        self._choices = choices

    @property
    def estimator(self) -> Estimator | None:
        """The model in use; None where none was loaded."""
        return self._estimator

    def process(
        self, picture: NDArray[np.uint8], *, order: Literal["rgb", "bgr"] = "rgb", time: float | None = None
    ) -> NDArray[np.uint8]:
        """Removes the haze from the next picture.

        Args:
            picture: H x W x 3, uint8; left as it is.
            order: Order of the three channels, in and out; OpenCV's is `bgr`.
            time: When the picture was taken, in seconds on any clock that runs forward; None takes 1/25 s after the
                one before.

        Returns:
            A new picture of the same shape.

        Raises:
            UsageError: The picture is not such an array, or the order is neither.
            ModelError: The model failed.
        """
        check_picture(picture, order)
        if time is None:
            time = 0.0 if self._time is None else self._time + _NOMINAL_INTERVAL_S
        self._time = time
        if self._estimator is None:
            return picture.copy()
        height, width = picture.shape[:2]
        thumbnail = thumbnail_of_rgb(picture, order, *self._estimator.thumbnail_size(width, height))
        decision = self._decide(self._estimator, thumbnail, time)
        if decision.removal is None:
            return picture.copy()
        return self._recomposer.apply_rgb(picture, decision.removal, order=order)

    def reset(self) -> None:
        """Forgets everything about the pictures so far."""
        self._tracker.reset()
        self._forget_scene()
        self._glide.stop()
        self._haze = None
        self._time = None

    def close(self) -> None:
        """Ends the threads; the dehazer can no longer be used. Safe to call twice."""
        self._tracker.close()
        self._recomposer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def decide(self, frame: Frame) -> Decision:
        """Estimates and smooths the haze of the next frame and says what is to be removed."""
        if self._estimator is None:
            return Decision(None, None)
        thumbnail = thumbnail_of(frame, *self._estimator.thumbnail_size(frame.width, frame.height))
        keep = self.keep
        if keep is not None:
            thumbnail = keep.fill(thumbnail)
        decision = self._decide(self._estimator, thumbnail, frame.time)
        return replace(decision, keep=keep, brightness=float(thumbnail.mean()))

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Writes the clear picture of `frame` into `out`, or both where a comparison was asked for."""
        left = self._comparison.left(frame.width) if self._comparison is not None else 0
        self._recomposer.apply(frame, decision.removal, out, left=left)
        if decision.keep is not None and decision.removal is not None:
            decision.keep.restore(frame, out, left=left)
        if self._comparison is not None:
            self._comparison.draw(frame, out)

    def _decide(self, estimator: Estimator, thumbnail: Map, time: float) -> Decision:
        choices = self._choices  # another thread may change it
        if choices is not self._followed:
            self._follow(choices, time)
        tracked = self._tracker.update(estimator, thumbnail, time)
        if tracked.cut:
            self._forget_scene()
        haze = self._haze = tracked.haze
        weight = self._gate.update(haze.density, time) if self._gate is not None else 1.0
        if choices.mode is Mode.MANUAL:
            weight = 1.0
        share = self._glide.towards(choices.share * weight, time)
        removal = plan_removal(haze, strength=share, guide=thumbnail)
        if removal is not None and self._exposure is not None:
            removal = self._exposure.give_back(removal, time)
        return Decision(haze, removal, weight, carried=tracked.carried)

    def _follow(self, choices: Choices, time: float) -> None:
        self._followed = choices
        self._glide.begin(time)
        self._tracker.smooth_over(choices.smoothing)
        if self._exposure is not None:
            self._exposure.seconds = _EXPOSURE_RATIO * choices.smoothing

    def _forget_scene(self) -> None:
        if self._gate is not None:
            self._gate.reset()
        if self._exposure is not None:
            self._exposure.reset()
