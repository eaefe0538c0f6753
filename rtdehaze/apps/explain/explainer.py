"""A dehazer that draws what it believes instead of what it restores."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.belief import Belief, belief_of
from rtdehaze.apps.explain.panels import Layout, draw_panels
from rtdehaze.apps.explain.showing import picture_of, turns_of, upright_size, write_rgb
from rtdehaze.apps.explain.views import ViewLayout, draw_view
from rtdehaze.apps.frames import empty_frame
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode, Options
from rtdehaze.core.stream import VideoInfo
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.dehazer import Dehazer

__all__ = ["Explainer", "View"]


class View(StrEnum):
    """What is drawn."""

    PANELS = "panels"
    """All of it, side by side."""
    TRANSMISSION = "transmission"
    DEPTH = "depth"
    GAIN = "gain"
    OVERLAY = "overlay"
    """The picture, coloured by its transmission."""


class Explainer:
    """Stands where `Runner` expects a dehazer: decides as it does, and draws in the place of the clear picture.

    Args:
        dehazer: With a model; its decisions are those of a run.
        options: What the dehazer was made with.
        video: The stream that its frames come from.
        view: What is drawn.
        side: Width of a panel of 16:9, in pixels.

    Raises:
        UsageError: There is nothing to explain, or the panels are too small or too large.
    """

    def __init__(
        self, dehazer: Dehazer, options: Options, video: VideoInfo, view: View = View.PANELS, side: int = 640
    ) -> None:
        if dehazer.estimator is None:
            raise UsageError("mode off estimates nothing that could be explained; choose auto or manual")
        if not 240 <= side <= 3840:
            raise UsageError(f"panel must be 240 to 3840 pixels wide, not {side}")
        self._dehazer, self._options, self._view = dehazer, options, view
        self._gate = dehazer.estimator.card.gate
        self._turns = turns_of(video)
        self._layout = Layout.of(*upright_size(video), side) if view is View.PANELS else None
        self._view_layout = ViewLayout.of(*upright_size(video))
        exposure = "exposure given back" if options.exposure else "exposure left"
        self._about = (
            f"model {dehazer.estimator.name}, mode {options.mode.value}, strength {options.strength:g}",
            f"smoothed over {options.smoothing:g} s, {exposure}" if not video.still else exposure,
        )

    @property
    def size(self) -> tuple[int, int]:
        """The (width, height) of what is drawn, both even."""
        return self._layout.size if self._layout is not None else self._view_layout.size

    def decide(self, frame: Frame) -> Decision:
        """As `Dehazer.decide`."""
        return self._dehazer.decide(frame)

    def belief(self, decision: Decision) -> Belief:
        """What was decided, as maps, upright."""
        if decision.haze is None:
            raise UsageError("nothing was estimated, so there is nothing to explain")
        options = self._options
        always = options.mode is Mode.MANUAL
        belief = belief_of(decision.haze, decision, strength=options.strength, gate=self._gate, always=always)
        return belief.turned(self._turns)

    def draw(self, frame: Frame, decision: Decision) -> NDArray[np.uint8]:
        """Draws a frame and what is believed of it, RGB (H, W, 3) of `size`."""
        belief = self.belief(decision)
        if self._layout is None:
            layout = self._view_layout
            hazy = picture_of(frame, *layout.picture, self._turns)
            return draw_view(self._view.value, layout, hazy, belief).pixels
        clear = empty_frame(frame)
        self._dehazer.apply(frame, decision, clear)
        size = self._layout.picture
        hazy, restored = (picture_of(each, *size, self._turns) for each in (frame, clear))
        return draw_panels(self._layout, hazy, restored, belief, self._about).pixels

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Writes the drawing of `frame` into a planar frame of `size`."""
        write_rgb(self.draw(frame, decision), out)
