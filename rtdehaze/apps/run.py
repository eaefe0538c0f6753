"""What `rtdehaze run` does: a file at full speed without losing a frame, everything else live."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from rtdehaze.apps.watch.options import WatchOptions
from rtdehaze.apps.watch.watching import Watch
from rtdehaze.core.errors import UsageError
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.core.secrets import redacted
from rtdehaze.core.watch import LiveStatus, Profile
from rtdehaze.pipeline.live.report import LiveReport
from rtdehaze.pipeline.live.watch import watch
from rtdehaze.pipeline.report import Progress, Report
from rtdehaze.pipeline.transcode import transcode
from rtdehaze.stages.capture.live import is_live
from rtdehaze.stages.encode.live.places import Sort, place_of

__all__ = ["run"]

_PATIENCE_S = 2.0
"""A file waits so long for whoever reads its telemetry: every frame is to be in it, but Ctrl-C is to work."""


def run(
    source: str,
    outputs: Sequence[str],
    options: Options,
    live: LiveOptions,
    watching: WatchOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_status: Callable[[LiveStatus], None] | None = None,
    stop: threading.Event | None = None,
) -> Report | LiveReport:
    """Runs once.

    A live input is watched until it is told to stop. A file is transcoded; where one of its outputs is a stream or a
    device it is played there at its own pace instead.

    Args:
        source: What is dehazed.
        outputs: Where the result goes; none names a file after the input.
        options: What to do.
        live: What to do about connections, gaps and files that are cut by time.
        watching: What to watch for; metrics and profiles of live runs only.
        on_progress: Called while a file is transcoded.
        on_status: Called while a live run goes on.
        stop: Set it to end early.

    Returns:
        What was done, in numbers.

    Raises:
        RtdehazeError: As `transcode` and `watch` say.
    """
    sorts = [_sort(output, live) for output in outputs]
    if is_live(source) or Sort.PUSH in sorts:
        return _watch(source, outputs, options, live, watching, on_status, stop)
    _assert_for_files(source, watching)
    together = len(outputs) > 1 or live.segment is not None or Sort.NULL in sorts or Sort.PIPE in sorts
    target = outputs if together else next(iter(outputs), None)
    with Watch(watching, source=source, patience=_PATIENCE_S) as watcher:
        return transcode(
            source,
            target,
            options,
            live=live if together else None,
            observers=watcher.observers,
            on_progress=on_progress,
            stop=stop,
        )


def _watch(
    source: str,
    outputs: Sequence[str],
    options: Options,
    live: LiveOptions,
    watching: WatchOptions,
    on_status: Callable[[LiveStatus], None] | None,
    stop: threading.Event | None,
) -> LiveReport:
    base = Profile("default", options.mode, options.strength, options.smoothing)
    with Watch(watching, source=source, base=base) as watcher:
        return watch(
            source,
            outputs,
            options,
            live,
            observers=watcher.observers,
            on_progress=on_status,
            stop=stop,
            on_start=lambda started: watcher.follow(started.status, started.change),
        )


def _assert_for_files(source: str, watching: WatchOptions) -> None:
    asked = {
        "metrics": watching.metrics,
        "profile": watching.profile,
        "profile-schedule": watching.profile_schedule,
        "profile-brightness": watching.profile_brightness,
    }
    for name, value in asked.items():
        if value:
            raise UsageError(f"{redacted(source)} is a file: {name} is for live inputs and outputs")


def _sort(output: str, live: LiveOptions) -> Sort:
    try:
        return place_of(output, gop=live.gop).sort
    except UsageError:
        if "://" in output:
            raise
        # Pictures and folders, which only files can become; whatever else is wrong is said when it is opened.
        return Sort.FILE
