from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rtdehaze.apps.explain import Fill, Question, explain_why
from rtdehaze.apps.explain.segments import cut_up
from rtdehaze.apps.explain.why import Why, ask_why
from rtdehaze.apps.explain.why_sheet import draw_why
from rtdehaze.core.errors import UsageError
from rtdehaze.core.haze import Haze, Map

PATCH = slice(24, 72), slice(64, 112)


def textured(height: int = 96, width: int = 160) -> Map:
    """A clear picture full of contrast; (3, h, w)."""
    noise = np.random.default_rng(5).random((height // 4, width // 4, 3), dtype=np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST).transpose(2, 0, 1)


def with_a_hazy_patch() -> Map:
    picture = textured()
    picture[:, *PATCH] = 0.15 * picture[:, *PATCH] + 0.85 * 0.8
    return picture


def dark_channel(thumbnail: Map) -> Haze:
    """Transmission by the dark channel prior in its plainest form; density its lack."""
    dark = cv2.erode(thumbnail.min(axis=0), np.ones((7, 7), np.uint8))
    transmission = np.clip(1 - dark, 0.05, 1).astype(np.float32)
    return Haze(transmission, thumbnail.reshape(3, -1).max(axis=1), float(1 - transmission.mean()))


def share_on_patch(why: Why) -> float:
    """How much of what raises the answer lies on the patch."""
    raising = np.maximum(why.effect_map, 0)
    return float(raising[PATCH].sum() / raising.sum())


def test_the_density_rests_on_the_patch_that_is_the_only_hazy_one() -> None:
    why = ask_why(with_a_hazy_patch(), dark_channel, Question.DENSITY, pieces=60, samples=200)
    assert share_on_patch(why) > 0.8
    assert why.effect_map[40:56, 80:96].min() > 0
    assert why.fit > 0.8


def test_hiding_by_other_parts_of_the_picture_takes_clear_ones_for_clear() -> None:
    """A mean or a blur is flat and pale, so that it adds haze: what it hides then seems to lower the density."""
    clear = np.ones((96, 160), np.bool_)
    clear[PATCH] = False
    clear = cv2.erode(clear.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    bias = {}
    for fill in Fill:
        why = ask_why(with_a_hazy_patch(), dark_channel, Question.DENSITY, pieces=40, samples=150, fill=fill)
        bias[fill] = abs(float(why.effect_map[clear].mean()))
    assert bias[Fill.PICTURE] < 0.5 * min(bias[Fill.BLUR], bias[Fill.MEAN])


def test_the_transmission_of_a_place_rests_on_what_lies_there_for_a_shipped_model() -> None:
    picture = np.rint(with_a_hazy_patch().transpose(1, 2, 0) * 255).astype(np.uint8)
    why = explain_why(picture, "dcp", question="transmission", at=(88, 48), segments=40, samples=150)
    weakest = why.labels == why.effects.argmin()
    assert weakest[PATCH].sum() > 0.7 * weakest.sum()
    assert why.effects.min() < -0.05
    assert why.sure[why.effects.argmin()]
    assert why.place == pytest.approx((88.5 / 160, 48.5 / 96))


def test_an_answer_that_nothing_moves_rests_on_nothing() -> None:
    constant = Haze(np.full((4, 4), 0.5, np.float32), np.full(3, 0.8, np.float32), 0.3)
    why = ask_why(textured(), lambda _: constant, Question.AIRLIGHT, pieces=20, samples=60)
    assert why.answer == pytest.approx(0.8)
    assert not why.sure.any()
    assert draw_why(why, np.zeros((96, 160, 3), np.uint8), 400).pixels.size


def test_chance_is_told_from_effect() -> None:
    random = np.random.default_rng(0)

    def noisy(thumbnail: Map) -> Haze:
        seen = float(thumbnail[:, :32, :32].mean())
        return Haze(np.full((4, 4), 0.5, np.float32), np.zeros(3, np.float32), 10 * seen + random.normal(0, 0.02))

    picture = textured() * 0.3
    picture[:, :32, :32] = 0.9
    why = ask_why(picture, noisy, Question.DENSITY, pieces=60, samples=400)
    away = np.unique(why.labels[60:, 80:])
    assert why.sure[away].mean() < 0.2
    assert why.sure[why.labels[8, 8]]
    assert why.effects[why.labels[8, 8]] > 0


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_explanation_keeps_its_place_on_its_part(turns: int) -> None:
    labels = np.arange(24, dtype=np.int32).reshape(4, 6)
    why = Why(Question.TRANSMISSION, 0.5, labels, np.arange(24.0), np.ones(24), 1.0, 60, (4.5 / 6, 1.5 / 4))
    turned = why.turned(turns)
    assert turned.place is not None
    height, width = turned.labels.shape
    assert turned.labels[int(turned.place[1] * height), int(turned.place[0] * width)] == labels[1, 4]


def test_pieces_follow_edges_and_have_no_gaps_in_their_numbers() -> None:
    picture = np.full((3, 90, 120), 0.2, np.float32)
    picture[:, :, 67:] = 0.9
    labels = cut_up(picture, 48)
    assert set(np.unique(labels)) == set(range(labels.max() + 1))
    assert 30 <= labels.max() + 1 <= 60
    left, right = np.unique(labels[:, :66]), np.unique(labels[:, 68:])
    assert not set(left) & set(right)


@pytest.mark.parametrize(
    ("question", "place", "pieces", "samples", "words"),
    [
        (Question.TRANSMISSION, None, 20, 60, "--at"),
        (Question.DENSITY, (0.5, 0.5), 20, 60, "--at"),
        (Question.DENSITY, None, 3, 60, "segments must be 4 to 1000, not 3"),
        (Question.DENSITY, None, 20, 39, "samples must be 40"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    question: Question, place: tuple[float, float] | None, pieces: int, samples: int, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        ask_why(textured(), dark_channel, question, place=place, pieces=pieces, samples=samples)


@pytest.mark.parametrize("size", [(160, 96), (96, 160), (300, 40), (40, 300)])
def test_the_drawing_marks_strong_parts_and_leaves_chance_grey(size: tuple[int, int]) -> None:
    from tests.apps.test_explain_panels import overlapping

    width, height = size
    labels = (np.arange(width) >= width // 2).astype(np.int32)[None].repeat(height, axis=0)
    why = Why(Question.DENSITY, 0.4, labels, np.array([0.2, 0.001]), np.array([0.01, 0.01]), 0.9, 60)
    sheet = draw_why(why, np.full((height, width, 3), 128, np.uint8), 600)
    assert overlapping(sheet) == []
    pixels: NDArray[np.int64] = sheet.pixels.astype(int)
    red = (pixels[..., 0] > 150) & (pixels[..., 2] < 110)
    grey = (pixels == 128).all(axis=2)
    assert red.sum() > 10_000 * min(size) / max(size)
    assert grey.sum() > red.sum()  # the picture itself, and the half that is left grey
