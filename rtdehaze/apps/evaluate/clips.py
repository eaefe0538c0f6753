"""Scores on hazy videos whose clear truth is known: fidelity, and how steady they are along the motion."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.drive import yuv_frame
from rtdehaze.apps.evaluate.contenders import Contender, Settings
from rtdehaze.apps.evaluate.domains import Domain
from rtdehaze.apps.evaluate.gallery import Gallery
from rtdehaze.apps.evaluate.generated import generated_drives
from rtdehaze.apps.evaluate.results import HIGHEST_PSNR, UNTOUCHED, DomainResult, Item, Measure, Scores, mean_scores
from rtdehaze.apps.evaluate.selection import spread
from rtdehaze.apps.frames import empty_frame, rgb_of
from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.measure.fidelity import psnr
from rtdehaze.measure.flicker import jitter, warping_error
from rtdehaze.measure.motion import estimated_motion
from rtdehaze.measure.pairs import CLEAR_FOLDERS
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.capture.source import open_source
from rtdehaze.synth.drive import FoggyDrive

__all__ = ["MEASURES", "score_clips"]

Picture = NDArray[np.uint8]
Motion = tuple[NDArray[np.float32], NDArray[np.bool_]]

CLEAR = "clear"
"""The column of the truth, which is not without warping error itself."""

_SINGLE = "_single"
"""Ends the keys of what is measured frame by frame, without smoothing over time."""

MEASURES = (
    Measure("psnr", "PSNR", "mean over the frames, gate off", 2, "dB", "up"),
    Measure("psnr_single", "PSNR, frame by frame", "the same without smoothing over time", 2, "dB", "up"),
    Measure("warping", "warping error", "x 1000: mean squared change along the motion, RGB summed", 3, "", "down"),
    Measure("warping_single", "warping error, frame by frame", "the same without smoothing over time", 3, "", "down"),
    Measure("warping_ratio", "warping error / clear", "over the clear clip's own; 1 is as steady", 2, "", "down"),
    Measure("warping_ratio_single", "ratio, frame by frame", "the same without smoothing over time", 2, "", "down"),
    Measure("flicker", "flicker", "levels of 255: mean change of the error along the motion", 3, "", "down"),
    Measure("flicker_single", "flicker, frame by frame", "the same without smoothing over time", 3, "", "down"),
)


@dataclass(frozen=True, slots=True)
class _Clip:
    name: str
    moments: Callable[[], Iterator[tuple[Frame, Picture, Motion | None]]]
    """Hazy frame, clear picture, and the motion since the frame before; None for the first frame of a scene."""


@dataclass(slots=True)
class _Track:
    """One version of the clip, frame after frame."""

    dehazer: Dehazer | None
    """None leaves the frames as they are."""
    before: Picture | None = None
    error_before: NDArray[np.float32] | None = None
    fidelity: list[float] = field(default_factory=list)
    warping: list[float] = field(default_factory=list)
    flicker: list[float] = field(default_factory=list)

    def watch(self, frame: Frame, clear: Picture, motion: Motion | None) -> Picture:
        """Takes the next frame and returns what came out."""
        if self.dehazer is None:
            shown = rgb_of(frame)
        else:
            out = empty_frame(frame)
            self.dehazer.apply(frame, self.dehazer.decide(frame), out)
            shown = rgb_of(out)
        self.measure(shown, clear, motion)
        return shown

    def measure(self, shown: Picture, clear: Picture, motion: Motion | None) -> None:
        """Compares with the truth, and with the frame before along the motion."""
        error = shown.astype(np.float32) - clear
        self.fidelity.append(min(HIGHEST_PSNR, psnr(shown, clear)))
        if motion is not None and self.before is not None and self.error_before is not None:
            levels = np.float32(255)
            self.warping.append(1000 * warping_error(shown / levels, self.before / levels, *motion))
            self.flicker.append(jitter(error, self.error_before, *motion))
        self.before, self.error_before = shown, error

    def scores(self, ending: str = "") -> dict[str, float]:
        """Means over the frames."""
        lists = {"psnr": self.fidelity, "warping": self.warping, "flicker": self.flicker}
        return {f"{key}{ending}": _mean(values) for key, values in lists.items()}


def score_clips(
    domain: Domain,
    contenders: Sequence[Contender],
    settings: Settings,
    gallery: Gallery,
    on_progress: Callable[[int, int], None],
) -> DomainResult:
    """Scores every clip of a domain, smoothed over time and frame by frame.

    Raises:
        SourceError: The folder holds no clips, or not one that can be used.
    """
    clips, skipped = _generated(settings) if domain.generated else _of_folder(domain.folder, settings)
    items: list[Item] = []
    for number, clip in enumerate(clips):

        def step(done: int, at: int = number) -> None:
            on_progress(at * settings.frames + done, len(clips) * settings.frames)

        try:
            items.append(_score(clip, contenders, settings, gallery, step))
        except SourceError as error:
            skipped.append(str(error))
        step(settings.frames)
    if not items:
        raise SourceError(f"{domain.source}: no clip can be used: {'; '.join(skipped[:3]) or 'there is none'}")
    methods = (UNTOUCHED, CLEAR, *(contender.label for contender in contenders))
    return DomainResult(
        domain, MEASURES, "psnr", methods, items, mean_scores(items, MEASURES), skipped, scenes=gallery.scenes()
    )


def _score(
    clip: _Clip, contenders: Sequence[Contender], settings: Settings, gallery: Gallery, step: Callable[[int], None]
) -> Item:
    hazy, truth = _Track(None), _Track(None)
    smoothed = {one.label: _Track(one.dehazer(settings.smoothing)) for one in contenders}
    single = {one.label: _Track(one.dehazer(0.0)) for one in contenders}
    panels: list[tuple[str, Picture]] = []
    for number, (frame, clear, motion) in enumerate(clip.moments(), 1):
        before = hazy.watch(frame, clear, motion)
        truth.measure(clear, clear, motion)
        after = {label: track.watch(frame, clear, motion) for label, track in smoothed.items()}
        for track in single.values():
            track.watch(frame, clear, motion)
        panels = [("hazy", before), *after.items(), ("truth", clear)]
        step(number)
    if not panels:
        raise SourceError(f"{clip.name}: there is no frame in it")
    calm = _mean(truth.warping)
    scores: dict[str, Scores] = {UNTOUCHED: hazy.scores(), CLEAR: {"warping": calm}}
    for label in smoothed:
        own = smoothed[label].scores() | single[label].scores(_SINGLE)
        for ending in ("", _SINGLE):
            own[f"warping_ratio{ending}"] = own[f"warping{ending}"] / calm if calm else math.nan
        scores[label] = own
    gallery.offer(clip.name, {label: scores[label]["psnr"] for label in smoothed}, lambda: panels)
    return Item(clip.name, scores)


def _generated(settings: Settings) -> tuple[list[_Clip], list[str]]:
    def moments(drive: FoggyDrive) -> Iterator[tuple[Frame, Picture, Motion | None]]:
        for number, made in enumerate(drive):
            frame = yuv_frame(made.hazy, number, 1 / Fraction(drive.fps).limit_denominator(1001))
            yield frame, made.clear, drive.motion(number) if number else None

    drives = generated_drives(settings.frames, settings.limit)
    return [_Clip(name, partial(moments, drive)) for name, drive in drives], []


def _of_folder(folder: Path, settings: Settings) -> tuple[list[_Clip], list[str]]:
    truth = next((folder / name for name in CLEAR_FOLDERS if (folder / name).is_dir()), None)
    if truth is None or not (folder / "hazy").is_dir():
        missing = "hazy" if truth is not None else "clear (or gt)"
        raise SourceError(f"{folder} holds no folder named {missing}; clips are hazy/NAME and clear/NAME")
    partners = {path.stem: path for path in truth.iterdir() if not path.name.startswith(".")}
    hazy = sorted(path for path in (folder / "hazy").iterdir() if not path.name.startswith("."))
    clips, alone = [], []
    for path in spread(hazy, settings.limit):
        partner = partners.get(path.stem)
        if partner is None:
            alone.append(f"{path.name} has no clear partner")
        else:
            clips.append(_Clip(path.name, partial(_moments, path, partner, settings.frames)))
    return clips, alone


def _moments(hazy: Path, clear: Path, frames: int) -> Iterator[tuple[Frame, Picture, Motion | None]]:
    """Frames of two videos side by side; where nobody knows the motion it is taken from the clear one."""
    with open_source(hazy) as first, open_source(clear) as second:
        sizes = [(source.video.width, source.video.height) for source in (first, second)]
        if sizes[0] != sizes[1]:
            (width, height), (other_width, other_height) = sizes
            raise SourceError(f"{hazy.name} is {width}x{height}, its partner {other_width}x{other_height}")
        before: Picture | None = None
        for frame, truth in islice(zip(_frames(first.items()), _frames(second.items()), strict=False), frames):
            now = rgb_of(truth)
            yield frame, now, None if before is None else estimated_motion(now, before)
            before = now


def _frames(items: Iterator[object]) -> Iterator[Frame]:
    return (item for item in items if isinstance(item, Frame))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
