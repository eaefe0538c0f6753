from __future__ import annotations

import numpy as np
import pytest
import torch

from rtdehaze.core.colour import Colour, rgb_to_levels
from rtdehaze.core.errors import UsageError
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.reference import recompose_planes
from rtdehaze.train.config import LossConfig
from rtdehaze.train.data import Batch
from rtdehaze.train.losses import loss_terms, recompose, ssim, total
from rtdehaze.train.networks import SIZES, Estimate, build, priors


def pictures(count: int = 2, height: int = 48, width: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def physical(t: torch.Tensor, airlight: torch.Tensor) -> Estimate:
    """The estimate that knows the truth."""
    veil = airlight[:, :, None, None] * (1 - t)
    return Estimate(t, airlight, (1 - t).mean((1, 2, 3)), t, t, veil, torch.zeros(len(t)))


@pytest.mark.parametrize("name", SIZES)
def test_an_untrained_network_starts_at_the_physical_solution(name: str) -> None:
    said = build(name).eval()(pictures())
    assert said.transmission.shape == (2, 1, 24, 32)
    torch.testing.assert_close(said.luma, said.transmission.clamp_min(0.1))
    torch.testing.assert_close(said.chroma, said.transmission.clamp_min(0.4))
    torch.testing.assert_close(said.veil, said.airlight[:, :, None, None] * (1 - said.transmission))


@pytest.mark.parametrize("size", [(32, 32), (34, 66), (144, 256), (50, 38)])
def test_any_even_size_is_taken(size: tuple[int, int]) -> None:
    said = build("tiny").eval()(pictures(1, *size))
    assert said.veil.shape == (1, 3, size[0] // 2, size[1] // 2)
    assert said.airlight.shape == (1, 3)
    assert torch.isfinite(said.veil).all()


def test_an_unknown_size_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="'huge' is not one of tiny, fast"):
        build("huge")


def test_the_priors_are_dark_channel_and_spread() -> None:
    picture = torch.zeros(1, 3, 20, 20)
    picture[:, 0] = 0.9
    picture[:, 1:] = 0.5
    picture[:, 2, 10, 10] = 0.2
    near, wide, spread = priors(picture)[0]
    assert near[5, 5] == pytest.approx(0.2)
    assert near[4, 4] == pytest.approx(0.5)
    assert wide[3, 3] == pytest.approx(0.2)
    assert wide[0, 0] == pytest.approx(0.5)
    assert spread[0, 0] == pytest.approx(0.4)


def test_what_was_clipped_still_learns() -> None:
    model = build("tiny").train()
    with torch.no_grad():
        model.maps.bias[0] = -8.0  # transmission at its floor: luma and chroma are clipped everywhere
    said = model(pictures())
    assert float(said.luma.detach().max()) == pytest.approx(0.1)
    said.luma.sum().backward()
    assert model.maps.bias.grad is not None
    assert model.maps.bias.grad[1] != 0


def test_recomposition_is_the_runtimes() -> None:
    rng = np.random.default_rng(2)
    maps = rng.uniform(0.3, 1.0, (5, 8, 12)).astype(np.float32)
    picture = rng.random((3, 24, 36)).astype(np.float32)
    said = Estimate(*(torch.zeros(1),) * 7)._replace(
        luma=torch.from_numpy(maps[None, :1]),
        chroma=torch.from_numpy(maps[None, 1:2]),
        veil=torch.from_numpy(maps[None, 2:] - 0.3),
    )
    mine = recompose(torch.from_numpy(picture[None]), said)[0].numpy()

    matrix, offset = rgb_to_levels(Colour(), 8)
    planes = list(np.tensordot(matrix, picture.astype(np.float64), axes=1) + offset[:, None, None])
    theirs = np.stack(recompose_planes(planes, Removal(maps[0], maps[1], maps[2:] - np.float32(0.3)), Colour()))
    theirs = np.tensordot(np.linalg.inv(matrix), theirs - offset[:, None, None], axes=1)
    np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_the_truth_has_no_loss_and_a_wrong_airlight_has() -> None:
    clear = torch.nn.functional.interpolate(pictures(2, 12, 16), scale_factor=4)
    t = torch.rand(2, 1, 6, 8) * 0.5 + 0.3
    airlight = torch.rand(2, 3) * 0.3 + 0.6
    wide = torch.nn.functional.interpolate(t, scale_factor=8)
    hazy = clear * wide + airlight[:, :, None, None] * (1 - wide)
    batch = Batch(hazy, clear, wide, airlight, torch.ones(2), torch.ones(2))
    small = torch.nn.functional.interpolate(t, scale_factor=4)
    right = loss_terms(batch, physical(small, airlight))
    wrong = loss_terms(batch, physical(small, airlight - 0.1))
    assert float(right.transmission) < 1e-6
    assert float(right.airlight) < 1e-6
    assert float(right.picture) < 2e-3
    assert float(right.structure) < 1e-4
    assert total(wrong, LossConfig()) > total(right, LossConfig()) + 0.1


def test_unknown_haze_is_judged_by_the_picture_alone() -> None:
    hazy = pictures()
    batch = Batch(hazy, hazy * 0.5, torch.ones(2, 1, 48, 64), torch.ones(2, 3), torch.ones(2), torch.zeros(2))
    with torch.no_grad():
        terms = loss_terms(batch, build("tiny").train()(hazy))
    assert float(terms.transmission) == 0.0
    assert float(terms.airlight) == 0.0
    assert float(terms.picture) > 0.0


def test_ssim_is_one_for_equal_pictures_and_less_for_noise() -> None:
    picture = pictures()[:, :1]
    torch.testing.assert_close(ssim(picture, picture), torch.ones(2))
    assert float(ssim(picture, torch.rand_like(picture)).max()) < 0.5
