"""Networks and configurations for the tests of simplifying."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from rtdehaze.train.checkpoint import save_weights
from rtdehaze.train.config import Config, DataConfig, HazeConfig, OptimConfig, StageConfig
from rtdehaze.train.networks import Estimator, build
from rtdehaze.train.sizes import Size

# Threads wait for each other at every layer of networks as small as these.
torch.set_num_threads(1)

SMALL = Size((8, 12, 16, 16, 24), (0, 1, 1, 2, 1))


def tiny(pack: Path, validation: Path, **changes: object) -> Config:
    config = Config(
        network="tiny",
        steps=6,
        threads=1,
        validate_steps=0,
        haze=HazeConfig(median=(0.2, 0.6)),
        fog_share=0.0,
        optim=OptimConfig(rate=1e-2, average=0.9),
        stages=(StageConfig(1.0, 4, ((32, 48),)),),
        data=DataConfig(packs=(str(pack),), validation=str(validation)),
    )
    return dataclasses.replace(config, **changes)


def random_model(size: Size = SMALL, seed: int = 1) -> Estimator:
    """A network none of whose weights, shifts or statistics is at its starting value."""
    torch.manual_seed(seed)
    model = Estimator(size).eval()
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.5 + 0.5 if value.ndim == 1 else torch.randn_like(value) * 0.2)
    return model


def picture(height: int = 48, width: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))


def write_large(folder: Path) -> Path:
    """A checkpoint of a network larger than tiny."""
    path = folder / "large.safetensors"
    origins = [{"source": "boxes", "terms": "MIT", "pictures": 6}]
    save_weights(path, "tiny", build("tiny", SMALL), {"origins": origins})
    return path
