"""Which parts of a picture an answer rests on: occlusion in the manner of LIME, for any estimator."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.segments import Labels, cut_up
from rtdehaze.core.colour import Matrix, luma_weights
from rtdehaze.core.errors import UsageError
from rtdehaze.core.haze import Haze, Map

__all__ = ["Fill", "Question", "Why", "ask_why"]

Estimate = Callable[[Map], Haze]

_log = logging.getLogger("rtdehaze.explain")

_MOST_HIDDEN = 0.5
"""Share of the pieces that is hidden at most: with more the picture is no longer the one that is asked about."""
_KERNEL = 0.25
"""Width of LIME's kernel on pictures, in shares of pieces hidden."""
_RIDGE = 1e-2
"""Added to the normal equations, in altered pictures: enough to be solvable, too little to shrink what is seen."""
_SURE = 2.0
"""Standard errors from which on an effect is not chance."""
_SOFT = 1.0
"""Standard deviation of a piece's border in samples: a hard seam would be an edge that the picture does not have."""


class Question(StrEnum):
    """Which answer is explained."""

    DENSITY = "density"
    AIRLIGHT = "airlight"
    """Its luma."""
    TRANSMISSION = "transmission"
    """At one place."""


class Fill(StrEnum):
    """What stands where a piece is hidden."""

    PICTURE = "picture"
    """Another part of the same picture, drawn anew for every altered picture."""
    BLUR = "blur"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Why:
    """What an answer rests on."""

    question: Question
    answer: float
    """For the whole picture."""
    labels: Labels
    """(h, w): the pieces of the thumbnail."""
    effects: NDArray[np.float64]
    """(pieces,): by how much the answer is higher because a piece is as it is, and not as what would stand for it."""
    errors: NDArray[np.float64]
    """(pieces,): standard errors of the effects."""
    fit: float
    """Share of the answers' variance that the linear model explains, weighted, at most 1."""
    samples: int
    """Altered pictures that were asked about."""
    place: tuple[float, float] | None = None
    """Of the question in shares of the width and the height."""

    @property
    def sure(self) -> NDArray[np.bool_]:
        """(pieces,): whether an effect stands out from chance."""
        found: NDArray[np.bool_] = np.abs(self.effects) > _SURE * self.errors
        return found

    def turned(self, turns: int) -> Why:
        """The same for the picture turned by quarters, counter-clockwise."""
        place = self.place
        for _ in range(turns % 4 if place is not None else 0):
            place = (place[1], 1.0 - place[0]) if place is not None else None
        return replace(self, labels=np.rot90(self.labels, turns), place=place)

    @property
    def effect_map(self) -> Map:
        """(h, w): the effects where they lie."""
        laid: Map = self.effects[self.labels].astype(np.float32)
        return laid


def ask_why(
    thumbnail: Map,
    estimate: Estimate,
    question: Question,
    *,
    place: tuple[float, float] | None = None,
    pieces: int = 80,
    samples: int = 800,
    fill: Fill = Fill.PICTURE,
    seed: int = 0,
) -> Why:
    """Hides pieces of a picture at random, asks again, and fits a linear model to the answers.

    After LIME (Ribeiro, Singh, Guestrin 2016): superpixels, a kernel exp(-d**2 / 0.25**2) over the distance d from
    the picture, weighted ridge regression. Two things differ. What is hidden is not made grey: a flat pale patch
    *is* haze to any estimator, so hiding by the mean or by a blur adds evidence for haze instead of taking some
    away. Another part of the same picture has its contrast, colours and noise; drawn anew each time, it stands for
    the picture's average, as in prediction difference analysis (Zintgraf et al. 2017). And d counts the share of
    pieces hidden, not the cosine between the masks, which says the same of masks of zeros and ones.

    Args:
        thumbnail: (3, h, w), RGB in [0, 1].
        estimate: The model, one picture at a time.
        question: Which answer.
        place: Shares of the width and the height; for `transmission` alone.
        pieces: How many to cut the picture into, about.
        samples: How many altered pictures; more make the errors smaller.
        fill: What stands where a piece is hidden.
        seed: Of the random choices.

    Raises:
        UsageError: `place` is missing or superfluous, or a number makes no sense.
    """
    _check(question, place, pieces, samples)
    _log.info("asking about %d altered pictures", samples)
    random = np.random.default_rng(seed)
    labels = cut_up(thumbnail, pieces)
    count = int(labels.max()) + 1
    read = _reader(question, place)
    answer = read(estimate(thumbnail))
    hidden = _choose(random, samples, count)
    answers = np.empty(samples)
    stand_in = _stand_in(thumbnail, fill, random)
    for number in range(samples):
        if fill is Fill.PICTURE:
            stand_in = _stand_in(thumbnail, fill, random)
        answers[number] = read(estimate(_covered(thumbnail, stand_in, hidden[number][labels])))
    effects, errors, fit = _fit(hidden, answers, answer)
    return Why(question, answer, labels, effects, errors, fit, samples, place)


