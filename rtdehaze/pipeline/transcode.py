"""A hazy video in, a clear video out: opens both ends, runs the pipeline between them, and cleans up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rtdehaze.core.errors import RtdehazeError, UsageError
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Mode, Options
from rtdehaze.core.stream import Sink, Source
from rtdehaze.core.watch import Observer
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.notes import collected_notes
from rtdehaze.pipeline.opening import HDR_TRANSFERS, facts_of, open_dehazer, open_file, tag_of
from rtdehaze.pipeline.report import Progress, Report, StageTimes
from rtdehaze.pipeline.runner import Runner, Tally
from rtdehaze.pipeline.several import SeveralSinks
from rtdehaze.pipeline.threads import ThreadPlan, opencv_threads, plan_threads
from rtdehaze.stages.encode.sink import open_sink
from rtdehaze.stages.recompose.compare import Comparison
from rtdehaze.stages.recompose.keep import KeepMask

__all__ = ["carry_out", "default_output", "transcode"]

_log = logging.getLogger("rtdehaze.pipeline")


def transcode(
    input: str | Path,  # noqa: A002 - the word that users know
    output: str | Path | Sequence[str] | None = None,
    options: Options | None = None,
    *,
    live: LiveOptions | None = None,
    observers: Sequence[Observer] = (),
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    **changes: Any,
) -> Report:
    """Dehazes a video, a picture or a sequence of pictures into a file.

    Everything else in the input (audio, subtitles, chapters, metadata...) is kept as far as the output can hold it.

    Args:
        input: A file, a folder of pictures or a pattern such as `frames/%05d.png`.
        output: Where the result goes; None takes `default_output(input)`. Several share their encoders; they may be
            files, `null` and `-`.
        options: What to do; None takes the defaults.
        live: How several outputs are cut by time; None leaves them whole.
        observers: Told of every frame's haze; they are the caller's to close.
        on_progress: Called about ten times a second.
        stop: Set it to end early; what was encoded so far is then kept as the output.
        **changes: Single options by name (see `Options`), on top of `options`.

    Returns:
        What was done, in numbers.

    Raises:
        UsageError: An option or the combination of input and output cannot be used.
        SourceError: The input cannot be opened or read.
        SinkError: The output cannot be written.
        ModelError: The model is broken, or the provider that was asked for did not open.
    """
    options = _with_changes(options or Options(), changes)
    target = default_output(str(input)) if output is None else output
    plan = plan_threads(options.threads)
    with ExitStack() as open_things:
        notes = open_things.enter_context(collected_notes())
        open_things.enter_context(opencv_threads(1))
        source = open_things.enter_context(closing(open_file(str(input), options, plan)))
        if source.video.colour.tags.transfer in HDR_TRANSFERS:
            options = replace(options, mode=Mode.OFF)
        comparison = Comparison(options.compare) if options.compare else None
        keep = _keep_mask(source, options)
        dehazer = open_things.enter_context(open_dehazer(options, plan, keep=keep, comparison=comparison))
        sink: Sink
        if isinstance(target, (str, Path)):
            sink = _open_sink(str(target), source, options, plan, comparison)
        else:
            cuts, encode = live or LiveOptions(), plan.encode
            sink = SeveralSinks(target, source, options, cuts, comparison=comparison, threads=encode)
        tally = carry_out(Runner(source, dehazer, sink, observers=observers), sink, on_progress, stop)
        return _report(source, sink, dehazer, options, tally, tuple(notes))


def default_output(location: str) -> str:
    """Names the output after the input: `foggy.mp4` -> `foggy-clear.mp4`, in the same folder."""
    path = Path(location)
    if path.is_dir():
        return str(path.with_name(f"{path.resolve().name}-clear"))
    if "%" in path.name:
        return str(path.parent.with_name(f"{path.resolve().parent.name}-clear") / path.name)
    return str(path.with_name(f"{path.stem}-clear{path.suffix}"))


def _with_changes(options: Options, changes: dict[str, Any]) -> Options:
    try:
        return replace(options, **changes)
    except TypeError:
        unknown = ", ".join(sorted(set(changes) - set(Options.__dataclass_fields__)))
        raise UsageError(f"no such option: {unknown}; there are: {', '.join(Options.__dataclass_fields__)}") from None


def _keep_mask(source: Source, options: Options) -> KeepMask | None:
    if not options.mask and not options.keep_boxes:
        return None
    return KeepMask.load(source.video.width, source.video.height, mask=options.mask, boxes=options.keep_boxes)


def _open_sink(
    location: str, source: Source, options: Options, plan: ThreadPlan, comparison: Comparison | None
) -> Sink:
    width, height = source.video.width, source.video.height
    if comparison is not None:
        width, height = comparison.size(width, height)
    return open_sink(
        location,
        source,
        width=width,
        height=height,
        codec=options.codec,
        encoder=options.encoder,
        crf=options.crf,
        preset=options.preset,
        bitrate=options.bitrate,
        pixel_format=options.pixel_format,
        threads=plan.encode,
        overwrite=options.overwrite,
        strict=options.strict,
        tag=tag_of(options),
    )


def carry_out(
    runner: Runner,
    sink: Sink,
    on_progress: Callable[[Progress], None] | None,
    stop: threading.Event | None,
) -> Tally:
    """Runs, and leaves behind a finished output, what was encoded until an interruption, or nothing.

    Args:
        runner: Not started yet.
        sink: The one that the runner writes to.
        on_progress: As in `transcode`.
        stop: As in `transcode`.
    """
    try:
        tally = runner.run(on_progress=on_progress, stop=stop)
    except KeyboardInterrupt:
        _keep(sink, "interrupted", runner.tally)
        raise
    except RtdehazeError:
        if sink.replaces:
            sink.abort(keep=False)
        else:
            _keep(sink, "failed", runner.tally)
        raise
    except BaseException:
        sink.abort(keep=False)
        raise
    if tally.interrupted:
        _keep(sink, "interrupted", tally)
    return tally


def _keep(sink: Sink, what: str, tally: Tally) -> None:
    if sink.abort(keep=True):
        _log.warning("%s after %d frames; %s holds what was encoded so far", what, tally.frames_out, sink.location)
    else:
        _log.warning("%s before the first frame; nothing was written", what)


def _report(
    source: Source, sink: Sink, dehazer: Dehazer, options: Options, tally: Tally, notes: tuple[str, ...]
) -> Report:
    return Report(
        input=source.location,
        output=sink.location,
        frames_in=tally.frames_in,
        frames_out=tally.frames_out,
        dropped=tally.frames_in - tally.frames_out,
        packets_copied=tally.packets,
        seconds=round(tally.seconds, 3),
        fps=round(tally.frames_out / tally.seconds, 2) if tally.seconds else 0.0,
        stages={name: StageTimes.of(durations) for name, durations in tally.stages.items()},
        mean_density=round(tally.density_sum / tally.densities, 4) if tally.densities else None,
        interrupted=tally.interrupted,
        notes=notes,
        **facts_of(options, dehazer),
    )
