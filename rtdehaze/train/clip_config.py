"""What a training run for video is told besides what one for pictures is told."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ClipConfig"]


@dataclass(frozen=True, slots=True)
class ClipConfig:
    """How clips are made. Speeds are of one frame to the next, drifts of a whole clip, all drawn up to these."""

    frames: int = 1
    """Frames of a clip, all of which a step learns from; 1 learns from single pictures."""
    pan: float = 0.02
    """Camera speed over still pictures, as a share of the view's width."""
    zoom: float = 0.015
    """Relative change of the view's width."""
    parallax: float = 0.02
    """How far the nearest point moves against the farthest, as a share of the view's width."""
    shake: float = 0.001
    """Standard deviation of the hand's trembling, as a share of the view's width."""
    density_drift: float = 0.1
    """Relative change of beta."""
    airlight_drift: float = 0.02
    """Change of the airlight's channels, in units of the picture's range."""
    exposure_drift: float = 0.06
    """Relative change of the exposure, of haze and scene alike."""
    cut_share: float = 0.15
    """Share of clips with a cut."""
    missed_cuts: float = 0.3
    """Share of the cuts that the network is not told of, as the detector misses some."""
    drives: int = 0
    """Generated drives, rendered before training begins."""
    drive_seconds: float = 4.0
    drive_share: float = 0.0
    """Share of clips that come from them."""
    video_share: float = 0.0
    """Share of clips that come from `data.videos`; their depth is invented, their motion found by optical flow."""
    frozen: int = 0
    """Finest levels of the network (and its normalisation everywhere) that stay as the run was started with."""
