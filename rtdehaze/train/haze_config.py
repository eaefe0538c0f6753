"""How pictures are varied and how haze is laid over them: the tables `[haze]` and `[fog]` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FogConfig", "HazeConfig", "Range"]

Range = tuple[float, float]
"""Least and greatest value of something drawn at random."""


@dataclass(frozen=True, slots=True)
class HazeConfig:
    """How pictures are varied and how haze is laid over them."""

    scale: Range = (0.75, 1.0)
    """Share of the picture's side that a crop keeps: whole frames are what networks are asked about."""
    rotation: float = 6.0
    """Degrees, at most; a fifth of the samples is turned."""
    gain: Range = (0.93, 1.07)
    gamma: Range = (0.87, 1.14)
    saturation: Range = (0.85, 1.15)
    grey_share: float = 0.04
    """Share of samples without colour, scene and air: cameras at night, old film."""
    balance: float = 0.02
    """Largest relative change of a channel."""
    clear_share: float = 0.07
    """Share of samples without haze."""
    far_to_near: Range = (5.0, 60.0)
    """Depth of the farthest point over the nearest, drawn on a logarithmic scale."""
    away_share: float = 0.1
    """Share of hazy samples whose nearest point is itself far, as when fog hangs over a whole square or valley."""
    away: Range = (0.1, 1.5)
    """How far: added to all depths, in units of the sample's median depth."""
    steep_share: float = 0.1
    """Share of hazy samples whose depths are drawn apart, as where people stand before a far background: disparity
    that networks guess compresses what lies between near and far."""
    steep: Range = (1.0, 3.0)
    """The power that depth is raised to there."""
    median: Range = (0.12, 0.92)
    """Median transmission of a sample."""
    floor: float = 0.03
    """Least transmission anywhere."""
    uneven_share: float = 0.1
    uneven_spread: float = 0.35
    """Largest relative deviation of beta within a picture."""
    airlight: Range = (0.55, 1.0)
    tint: float = 0.06
    """Largest cast of the airlight; a tenth of the samples has three times as much."""
    shade_share: float = 0.1
    """Share of hazy samples whose airlight is brighter in some places than in others: a lens that darkens the
    corners, a sun behind the fog. Networks that never saw it turn a grey sky into clouds."""
    shade: float = 0.16
    """Largest relative departure from the airlight there."""
    overcast_share: float = 0.03
    """Share of hazy samples in which the sky, and what haze hides wholly, is fog in the clear picture, too: the sky
    of a foggy day is to stay as it is. Clear pictures have blue skies and dark hills there, and networks that saw
    only those paint fog dark and green."""
    exposed_share: float = 0.12
    """Share of samples that the camera exposed darker or brighter, scene and air alike."""
    exposed: Range = (0.35, 1.2)
    """Factor on all light, drawn on a logarithmic scale."""
    noise_share: float = 0.5
    noise: Range = (0.002, 0.02)
    """Standard deviation, in units of the picture's range."""
    jpeg_share: float = 0.35
    jpeg: Range = (40.0, 95.0)
    h264_share: float = 0.0
    """Share of samples that went through a real H.264 encoder, as one frame or the last of a few."""
    h264: Range = (20.0, 38.0)
    """Its constant rate factor; higher is worse."""


@dataclass(frozen=True, slots=True)
class FogConfig(HazeConfig):
    """Foggy days: what differs from `HazeConfig`.

    What belongs together there (a sky of fog, dull colours, nothing near, a darker exposure) must be drawn together:
    where everything is drawn on its own, none of it tells of the other, and the network takes the mean of sunny haze
    and fog for both.
    """

    scale: Range = (0.45, 1.0)
    gain: Range = (0.8, 1.2)
    gamma: Range = (0.75, 1.3)
    saturation: Range = (0.6, 1.15)
    grey_share: float = 0.08
    balance: float = 0.04
    away_share: float = 0.35
    steep_share: float = 0.4
    median: Range = (0.05, 0.8)
    uneven_share: float = 0.25
    airlight: Range = (0.5, 1.0)
    shade_share: float = 0.5
    overcast_share: float = 0.8
    exposed_share: float = 0.4