def _check(question: Question, place: tuple[float, float] | None, pieces: int, samples: int) -> None:
    if question is Question.TRANSMISSION and place is None:
        raise UsageError("the transmission is asked about at one place: name it with --at X,Y in pixels of the picture")
    if question is not Question.TRANSMISSION and place is not None:
        raise UsageError(f"the {question.value} is one for the whole picture; --at goes with --why transmission")
    if not 4 <= pieces <= 1000:
        raise UsageError(f"segments must be 4 to 1000, not {pieces}")
    if not 2 * pieces <= samples <= 100_000:
        raise UsageError(f"samples must be {2 * pieces} (two for each segment) to 100000, not {samples}")


def _reader(question: Question, place: tuple[float, float] | None) -> Callable[[Haze], float]:
    weights = luma_weights(Matrix.BT709)

    def read(haze: Haze) -> float:
        if question is Question.DENSITY:
            return float(haze.density)
        if question is Question.AIRLIGHT or place is None:
            return float(weights @ haze.airlight)
        height, width = haze.transmission.shape
        column, row = min(int(place[0] * width), width - 1), min(int(place[1] * height), height - 1)
        around = haze.transmission[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        return float(around.mean())

    return read


def _choose(random: np.random.Generator, samples: int, count: int) -> NDArray[np.bool_]:
    """Which pieces are hidden, (samples, count): every piece alone first, then more and more at random."""
    hidden = np.zeros((samples, count), np.bool_)
    alone = min(count, samples // 2)
    hidden[np.arange(alone), random.permutation(count)[:alone]] = True
    shares = random.uniform(1.0 / count, _MOST_HIDDEN, samples - alone)
    hidden[alone:] = random.random((samples - alone, count)) < shares[:, None]
    return hidden


def _stand_in(thumbnail: Map, fill: Fill, random: np.random.Generator) -> Map:
    """What is seen through the holes, a picture of the same size."""
    if fill is Fill.MEAN:
        return np.broadcast_to(thumbnail.mean(axis=(1, 2), keepdims=True), thumbnail.shape)
    height, width = thumbnail.shape[1:]
    if fill is Fill.BLUR:
        blurred = cv2.GaussianBlur(thumbnail.transpose(1, 2, 0), (0, 0), max(height, width) / 16)
        return np.asarray(blurred, np.float32).transpose(2, 0, 1)
    # At least a piece or so away, or it would be the same content again; mirrored at random.
    down = int(random.integers(height // 8, height - height // 8 + 1))
    across = int(random.integers(width // 8, width - width // 8 + 1))
    moved = np.roll(thumbnail, (down, across), axis=(1, 2))
    return moved[:, :, ::-1] if random.random() < 0.5 else moved


def _covered(thumbnail: Map, stand_in: Map, mask: NDArray[np.bool_]) -> Map:
    cover = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _SOFT)
    mixed: Map = (thumbnail + (stand_in - thumbnail) * cover).astype(np.float32)
    return mixed


def _fit(
    hidden: NDArray[np.bool_], answers: NDArray[np.float64], answer: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Weighted ridge regression through the picture's own answer: answer = whole - sum of effects of what is hidden.

    Returns:
        Effects, their standard errors (robust, White 1980), and the share of variance explained.
    """
    design = -hidden.astype(np.float64)
    change = answers - answer
    weights = np.exp(-((hidden.mean(axis=1) / _KERNEL) ** 2))
    normal = design.T @ (weights[:, None] * design) + _RIDGE * np.eye(design.shape[1])
    inverse = np.linalg.inv(normal)
    effects = inverse @ (design.T @ (weights * change))
    rest = change - design @ effects
    scored = design * (weights * rest)[:, None]
    errors = np.sqrt(np.diag(inverse @ (scored.T @ scored) @ inverse))
    total = float(weights @ (change - np.average(change, weights=weights)) ** 2)
    fit = 1.0 - float(weights @ rest**2) / total if total > 0 else 1.0
    return effects, errors, fit
