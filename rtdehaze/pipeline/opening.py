"""What runs on files and live runs open alike: the source of a file, the dehazer, the tag."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import rtdehaze
from rtdehaze.core.options import Mode, Options
from rtdehaze.core.stream import Source
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.threads import ThreadPlan
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.recompose.compare import Comparison
from rtdehaze.stages.recompose.keep import KeepMask

__all__ = ["HDR_TRANSFERS", "facts_of", "open_dehazer", "open_file", "tag_of"]

HDR_TRANSFERS = (16, 18)
"""PQ and HLG (ITU-T H.273): a source that lets them through asks for no dehazing."""

_log = logging.getLogger("rtdehaze.pipeline")


def open_file(location: str, options: Options, plan: ThreadPlan) -> Source:
    """Opens a file, a folder of pictures or a pattern."""
    return open_source(
        location,
        start=options.start,
        duration=options.duration,
        threads=plan.decode,
        hwaccel=options.hwaccel,
        hdr=options.hdr.value,
        deinterlace=options.deinterlace,
        fps=options.rate,
    )


def open_dehazer(
    options: Options,
    plan: ThreadPlan,
    *,
    keep: KeepMask | None = None,
    comparison: Comparison | None = None,
    sensing: bool = False,
) -> Dehazer:
    """Opens the model and makes the dehazer.

    Args:
        options: What to do.
        plan: Threads of inference and recomposition.
        keep: What is to be left untouched.
        comparison: How input and output share the picture.
        sensing: Load the model in mode `off`, too.
    """
    estimator = None
    if sensing or options.mode is not Mode.OFF:
        estimator = open_estimator(
            options.model or DEFAULT_MODEL, provider=options.provider.value, threads=plan.inference
        )
        _log.info("%s: %s", estimator.name, estimator.provider_note)
    return Dehazer(
        estimator,
        mode=options.mode,
        strength=options.strength,
        smoothing=options.smoothing,
        every=options.every,
        exposure=options.exposure,
        keep=keep,
        comparison=comparison,
        threads=plan.recompose,
        aside=plan.aside,
    )


def tag_of(options: Options) -> str | None:
    """Returns the note of program, version and model for outputs; None where none is wanted."""
    if not options.tag:
        return None
    return f"rtdehaze {rtdehaze.__version__}, model {Path(options.model or DEFAULT_MODEL).stem}"


def facts_of(options: Options, dehazer: Dehazer) -> dict[str, Any]:
    """Returns what reports of files and of live runs say alike: what was chosen, with which model, by which version."""
    estimator = dehazer.estimator
    return {
        "mode": options.mode.value,
        "strength": options.strength,
        "smoothing": options.smoothing,
        "model": estimator.name if estimator else None,
        "provider": estimator.provider if estimator else None,
        "provider_note": estimator.provider_note if estimator else None,
        "version": rtdehaze.__version__,
    }
