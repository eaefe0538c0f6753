"""The figures of a benchmark: medians with their spread, as JSON; `reading` reads them back."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError

__all__ = ["SCHEMA", "Bench", "Reference", "Row", "Spread", "assert_free", "write_bench", "write_whole"]

SCHEMA = "rtdehaze-bench/1"
"""Named in every file; the number grows when a figure's meaning changes."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure that was measured several times."""

    median: float
    low: float
    high: float
    runs: tuple[float, ...]
    """In the order of the rounds."""

    @classmethod
    def of(cls, runs: Sequence[float], digits: int = 3) -> Spread:
        """Sums runs up; there must be one at least."""
        rounded = tuple(round(run, digits) for run in runs)
        return cls(round(statistics.median(runs), digits), min(rounded), max(rounded), rounded)


@dataclass(frozen=True, slots=True)
class Reference:
    """What took turns with the dehazing: everything but it."""

    what: str
    """`transcode`: decoder to encoder, frames untouched. `copy`: without codecs, planes copied."""
    fps: Spread
    cores: Spread
    rss_mib: float


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one combination."""

    size: str
    """`1920x1080`."""
    codec: str
    model: str
    provider: str
    """Where the model really ran."""
    provider_note: str
    rounds: int
    frames: int
    """Of one run."""
    fps: Spread
    reference: Reference
    ratio: Spread
    """Ours over the reference, round by round."""
    stages_ms: dict[str, dict[str, float]]
    """By stage: p50, p95, p99 and mean of the work on a frame, medians over the rounds. Codecs answer in bursts: of
    theirs only the mean says where the time goes."""
    latency_ms: dict[str, float]
    """p50, p95, p99 from a decoded frame to its clear picture, nothing else running: what dehazing adds."""
    cores: Spread
    """Processor seconds per second: cores that are busy on average."""
    rss_mib: float
    """Peak of the process during the runs, libraries, models and the benchmark's own frames included (`held_mib`). What
    earlier rows freed is given back before; libraries that they loaded and pools that they filled stay, tens of MiB."""
    held_mib: float
    gpu_memory_mib: int | None
    """More in use on the GPU right after the model was opened and tried once than before; None on the CPU. The first
    model of a benchmark bears what the process itself takes there."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two rows comparable."""
        return self.size, self.codec, self.model, self.provider


@dataclass(frozen=True, slots=True)
class Bench:
    """All figures, and where they come from."""

    date: str
    """UTC, ISO 8601."""
    machine: dict[str, Any]
    """As `machine()` describes it."""
    stolen: float | None
    """Share of the processor time wanted meanwhile, in [0, 1], that other machines on the host got; None where the
    system does not tell."""
    settings: dict[str, Any]
    """`source`, `seconds`, `rounds`, `threads`, `rtdehaze` (the version)."""
    interrupted: bool
    """Some combinations are missing, or have fewer rounds than were asked for."""
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return {"schema": SCHEMA} | asdict(self)


def assert_free(path: Path, *, overwrite: bool) -> None:
    """Refuses, before anything is measured, a file that could not be written afterwards.

    Raises:
        OutputExistsError: It exists and `overwrite` is false.
        UsageError: Its folder is not there.
    """
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists; give --overwrite to replace it, or another name")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent} is no folder; make it, or choose another place for {path.name}")


def write_bench(bench: Bench, path: Path) -> None:
    """Writes the figures as JSON; a reader never finds half a file.

    Raises:
        SinkError: It cannot be written.
    """
    write_whole(path, (json.dumps(bench.to_dict(), indent=1) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside its place and moves it there.

    Raises:
        SinkError: It cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SinkError(f"{path} cannot be written ({error.strerror}); choose another place") from error
