"""What is known of a student's view, whatever the picture's own haze is."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from rtdehaze.train.networks import Estimate, build
from rtdehaze.train.teacher import Opinion, Views, ask, target_of
from rtdehaze.train.unlabelled import UnlabelledTerms, unlabelled_terms
from rtdehaze.train.views import Known, make_view

SIZE = (48, 64)
T, S = 0.5, 0.7
A, B = torch.tensor([[0.8, 0.85, 0.9]]), torch.tensor([[0.7, 0.7, 0.65]])


def known(seed: int = 1) -> Known:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:90, 0:120] / 120
    picture = np.stack([rows, columns, 1 - columns], axis=2) * 200 + rng.uniform(0, 40, 3)
    return Known(picture.astype(np.uint8), np.ones((45, 60), np.float32), np.full(3, 0.8, np.float32))


def flat(value: float, channels: int = 1) -> torch.Tensor:
    return torch.full((1, channels, SIZE[0] // 2, SIZE[1] // 2), value)


def truth() -> Estimate:
    veil = A[:, :, None, None] * (1 - flat(T, 3))
    return Estimate(flat(T), A, torch.tensor([0.5]), flat(T), flat(T), veil, torch.tensor([1.0]))


def seen(seed: int = 1) -> Views:
    """A view of a picture with the haze (T, A), retoned, with the haze (S, B) in front; nothing is clipped."""
    clear = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(seed)) * 0.6 + 0.2
    tone = torch.tensor([[[0.8, 0.05, 0.0], [0.0, 0.75, 0.1], [0.1, 0.0, 0.7]]])
    hazy = clear * T + A[:, :, None, None] * (1 - T)
    toned = torch.einsum("nij,njhw->nihw", tone, hazy)
    strong = toned * S + B[:, :, None, None] * (1 - S)
    place = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    return Views(hazy, hazy, strong, place, tone, torch.full((1, 1, *SIZE), S), B, torch.ones(1))


def test_two_hazes_are_one_with_the_target_s_transmission_and_airlight() -> None:
    views = seen()
    target = target_of(Opinion(truth(), flat(1.0)), views)
    torch.testing.assert_close(target.transmission, flat(T * S))
    whole = target.picture * target.transmission + target.airlight[:, :, None, None] * (1 - target.transmission)
    torch.testing.assert_close(whole, functional.avg_pool2d(views.strong, 2), atol=1e-4, rtol=0)


def test_a_student_that_says_the_target_has_nothing_to_learn_from_it() -> None:
    views = seen()
    target = target_of(Opinion(truth(), flat(1.0)), views)
    veil = target.airlight[:, :, None, None] * (1 - target.transmission)
    t = target.transmission
    right = Estimate(t, target.airlight, torch.tensor([0.6]), t, t, veil, torch.tensor([20.0]))
    wrong = right._replace(transmission=t + 0.2, luma=t + 0.2, chroma=t + 0.2)
    good, bad = (unlabelled_terms(views, target, said) for said in (right, wrong))
    for name in ("transmission", "airlight", "picture", "gate", "clipping", "rough"):
        assert getattr(good, name) < 2e-3, name
    assert bad.transmission > 0.15
    assert bad.picture > good.picture + 0.02


def test_the_student_s_part_is_where_its_place_says_mirrored_or_not() -> None:
    mirrored = set()
    for seed in range(8):
        view = make_view(known(), SIZE, np.random.default_rng(seed))
        weak = torch.from_numpy(view.weak).permute(2, 0, 1)[None].float()
        grid = functional.affine_grid(torch.from_numpy(view.place)[None], [1, 3, *SIZE], align_corners=False)
        there = functional.grid_sample(weak, grid, padding_mode="border", align_corners=False)[0].permute(1, 2, 0)
        assert np.abs(there.numpy() - view.clean)[2:-2, 2:-2].mean() < 1.5
        mirrored.add(bool(view.place[0, 0] < 0))
    assert mirrored == {True, False}


def test_the_same_generator_state_gives_the_same_views() -> None:
    one, same, other = (make_view(known(), SIZE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.strong, same.strong)
    assert not np.array_equal(one.strong, other.strong)


def test_added_haze_takes_contrast_away() -> None:
    views = [make_view(known(), SIZE, np.random.default_rng(seed)) for seed in range(20)]
    assert {view.is_hazy for view in views} == {True, False}
    for view in views:
        assert (view.added.max() < 1.0) == view.is_hazy
        assert view.added.min() > 0.0


def test_opinions_are_sure_where_all_views_agree() -> None:
    torch.manual_seed(1)
    model = build("tiny").eval()
    even = ask(model, torch.full((1, 3, 64, 96), 0.5))
    uneven = ask(model, torch.rand(1, 3, 64, 96))
    assert even.certainty.shape == even.estimate.transmission.shape == (1, 1, 32, 48)
    assert 0.0 < uneven.certainty.min() < even.certainty.mean() <= 1.0


def test_clipped_lifted_darkened_and_patchy_answers_are_each_found() -> None:
    views = seen()
    strong = torch.full_like(views.strong, 0.6)
    views = views._replace(strong=strong)
    target = target_of(Opinion(truth(), flat(1.0)), views)
    clear = Estimate(flat(1.0), A, torch.tensor([0.1]), flat(1.0), flat(1.0), flat(0.0, 3), torch.tensor([0.0]))
    patches = torch.rand(1, 1, *clear.transmission.shape[-2:])

    def of(said: Estimate, opaque: bool = False) -> UnlabelledTerms:
        there = target._replace(transmission=flat(0.05)) if opaque else target
        return unlabelled_terms(views, there, said)

    assert of(clear).lifted > 0.4
    assert of(clear._replace(veil=flat(0.55, 3))).lifted == 0.0
    assert of(clear._replace(veil=flat(0.8, 3))).clipping > 0.1
    assert of(clear._replace(luma=flat(0.5))).clipping > 0.1
    assert of(clear).clipping == 0.0
    assert of(clear._replace(veil=flat(0.4, 3)), opaque=True).darkened > 0.1
    assert of(clear, opaque=True).darkened == 0.0
    assert of(clear._replace(transmission=patches)).rough > 10 * of(clear).rough + 0.01
