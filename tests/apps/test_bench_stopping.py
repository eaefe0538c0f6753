from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rtdehaze.apps.bench import bench as benching
from rtdehaze.apps.bench.material import gather, playable
from rtdehaze.apps.bench.reading import read_bench
from rtdehaze.apps.bench.running import latency
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.encode.file_sink import FileSink
from rtdehaze.synth.drive import FoggyDrive
from tests.apps.bench_plans import small


def test_what_is_complete_survives_an_interruption(tmp_path: Path) -> None:
    stop, path = threading.Event(), tmp_path / "bench.json"

    def after_two_rounds(_: str, done: int, __: int) -> None:
        if done == 2:
            stop.set()

    plan = small(codecs=["none", "libx264:ultrafast"])
    found = benching.bench_to_files(plan, json_path=path, on_progress=after_two_rounds, stop=stop)
    assert found.interrupted
    assert [row.rounds for row in found.rows] == [2]
    assert read_bench(path) == found


def test_no_further_size_is_rendered_once_it_was_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, sizes = threading.Event(), []

    def gathered(source: str, size: tuple[int, int], stop: threading.Event) -> object:
        sizes.append(size)
        return gather(source, size, stop)

    def after_a_round(name: str, done: int, _: int) -> None:
        if done and not name.startswith("frames"):
            stop.set()

    monkeypatch.setattr(benching, "gather", gathered)
    monkeypatch.setattr(benching, "playable", lambda *_: pytest.fail("encoded"))
    plan = small(sizes=["96x64", "128x96"], codecs=["none", "libx264:ultrafast"])
    found = benching.bench(plan, on_progress=after_a_round, stop=stop)
    assert found.interrupted
    assert len(found.rows) == 1
    assert sizes == [(96, 64)]


def test_rendering_and_encoding_end_when_they_are_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    whole = gather("generated", (96, 64))
    frame, drawn, written = FoggyDrive.frame, [], []

    def drawing(drive: FoggyDrive, number: int) -> object:
        drawn.append(number)
        stop.set()
        return frame(drive, number)

    monkeypatch.setattr(FoggyDrive, "frame", drawing)
    assert len(gather("generated", (96, 64), stop).frames) < len(whole.frames)
    assert drawn == [0]

    write = FileSink.write

    def writing(sink: FileSink, item: Frame) -> None:
        written.append(item)
        stop.set()
        write(sink, item)

    stop.clear()
    monkeypatch.setattr(FileSink, "write", writing)
    with playable(whole, 1, stop):
        assert len(written) == 1


def test_latency_ends_when_it_is_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, dehazer, applied = threading.Event(), Dehazer(None, mode=Mode.OFF), []
    stop.set()
    monkeypatch.setattr(dehazer, "apply", lambda *_: applied.append(1))
    latency(dehazer, gather("generated", (96, 64)).frames, 3600.0, stop)
    assert applied == [1]


def test_an_interruption_before_the_first_round_writes_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    found = benching.bench_to_files(small(), json_path=tmp_path / "b.json", plot_path=tmp_path / "b.png", stop=stop)
    assert found.interrupted
    assert not found.rows
    assert not list(tmp_path.iterdir())
