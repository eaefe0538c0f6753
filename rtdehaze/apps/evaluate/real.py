"""What can be said of real haze, where nobody knows the truth: beside the untouched picture's own figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.evaluate.contenders import Contender, Settings
from rtdehaze.apps.evaluate.domains import Domain
from rtdehaze.apps.evaluate.gallery import Gallery
from rtdehaze.apps.evaluate.results import UNTOUCHED, DomainResult, Item, Measure, Scores, mean_scores
from rtdehaze.apps.evaluate.selection import spread
from rtdehaze.apps.frames import empty_frame, rgb_of
from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.measure.pairs import PICTURE_SUFFIXES, read_picture
from rtdehaze.measure.visibility import Appearance, appearance, visibility_gain
from rtdehaze.stages.capture.source import open_source

__all__ = ["MEASURES", "score_real"]

Picture = NDArray[np.uint8]

MEASURES = (
    Measure("gradient_ratio", "r", "growth of the gradients on visible edges; 1 is unchanged", 3, "", "up"),
    Measure("edges", "visible edges", "share of pixels on edges of 5 % contrast or more", 2, "%", "up"),
    Measure("new_edges", "e", "visible edges gained over the whole domain, as a share of the untouched", 3, "", "up"),
    Measure("saturated", "saturated", "pixels that became black or white", 3, "%", "down"),
    Measure("dark_channel", "dark channel", "mean, 0 to 1; what haze is left raises it, so does sky", 3, "", "down"),
    Measure("colourfulness", "colourfulness", "15 slight, 45 quite, 80 high; haze lowers it", 1),
    Measure("brightness", "brightness", "mean luma of 255; far below the untouched is dim", 1),
    Measure("density", "density", "mean haze density that the model found, 0 to 1", 3),
    Measure("called_hazy", "called hazy", "share of the pictures; the others rtdehaze run leaves as they are", 3),
)

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ts", ".webm"})

EVERY = 10
"""Frames of a video from one that is measured to the next."""


def score_real(
    domain: Domain,
    contenders: Sequence[Contender],
    settings: Settings,
    gallery: Gallery,
    on_progress: Callable[[int, int], None],
) -> DomainResult:
    """Measures every photograph and video of a folder and its sub-folders, gate off.

    Raises:
        SourceError: There is none, or not one that can be read.
    """
    known = PICTURE_SUFFIXES | VIDEO_SUFFIXES
    files = spread(sorted(path for path in domain.folder.rglob("*") if path.suffix.lower() in known), settings.limit)
    items: list[Item] = []
    skipped: list[str] = []
    for number, path in enumerate(files, 1):
        moments = (
            _video(path, contenders, settings) if path.suffix.lower() in VIDEO_SUFFIXES else _photo(path, contenders)
        )
        name = path.relative_to(domain.folder).as_posix()
        try:
            items.append(_score(name, moments, contenders, gallery))
        except SourceError as error:
            skipped.append(str(error))
        on_progress(number, len(files))
    if not items:
        raise SourceError(
            f"{domain.source}: no photograph or video can be used: {'; '.join(skipped[:3]) or 'none there'}"
        )
    means = mean_scores(items, MEASURES)
    for contender in contenders:
        # Over all pictures: in dense fog the share of a single one is a share of almost nothing.
        own, untouched = means[contender.label], means[UNTOUCHED]["edges"]
        own["new_edges"] = own["edges"] / untouched - 1.0 if untouched else float("nan")
    methods = (UNTOUCHED, *(contender.label for contender in contenders))
    return DomainResult(domain, MEASURES, "gradient_ratio", methods, items, means, skipped, scenes=gallery.scenes())


Moment = tuple[Picture, dict[str, tuple[Picture, float]]]
"""A picture, and what each model made of it with the density that it found."""


def _photo(path: Path, contenders: Sequence[Contender]) -> Iterator[Moment]:
    picture = read_picture(path)
    results = {contender.label: contender.restore(picture) for contender in contenders}
    yield picture, {label: (result.picture, result.haze.density) for label, result in results.items()}


def _video(path: Path, contenders: Sequence[Contender], settings: Settings) -> Iterator[Moment]:
    """Every tenth frame, all of them dehazed in order and smoothed over time."""
    dehazers = {contender.label: contender.dehazer(settings.smoothing) for contender in contenders}
    with open_source(path) as source:
        frames = (item for item in source.items() if isinstance(item, Frame))
        for number, frame in enumerate(islice(frames, settings.frames)):
            results: dict[str, tuple[Picture, float]] = {}
            for label, dehazer in dehazers.items():
                out, decision = empty_frame(frame), dehazer.decide(frame)
                dehazer.apply(frame, decision, out)
                if number % EVERY == 0:
                    results[label] = rgb_of(out), decision.haze.density if decision.haze else 0.0
            if results:
                yield rgb_of(frame), results


def _score(name: str, moments: Iterator[Moment], contenders: Sequence[Contender], gallery: Gallery) -> Item:
    looks: list[Item] = []
    panels: list[tuple[str, Picture]] = []
    for untouched, results in moments:
        before = appearance(untouched)
        scores: dict[str, Scores] = {UNTOUCHED: _look(before)}
        for contender in contenders:
            picture, density = results[contender.label]
            scores[contender.label] = _compared(picture, before) | _call(contender, density)
        looks.append(Item(name, scores))
        panels = [("untouched", untouched), *((label, picture) for label, (picture, _) in results.items())]
    if not looks:
        raise SourceError(f"{name}: there is no frame in it")
    item = Item(name, mean_scores(looks, MEASURES))
    gallery.offer(
        name,
        {one.label: item.scores[one.label].get("gradient_ratio", float("nan")) for one in contenders},
        lambda: panels,
    )
    return item


def _look(look: Appearance) -> dict[str, float]:
    return {
        "edges": 100 * look.edges,
        "dark_channel": look.dark_channel,
        "colourfulness": look.colourfulness,
        "brightness": look.brightness,
    }


def _compared(picture: Picture, before: Appearance) -> dict[str, float]:
    after = appearance(picture)
    gain = visibility_gain(after, before)
    gained = {"new_edges": gain.new_edges, "gradient_ratio": gain.gradient_ratio, "saturated": 100 * gain.saturated}
    return _look(after) | gained


def _call(contender: Contender, density: float) -> dict[str, float]:
    hazy = contender.calls_hazy(density)
    said = {"density": density}
    return said if hazy is None else said | {"called_hazy": float(hazy)}
