"""Asking a model why: occlusion maps and atlases of pictures, and of files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.atlas import draw_atlas, entries_of
from rtdehaze.apps.explain.files import Explained, PictureFile, explained_name, first_frame, open_for
from rtdehaze.apps.explain.showing import picture_of, turns_of, upright_size
from rtdehaze.apps.explain.why import Fill, Question, Why, ask_why
from rtdehaze.apps.explain.why_sheet import draw_why
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Options, parse_choice
from rtdehaze.core.stream import Source
from rtdehaze.pipeline.threads import opencv_threads, plan_threads
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.layers import read_layers
from rtdehaze.stages.estimate.thumbnail import thumbnail_of, thumbnail_of_rgb

__all__ = ["atlas", "explain_why", "why"]

_WIDTH = 900
"""Pixels of the longer side of a picture on the sheet, about."""

Bytes = NDArray[np.uint8]


def why(
    input: str | Path,  # noqa: A002 - the word that users know
    output: str | Path | None = None,
    options: Options | None = None,
    *,
    question: Question | str = Question.DENSITY,
    at: tuple[int, int] | None = None,
    segments: int = 80,
    samples: int = 800,
    fill: Fill | str = Fill.PICTURE,
) -> Explained:
    """Draws which parts of a picture, or of a video's frame, a model's answer rests on.

    Args:
        input: A picture, or a video of which the first frame after `options.start` is taken.
        output: Where the drawing goes; None names it after the input.
        options: Model, provider, start, threads and overwriting.
        question: `density`, `airlight` or `transmission`.
        at: x and y of the place in pixels of the upright picture, for `transmission`.
        segments: Into how many parts the picture is cut.
        samples: How many altered pictures the model is asked about.
        fill: What stands where a part is hidden: `picture`, `blur` or `mean`.

    Raises:
        UsageError: An option makes no sense.
        SourceError: The input cannot be opened or read.
        SinkError: The output cannot be written.
        ModelError: The model is broken.
    """
    options = options or Options()
    question, fill = parse_choice(Question, "why", question), parse_choice(Fill, "fill", fill)

    def draw(estimator: Estimator, frame: Frame, source: Source) -> Bytes:
        thumbnail = thumbnail_of(frame, *estimator.thumbnail_size(frame.width, frame.height))
        size, turns = upright_size(source.video), turns_of(source.video)
        place = None if at is None else _unturned(_share(at, size), turns)
        found = ask_why(
            thumbnail, estimator.estimate, question, place=place, pieces=segments, samples=samples, fill=fill
        )
        return draw_why(found.turned(turns), picture_of(frame, *size, turns), _WIDTH).pixels

    return _draw_one(str(input), output, options, f"why-{question.value}", draw)


def explain_why(
    picture: Bytes,
    model: str | Path | None = None,
    *,
    question: Question | str = Question.DENSITY,
    at: tuple[int, int] | None = None,
    segments: int = 80,
    samples: int = 800,
    fill: Fill | str = Fill.PICTURE,
    threads: int = 1,
) -> Why:
    """Finds which parts of a picture a model's answer rests on; `draw_why` draws what it returns.

    Args:
        picture: (H, W, 3), RGB, uint8.
        model: As for `Dehazer.load`.
        question: As for `why`, like all that follow.
        at: Pixels of the picture.
        segments: Parts.
        samples: Altered pictures.
        fill: What stands in for a part.
        threads: Threads of the model.

    Raises:
        UsageError: The picture is no such array, or an option makes no sense.
        ModelError: The model is broken.
    """
    estimator = open_estimator(model or DEFAULT_MODEL, threads=threads)
    height, width = picture.shape[:2]
    thumbnail = thumbnail_of_rgb(picture, "rgb", *estimator.thumbnail_size(width, height))
    return ask_why(
        thumbnail, estimator.estimate, parse_choice(Question, "question", question),
        place=None if at is None else _share(at, (width, height)), pieces=segments, samples=samples,
        fill=parse_choice(Fill, "fill", fill),
    )  # fmt: skip


def atlas(
    input: str | Path,  # noqa: A002 - the word that users know
    output: str | Path | None = None,
    options: Options | None = None,
    *,
    channels: int = 4,
) -> Explained:
    """Draws what a model's layers answer to a picture, or to a video's frame, on one sheet.

    Args:
        input: A picture, or a video of which the first frame after `options.start` is taken.
        output: Where the drawing goes; None names it after the input.
        options: Model, start, threads and overwriting.
        channels: How many of each layer are shown at most.

    Raises:
        MissingDependencyError: The package onnx is not installed.
        UsageError: An option makes no sense.
        SourceError: The input cannot be opened or read.
        SinkError: The output cannot be written.
        ModelError: The model is broken, or has no layers that answer with maps.
    """
    options = options or Options()
    if not 1 <= channels <= 32:
        raise UsageError(f"channels must be 1 to 32, not {channels}")

    def draw(estimator: Estimator, frame: Frame, _: Source) -> Bytes:
        thumbnail = thumbnail_of(frame, *estimator.thumbnail_size(frame.width, frame.height))
        layers = read_layers(options.model or DEFAULT_MODEL, thumbnail)
        # As the network sees it: a picture that is turned for showing would not lie as the maps do.
        picture = np.rint(thumbnail.transpose(1, 2, 0) * 255).astype(np.uint8)
        return draw_atlas(estimator.name, entries_of(layers, channels), picture).pixels

    return _draw_one(str(input), output, options, "atlas", draw)


def _draw_one(
    location: str,
    output: str | Path | None,
    options: Options,
    what: str,
    draw: Callable[[Estimator, Frame, Source], Bytes],
) -> Explained:
    """Opens both ends, asks, and writes one picture."""
    with ExitStack() as things:
        things.enter_context(opencv_threads(1))
        source = things.enter_context(closing(open_for(location, options)))
        target = str(output) if output is not None else explained_name(location, what, None)
        file = PictureFile(target, source, options)
        estimator = open_estimator(
            options.model or DEFAULT_MODEL,
            provider=options.provider.value,
            threads=plan_threads(options.threads).inference,
        )
        file.write(draw(estimator, first_frame(source), source))
    return Explained(target, 1, None)


def _share(at: tuple[int, int], size: tuple[int, int]) -> tuple[float, float]:
    """The middle of a pixel in shares of width and height."""
    if not (0 <= at[0] < size[0] and 0 <= at[1] < size[1]):
        raise UsageError(f"{at[0]},{at[1]} lies outside the picture, which has {size[0]} x {size[1]} pixels")
    return (at[0] + 0.5) / size[0], (at[1] + 0.5) / size[1]


def _unturned(place: tuple[float, float], turns: int) -> tuple[float, float]:
    """The place in a picture that was turned by quarters, counter-clockwise, before it was turned."""
    for _ in range(turns):
        place = 1.0 - place[1], place[0]
    return place
