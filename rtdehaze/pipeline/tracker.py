"""The haze of picture after picture: motion followed, haze estimated or carried along, smoothed over time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rtdehaze.core.errors import UsageError
from rtdehaze.core.haze import Haze, Map
from rtdehaze.stages.estimate.estimator import Estimator
from rtdehaze.stages.estimate.memory import Memory
from rtdehaze.stages.smooth.smoother import HazeSmoother

__all__ = ["HazeTracker", "Tracked"]


@dataclass(frozen=True, slots=True)
class Tracked:
    """What is known of the haze of one picture."""

    haze: Haze
    """Smoothed over time."""
    carried: bool
    """Whether it was moved along from the picture before, instead of estimated."""
    cut: bool
    """Whether this picture shows another scene than the one before."""


class HazeTracker:
    """Keeps track of one video's haze; used by one thread at a time.

    Args:
        smoothing: 0 to 1, time constant of the haze map in seconds.
        every: 1 or more: the haze of every n-th picture is estimated, and of the first after a cut.
        aside: Whether motion is followed in a thread of its own while the model estimates. The answer comes sooner
            where a core is free, and not otherwise. A model with a memory must know of cuts first, and waits.

    Raises:
        UsageError: A value is out of its range.
    """

    def __init__(self, *, smoothing: float, every: int = 1, aside: bool = False) -> None:
        self.every = every
        self._smoother = HazeSmoother(smoothing)
        self._memory = Memory()
        self._moved = 0
        self._aside = ThreadPoolExecutor(1, "rtdehaze-motion") if aside else None

    @property
    def every(self) -> int:
        """The haze of every n-th picture is estimated; may be set at any time, from any thread.

        Raises:
            UsageError: It is set to less than 1.
        """
        return self._every

    @every.setter
    def every(self, every: int) -> None:
        if every < 1:
            raise UsageError(f"every must be 1 or more pictures, not {every}")
        self._every = every

    def smooth_over(self, seconds: float) -> None:
        """Changes the time constant between two pictures; what is known is kept."""
        self._smoother.seconds = seconds

    def update(self, estimator: Estimator, thumbnail: Map, time: float) -> Tracked:
        """Takes the next picture.

        Args:
            estimator: The model; always the same one.
            thumbnail: (3, h, w), RGB in [0, 1].
            time: When it was taken, in seconds.

        Raises:
            ModelError: The model failed.
        """
        due = self._moved + 1 >= self._every
        if due and self._aside is not None and not estimator.card.state:
            following = self._aside.submit(self._smoother.follow, thumbnail, time)
            try:
                estimate = estimator.estimate(thumbnail)
            finally:
                cut = following.result()
            return self._estimated(estimate, cut)
        # A cut is seen in the picture, before a model that remembers takes the new scene for the old one.
        cut = self._smoother.follow(thumbnail, time)
        if cut:
            self._memory.forget()
        carried = None if due else self._smoother.carry()
        if carried is None:
            return self._estimated(estimator.estimate(thumbnail, self._memory), cut)
        self._moved += 1
        return Tracked(carried, True, cut)

    def reset(self) -> None:
        """Forgets everything about the pictures so far."""
        self._smoother.reset()
        self._memory.forget()

    def close(self) -> None:
        """Ends the thread; safe to call twice."""
        if self._aside is not None:
            self._aside.shutdown()

    def _estimated(self, estimate: Haze, cut: bool) -> Tracked:
        self._moved = 0
        return Tracked(self._smoother.smooth(estimate), False, cut)
