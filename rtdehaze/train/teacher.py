"""What the averaged network says of pictures without truth: the mean over several views, and how far they agree.

The teacher is the moving average of the student (Tarvainen, Valpola 2017, "Mean teachers are better role models").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rtdehaze.train.losses import recompose
from rtdehaze.train.networks import Estimate, Estimator
from rtdehaze.train.views import View

__all__ = ["Opinion", "Target", "Views", "ask", "collate", "target_of"]

LOOKS: tuple[tuple[float, bool, float], ...] = ((1.0, False, 1.0), (1.0, True, 0.85), (0.75, False, 0.92))
"""Size, mirrored, exposure of the views that the teacher's opinion is the mean of."""
AGREEMENT = 0.08
"""Standard deviation of the transmission between the views at which an opinion counts 1/e."""
NAMES = ("transmission", "luma", "chroma", "veil")


class Views(NamedTuple):
    """`n` pairs of views on the device that computes; pictures RGB in [0, 1]; the parts of `View`."""

    weak: Tensor
    """(n, 3, h, w)."""
    clean: Tensor
    """(n, 3, h, w)."""
    strong: Tensor
    """(n, 3, h, w)."""
    place: Tensor
    """(n, 2, 3)."""
    tone: Tensor
    """(n, 3, 3)."""
    added: Tensor
    """(n, 1, h, w)."""
    colour: Tensor
    """(n, 3)."""
    is_hazy: Tensor
    """(n,), 1 or 0."""


class Opinion(NamedTuple):
    """The mean over the teacher's views, at half their size."""

    estimate: Estimate
    certainty: Tensor
    """(n, 1, h, w), in (0, 1]: 1 where all views say the same."""


class Target(NamedTuple):
    """What the student should say of its view, by the teacher's opinion and what is known of the view."""

    transmission: Tensor
    """(n, 1, h, w), of both hazes."""
    airlight: Tensor
    """(n, 3), the mean colour of the light that both hazes add."""
    picture: Tensor
    """(n, 3, h, w), without either haze, in the student's tones."""
    certainty: Tensor
    """(n, 1, h, w)."""


def collate(views: Sequence[View], device: torch.device) -> Views:
    """Puts views of one size together."""

    def stack(name: str) -> Tensor:
        return torch.from_numpy(np.stack([np.asarray(getattr(view, name)) for view in views])).to(device)

    weak, clean, strong = (stack(name).permute(0, 3, 1, 2).float() / 255.0 for name in ("weak", "clean", "strong"))
    added, is_hazy = stack("added")[:, None], stack("is_hazy").float()
    return Views(weak, clean, strong, stack("place"), stack("tone"), added, stack("colour"), is_hazy)


@torch.no_grad()
def ask(teacher: Estimator, pictures: Tensor) -> Opinion:
    """Asks for the haze of (n, 3, h, w) pictures, in several views that haze does not care about.

    Smaller, mirrored or darker: the transmission stays, the veil darkens with the picture.
    """
    size = (pictures.shape[-2] // 2, pictures.shape[-1] // 2)
    said = [_look(teacher, pictures, size, *look) for look in LOOKS]
    mean = Estimate(*(torch.stack(parts).mean(0) for parts in zip(*said, strict=True)))
    spread = torch.stack([one.transmission for one in said]).std(0, correction=0)
    return Opinion(mean, torch.exp(-((spread / AGREEMENT) ** 2)))


def _look(
    teacher: Estimator, pictures: Tensor, size: tuple[int, int], scale: float, mirrored: bool, exposure: float
) -> Estimate:
    seen = pictures * exposure
    if scale != 1.0:
        # Even sides, as the network's stride wants.
        small = [max(32, 2 * round(side * scale / 2)) for side in pictures.shape[-2:]]
        seen = functional.interpolate(seen, size=small, mode="bilinear", align_corners=False, antialias=True)
    said = teacher(seen.flip(3) if mirrored else seen)
    maps = {}
    for name in NAMES:
        part = getattr(said, name)
        part = part.flip(3) if mirrored else part
        if part.shape[-2:] != size:
            part = functional.interpolate(part, size=size, mode="bilinear", align_corners=False)
        maps[name] = part / exposure if name == "veil" else part
    return said._replace(**maps, airlight=said.airlight / exposure)  # type: ignore[no-any-return]


@torch.no_grad()
def target_of(opinion: Opinion, views: Views) -> Target:
    """Carries the teacher's opinion of the weak view over to the strong one."""
    said = opinion.estimate
    maps = torch.cat([said.transmission, said.luma, said.chroma, said.veil, opinion.certainty], 1)
    grid = functional.affine_grid(views.place, [*views.clean.shape[:2], *maps.shape[-2:]], align_corners=False)
    maps = functional.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    own, luma, chroma, veil, certainty = torch.split(maps, [1, 1, 1, 3, 1], 1)
    there = said._replace(transmission=own, luma=luma, chroma=chroma, veil=veil)
    clean, added = functional.avg_pool2d(views.clean, 2), functional.avg_pool2d(views.added, 2)
    picture = _turn(views.tone, recompose(clean, there).clamp(0.0, 1.0)).clamp(0.0, 1.0)
    transmission = own * added
    # The light that each haze adds where the camera stands: the far one's is dimmed by the near one.
    far = torch.einsum("nij,nj->ni", views.tone, said.airlight)[:, :, None, None] * ((1.0 - own) * added)
    light = far + views.colour[:, :, None, None] * (1.0 - added)
    airlight = light.sum((2, 3)) / (1.0 - transmission).sum((2, 3)).clamp_min(1e-3)
    return Target(transmission, airlight.clamp(0.0, 1.0), picture, certainty)


def _turn(matrices: Tensor, pictures: Tensor) -> Tensor:
    return torch.einsum("nij,njhw->nihw", matrices, pictures)
