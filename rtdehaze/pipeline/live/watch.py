"""A camera in, clear video out, for weeks: opens both ends, runs the pipeline between them, and cleans up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from rtdehaze.core.errors import UsageError
from rtdehaze.core.live import LiveOptions, LiveOutputs, LiveSource
from rtdehaze.core.options import Options
from rtdehaze.core.secrets import redacted
from rtdehaze.core.watch import LiveStatus, Observer, Profile
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.live.dehazing import SteadyDehazer
from rtdehaze.pipeline.live.feed import Feed
from rtdehaze.pipeline.live.fillers import Fillers
from rtdehaze.pipeline.live.pace import LADDER, Pace
from rtdehaze.pipeline.live.report import LiveReport
from rtdehaze.pipeline.live.runner import LiveRunner
from rtdehaze.pipeline.notes import collected_notes
from rtdehaze.pipeline.opening import facts_of, open_dehazer, tag_of
from rtdehaze.pipeline.threads import ThreadPlan, opencv_threads, plan_live_threads
from rtdehaze.stages.capture.live import is_live, open_live_source
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.recompose.compare import Comparison

__all__ = ["LiveRun", "watch", "watch_source"]


class LiveRun:
    """A live run that goes on, for those who follow it; both methods may be called from any thread."""

    def __init__(self, runner: LiveRunner, dehazer: Dehazer) -> None:
        self._runner, self._dehazer = runner, dehazer

    def status(self) -> LiveStatus:
        """Says how the run stands."""
        return self._runner.status()

    def change(self, profile: Profile) -> None:
        """Changes to a profile; the picture glides there within half a second.

        Raises:
            UsageError: It needs a model, and none was loaded.
        """
        self._dehazer.change(mode=profile.mode, strength=profile.strength, smoothing=profile.smoothing)
        self._runner.profile = profile.name


def watch(
    input: str | Path,  # noqa: A002 - the word that users know
    outputs: Sequence[str],
    options: Options | None = None,
    live: LiveOptions | None = None,
    *,
    observers: Sequence[Observer] = (),
    on_progress: Callable[[LiveStatus], None] | None = None,
    stop: threading.Event | None = None,
    on_start: Callable[[LiveRun], None] | None = None,
) -> LiveReport:
    """Dehazes a live source until it is told to stop; a file is played at its own pace.

    Frames are never waited for: where a stage is not free the oldest is dropped and counted. The source is connected to
    again and again, each output by itself is, too.

    Args:
        input: A camera, a stream, a screen, `-`, or a file.
        outputs: Where the result goes: files, streams, `null`.
        options: What to do; `duration` counts from the first frame on.
        live: What to do about connections, gaps and files that are cut by time.
        observers: Are told the haze of every frame, by a thread of their own; closed at the end. The model is loaded
            for them in mode `off`, too.
        on_progress: Called about four times a second.
        stop: Set it to end within two seconds; every output is completed as far as it can be.
        on_start: Called once before the source is asked for, with what can be asked and changed while it runs.

    Returns:
        What was done, in numbers.

    Raises:
        UsageError: An option or the combination of input and outputs cannot be used.
        SourceError: The source gave up.
        SinkError: No encoder opens for such frames, or no output is left.
        ModelError: The model is broken, or the provider that was asked for did not open.
    """
    options, live = options or Options(), live or LiveOptions()
    _check(str(input), outputs, options)
    source = _open_source(str(input), options, live)
    return watch_source(
        source,
        outputs,
        options,
        live,
        observers=observers,
        on_progress=on_progress,
        stop=stop,
        on_start=on_start,
        duration=_limit(str(input), options, live=True),
    )


def watch_source(
    source: LiveSource,
    outputs: Sequence[str],
    options: Options,
    live: LiveOptions,
    *,
    observers: Sequence[Observer] = (),
    on_progress: Callable[[LiveStatus], None] | None = None,
    stop: threading.Event | None = None,
    on_start: Callable[[LiveRun], None] | None = None,
    duration: float | None = None,
) -> LiveReport:
    """Does what `watch` does with a source of one's own, which is closed at the end.

    Args:
        source: Where frames come from.
        outputs: As in `watch`, and so are the others.
        options: What is said there about reading is not looked at.
        live: Likewise.
        observers: See `watch`.
        on_progress: See `watch`.
        stop: See `watch`.
        on_start: See `watch`.
        duration: Seconds from the first frame on; None runs until the source ends.
    """
    plan = plan_live_threads(options.threads)
    with ExitStack() as open_things:
        open_things.enter_context(closing(source))
        notes = open_things.enter_context(collected_notes())
        open_things.enter_context(opencv_threads(1))
        comparison = Comparison(options.compare) if options.compare else None
        sinks = _open_outputs(outputs, options, live, source, plan, comparison)
        open_things.enter_context(closing(sinks))
        dehazer = open_things.enter_context(open_dehazer(options, plan, comparison=comparison, sensing=bool(observers)))
        runner = _make_runner(source, dehazer, sinks, options, live, observers)
        if on_start is not None:
            on_start(LiveRun(runner, dehazer))
        runner.run(on_progress=on_progress, stop=stop, duration=duration)
        return _report(source, runner, dehazer, options, tuple(notes))


def _open_outputs(
    outputs: Sequence[str],
    options: Options,
    live: LiveOptions,
    source: LiveSource,
    plan: ThreadPlan,
    comparison: Comparison | None,
) -> LiveOutputs:
    return open_live_outputs(
        outputs,
        options,
        live,
        source=source.location,
        size_of=comparison.size if comparison else None,
        threads=plan.encode,
        tag=tag_of(options),
    )


def _make_runner(
    source: LiveSource,
    dehazer: Dehazer,
    sinks: LiveOutputs,
    options: Options,
    live: LiveOptions,
    observers: Sequence[Observer],
) -> LiveRunner:
    return LiveRunner(
        source,
        SteadyDehazer(dehazer, options),
        sinks,
        fillers=Fillers(live.on_loss, source.location, sinks),
        feed=Feed(observers),
        # Without smoothing there is no map that could be carried along.
        pace=Pace(options.every, LADDER if options.smoothing > 0.0 else ()),
        max_latency=live.max_latency,
    )


def _check(location: str, outputs: Sequence[str], options: Options) -> None:
    if not outputs:
        shown = redacted(location)
        raise UsageError(f"{shown} is live: say where to, with -o: out.mp4, rtsp://..., or null to only watch")
    if options.start is not None and is_live(location):
        raise UsageError("start is for files: a live source begins when it is connected")


def _limit(location: str, options: Options, *, live: bool) -> float | None:
    """The duration, if it is the run's (`live`) or the file's to keep to."""
    return options.duration if is_live(location) is live else None


def _open_source(location: str, options: Options, live: LiveOptions) -> LiveSource:
    return open_live_source(
        location,
        live,
        threads=plan_live_threads(options.threads).decode,
        hwaccel=options.hwaccel,
        hdr=options.hdr.value,
        deinterlace=options.deinterlace,
        start=options.start,
        duration=_limit(location, options, live=False),
        fps=options.rate,
    )


def _report(
    source: LiveSource, runner: LiveRunner, dehazer: Dehazer, options: Options, notes: tuple[str, ...]
) -> LiveReport:
    density = runner.accounts.mean_density
    return LiveReport.of(
        runner.status(),
        input=source.location,
        packets_copied=runner.accounts.packets,
        mean_density=None if density is None else round(density, 4),
        interrupted=runner.interrupted,
        notes=notes,
        **facts_of(options, dehazer),
    )
