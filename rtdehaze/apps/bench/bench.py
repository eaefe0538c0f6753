"""The benchmark: every combination against its reference, in turns, in one process."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import rtdehaze
from rtdehaze.apps.bench.encoders import assert_encodable
from rtdehaze.apps.bench.machine import machine
from rtdehaze.apps.bench.material import Material, gather, playable
from rtdehaze.apps.bench.notes import each_said_once
from rtdehaze.apps.bench.opened import Opened, open_all
from rtdehaze.apps.bench.plan import NO_CODEC, Case, Codec, Plan
from rtdehaze.apps.bench.plot import assert_plottable, plot_bench
from rtdehaze.apps.bench.results import Bench, Row, assert_free, write_bench
from rtdehaze.apps.bench.rounds import Rounds
from rtdehaze.apps.bench.running import Bed, Untouched, as_in_a_run
from rtdehaze.apps.bench.stolen import StolenTime
from rtdehaze.core.errors import UsageError
from rtdehaze.core.freed import give_back_freed
from rtdehaze.core.options import Mode
from rtdehaze.core.stream import Source
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.runner import FrameDehazer
from rtdehaze.pipeline.threads import ThreadPlan, opencv_threads, plan_threads

__all__ = ["Progress", "bench", "bench_to_files"]

Progress = Callable[[str, int, int], None]
"""Called with the name of a combination or of what is being prepared, how much of it is done, and how much there is."""


def bench(plan: Plan, *, on_progress: Progress | None = None, stop: threading.Event | None = None) -> Bench:
    """Measures every combination of a plan.

    Ours and the reference take turns, the one that begins too; the warm-up before them is not counted. A warning that
    every run would repeat is said once.

    Args:
        plan: What is to be measured.
        on_progress: Called after every round.
        stop: Set it to end early: rounds that are complete count, and the result says `interrupted`.

    Raises:
        ProviderError: A provider did not open, or left part of a model to the CPU; before anything is measured.
        UsageError: There is no such model, codec or preset, or an encoder does not open; before anything is measured.
        SourceError: The source cannot be read.
    """
    stop = stop or threading.Event()
    threads = plan_threads(plan.threads)
    rows: list[Row] = []
    stolen = StolenTime()
    with opencv_threads(1), each_said_once():
        assert_encodable(plan, threads.encode)
        opened = open_all(plan, threads)
        for size in plan.sizes or (None,):
            rows += _rows_of(size, opened, plan, threads, on_progress, stop)
    expected = max(1, len(plan.sizes)) * len(plan.codecs) * len(opened)
    complete = len(rows) == expected and all(row.rounds == plan.rounds for row in rows)
    return _bench(plan, rows, stolen.share(), interrupted=not complete)


def bench_to_files(
    plan: Plan,
    *,
    json_path: Path | None = None,
    plot_path: Path | None = None,
    overwrite: bool = False,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Bench:
    """Measures and writes what was asked for; what cannot be written is refused before anything is measured.

    An interrupted benchmark writes the combinations that it has, and nothing where it has none.

    Raises:
        UsageError: Both are one file.
        OutputExistsError: A file exists and `overwrite` is false.
        MissingDependencyError: A plot was asked for and matplotlib is not installed.
        SinkError: A file cannot be written.
        RtdehazeError: As `bench`.
    """
    if json_path is not None and plot_path is not None and _place(json_path) == _place(plot_path):
        raise UsageError(f"--json and --plot both name {plot_path}: one would overwrite the other; give two names")
    for path in (json_path, plot_path):
        if path is not None:
            assert_free(path, overwrite=overwrite)
    if plot_path is not None:
        assert_plottable(plot_path)
    found = bench(plan, on_progress=on_progress, stop=stop)
    if found.rows and json_path is not None:
        write_bench(found, json_path)
    if found.rows and plot_path is not None:
        plot_bench(found, plot_path)
    return found


def _place(path: Path) -> Path:
    """Where a file is put: over a link, not where it leads."""
    return path.parent.resolve() / path.name


def _rows_of(
    size: tuple[int, int] | None,
    opened: list[Opened],
    plan: Plan,
    threads: ThreadPlan,
    on_progress: Progress | None,
    stop: threading.Event,
) -> list[Row]:
    """Every combination of one size; what its frames hold goes with the end of this function."""
    rows: list[Row] = []
    if stop.is_set():
        return rows
    material = _gathered(plan.source, size, on_progress, stop)
    for codec in plan.codecs:
        if stop.is_set():
            break
        with _laid(material, codec, threads, stop) as bed:
            for one in opened:
                row = None if stop.is_set() else _row(bed, one, codec, plan, threads, on_progress, stop)
                rows += [row] if row is not None else []
    return rows


def _gathered(
    source: str, size: tuple[int, int] | None, on_progress: Progress | None, stop: threading.Event
) -> Material:
    """The frames; large ones take longer to render than to measure, so it is said."""
    name = "frames" if size is None else f"frames of {size[0]}x{size[1]}"
    if on_progress is not None:
        on_progress(name, 0, 1)
    material = gather(source, size, stop)
    if on_progress is not None:
        on_progress(name, 1, 1)
    return material


@contextmanager
def _laid(material: Material, codec: Codec, threads: ThreadPlan, stop: threading.Event) -> Iterator[Bed]:
    with ExitStack() as held:
        play: Callable[[int], Source] | None = None
        if codec.name != NO_CODEC:
            play = held.enter_context(playable(material, threads.decode, stop))
        yield Bed(material, codec, play, threads.encode)


def _row(
    bed: Bed,
    opened: Opened,
    codec: Codec,
    plan: Plan,
    threads: ThreadPlan,
    on_progress: Progress | None,
    stop: threading.Event,
) -> Row | None:
    frame, estimator = bed.frames[0], opened.estimator
    case = Case((frame.width, frame.height), estimator.name, estimator.provider, codec)

    def tell(rounds: int) -> None:
        if on_progress is not None:
            on_progress(case.label, rounds, plan.rounds)

    def ours() -> Dehazer:
        return as_in_a_run(estimator, threads)

    def plain() -> FrameDehazer:
        return Dehazer(None, mode=Mode.OFF) if bed.in_memory else Untouched()

    tell(0)
    # The memory of a row is its own, not what the rows before it freed.
    give_back_freed()
    taken = Rounds(bed, ours, plain, plan.seconds, stop)
    for number in range(plan.rounds):
        if not taken.take(number):
            break
        tell(number + 1)
    return taken.row(case, opened) if taken.ours else None


def _bench(plan: Plan, rows: list[Row], stolen: float | None, *, interrupted: bool) -> Bench:
    if not rows and not interrupted:
        raise UsageError("nothing to measure: no combination of sizes, codecs, models and providers")
    settings = {
        name: value for name, value in dataclasses.asdict(plan).items() if name in ("threads", "seconds", "rounds")
    }
    # A path is the user's own; the name is enough to know the file again.
    settings |= {"source": Path(plan.source).name, "rtdehaze": rtdehaze.__version__}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return Bench(date, machine(), stolen, settings, interrupted, tuple(rows))
