"""Haze that we make ourselves: rendered drives with their truth, and haze on given pictures.

The public names are loaded when first asked for, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtdehaze.synth.drive import DriveFrame, FoggyDrive
    from rtdehaze.synth.edges import EdgePicture, poles_and_branches
    from rtdehaze.synth.haze import (
        add_haze,
        add_noise,
        beta_for_median,
        depth_from_disparity,
        random_airlight,
        transmission_from_depth,
        uneven_beta,
    )

__all__ = [
    "DriveFrame",
    "EdgePicture",
    "FoggyDrive",
    "add_haze",
    "add_noise",
    "beta_for_median",
    "depth_from_disparity",
    "poles_and_branches",
    "random_airlight",
    "transmission_from_depth",
    "uneven_beta",
]

_MODULES = {"DriveFrame": "drive", "FoggyDrive": "drive", "EdgePicture": "edges", "poles_and_branches": "edges"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'haze')}"), name)
