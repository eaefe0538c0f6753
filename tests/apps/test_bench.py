from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import sys
import threading
import weakref
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.apps.bench import bench as benching
from rtdehaze.apps.bench import opened as opening
from rtdehaze.apps.bench import rounds
from rtdehaze.apps.bench.compare import compare
from rtdehaze.apps.bench.machine import machine
from rtdehaze.apps.bench.material import gather, playable
from rtdehaze.apps.bench.plan import Plan, make_plan, parse_codec, parse_size
from rtdehaze.apps.bench.plot import plot_bench
from rtdehaze.apps.bench.reading import read_bench
from rtdehaze.apps.bench.results import SCHEMA, Bench, Spread, write_bench
from rtdehaze.apps.bench.running import Bed, Untouched, latency, resident_mib
from rtdehaze.core.errors import ModelError, ProviderError, SinkError, UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.freed import give_back_freed
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.encode.file_sink import FileSink
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.synth.drive import FoggyDrive


def small(**changes: object) -> Plan:
    words = {
        "sizes": ["96x64"],
        "models": ["cap"],
        "providers": ["cpu"],
        "codecs": ["none"],
        "seconds": 0.1,
        "rounds": 3,
    }
    return make_plan(**words | changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found() -> Bench:
    return benching.bench(small(codecs=["none", "libx264:ultrafast"]))


def test_every_combination_has_a_row_with_its_stages_and_costs(found: Bench) -> None:
    assert [row.key for row in found.rows] == [
        ("96x64", "none", "cap", "cpu"),
        ("96x64", "libx264:ultrafast", "cap", "cpu"),
    ]
    assert not found.interrupted
    for row in found.rows:
        assert list(row.stages_ms) == ["capture", "estimate", "recompose", "encode"]
        for times in row.stages_ms.values():
            assert 0 <= times["p50"] <= times["p95"] <= times["p99"]
        assert row.stages_ms["estimate"]["mean"] > 0
        assert 0 < row.latency_ms["p50"] <= row.latency_ms["p95"] <= row.latency_ms["p99"]
        assert row.fps.low <= row.fps.median <= row.fps.high
        assert row.rounds == len(row.fps.runs) == 3
        assert row.cores.median > 0
        assert row.rss_mib > row.held_mib > 0
        assert row.gpu_memory_mib is None
    assert [row.reference.what for row in found.rows] == ["copy", "transcode"]


def test_ratios_come_from_runs_that_took_turns(found: Bench) -> None:
    for row in found.rows:
        pairs = zip(row.fps.runs, row.reference.fps.runs, strict=True)
        assert row.ratio.runs == pytest.approx([ours / plain for ours, plain in pairs], rel=2e-3, abs=1e-3)
        assert row.ratio.median == statistics.median(row.ratio.runs)


def test_the_memory_of_a_row_is_given_back_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, gone = [], []

    def gathered(*given: object) -> object:
        material = gather(*given)  # type: ignore[arg-type]
        frames.append(weakref.ref(material.frames[0].planes[0].data))
        return material

    def given_back() -> None:
        give_back_freed()
        gone.append([frame() is None for frame in frames])

    monkeypatch.setattr(benching, "gather", gathered)
    monkeypatch.setattr(benching, "give_back_freed", given_back)
    benching.bench(small(sizes=["96x64", "128x96"], codecs=["none", "libx264:ultrafast"], rounds=1))
    assert gone == [[False], [False], [True, False], [True, False]]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere freed memory cannot be given back")
def test_the_place_that_was_drawn_is_not_kept() -> None:
    def resident() -> float:
        give_back_freed()
        return resident_mib()

    gather("generated", (96, 64))
    before = resident()
    gather("generated", (1280, 720))
    assert resident() - before < 20


def test_the_reference_takes_turns_at_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    run_once = rounds.run_once

    def watched(bed: object, dehazer: object, count: int, stop: object) -> object:
        order.append("plain" if isinstance(dehazer, Untouched) else "ours")
        return run_once(bed, dehazer, count, stop)  # type: ignore[arg-type]

    monkeypatch.setattr(rounds, "run_once", watched)
    benching.bench(small(codecs=["libx264:ultrafast"], rounds=3))
    warm_up = ["plain", "plain", "plain", "ours", "ours", "ours"]
    assert order == [*warm_up, "ours", "plain", "plain", "ours"]


def test_the_reference_gets_the_decoders_own_frames(foggy_clip: Path, tmp_path: Path) -> None:
    material, codec = gather(str(foggy_clip), None), parse_codec("libx264:ultrafast")
    with playable(material, 1) as play:
        bed = Bed(material, codec, play, 1)
        source = bed.source(2)
        frame = next(item for item in source.items() if isinstance(item, Frame))
        assert bed.sink(source, tmp_path, untouched=True).allocate(frame) is frame
        assert bed.sink(source, tmp_path, untouched=False).allocate(frame) is not frame


def test_the_json_says_all_and_is_read_back_as_it_was(found: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    write_bench(found, path)
    content = json.loads(path.read_text())
    assert content["schema"] == SCHEMA == "rtdehaze-bench/1"
    assert set(content) == {"schema", "date", "machine", "stolen", "settings", "interrupted", "rows"}
    assert set(content["settings"]) == {"source", "seconds", "rounds", "threads", "rtdehaze"}
    assert set(content["machine"]) == {
        "processor", "cores", "governor", "memory_gib", "gpus", "system", "python", "libraries", "revision",
    }  # fmt: skip
    assert {"av", "numpy", "numba", "opencv-python"} <= set(content["machine"]["libraries"])
    assert read_bench(path) == found


def test_a_file_of_before_stolen_time_was_looked_at_can_still_be_read(found: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    write_bench(found, path)
    content = json.loads(path.read_text())
    del content["stolen"]
    path.write_text(json.dumps(content))
    assert read_bench(path) == dataclasses.replace(found, stolen=None)


def test_the_machine_names_neither_host_nor_folder() -> None:
    text = json.dumps(machine())
    assert str(Path.cwd()) not in text
    assert machine()["cores"] >= 1


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not JSON"), ("[]", "schema"), ('{"schema": "other"}', "schema"), (f'{{"schema": "{SCHEMA}"}}', "damaged")],
)
def test_a_file_that_is_no_benchmark_is_refused_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=said):
        read_bench(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("machine",), None),
        (("machine", "libraries"), "missing"),
        (("machine", "gpus"), [1]),
        (("machine", "cores"), [[[]]]),
        (("machine", "processor"), "\ud800"),
        (("settings",), []),
        (("stolen",), "much"),
        (("rows",), None),
        (("rows", 0), 1),
        (("rows", 0, "model"), 1),
        (("rows", 0, "fps", "median"), 0),
        (("rows", 0, "fps", "median"), "24"),
        (("rows", 0, "fps", "high"), float("nan")),
        (("rows", 0, "fps", "runs"), [None]),
        (("rows", 0, "cores", "median"), True),
        (("rows", 0, "rss_mib"), 0),
        (("rows", 0, "rss_mib"), 10**400),
        (("rows", 0, "reference"), "missing"),
        (("rows", 0, "latency_ms", "p50"), "missing"),
        (("rows", 0, "stages_ms", "estimate", "mean"), None),
        (("rows", 0, "gpu_memory_mib"), "1"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line_that_says_where(
    found: Bench, tmp_path: Path, place: tuple[str | int, ...], value: object
) -> None:
    path = tmp_path / "bench.json"
    content = json.loads(json.dumps(found.to_dict()))
    part = content
    for name in place[:-1]:
        part = part[name]
    if value == "missing":
        del part[place[-1]]
    else:
        part[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="is damaged") as refused:
        read_bench(path)
    assert str(place[-1]) in str(refused.value)
    assert len(str(refused.value)) < 200 + len(str(path))


def test_a_file_of_lists_in_lists_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("[" * 200_000 + "]" * 200_000)
    with pytest.raises(UsageError, match="is damaged"):
        read_bench(path)


def test_a_model_that_leaves_nodes_to_the_cpu_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Estimator, "left_to_cpu", lambda _: ("Conv /stem/Conv",))
    with pytest.raises(ProviderError, match=r"does not really run .*Conv /stem/Conv"):
        benching.bench(small())


def test_each_model_is_charged_with_the_gpu_memory_that_its_own_opening_took(monkeypatch: pytest.MonkeyPatch) -> None:
    used = [1000]

    def opens(model: str, *, provider: str, threads: int) -> Estimator:
        used[0] += {"cap": 300, "dcp": 50}[model] if provider == "cuda" else 0
        estimator = open_estimator(model, provider="cpu", threads=threads)
        estimator._network.session.provider = provider
        return estimator

    monkeypatch.setattr(opening, "open_estimator", opens)
    monkeypatch.setattr(opening, "gpu_memory_mib", lambda: used[0])
    monkeypatch.setattr(Estimator, "left_to_cpu", lambda _: ())
    found = benching.bench(small(models=["cap", "dcp"], providers=["cuda", "cpu"], rounds=1))
    assert {row.key[2:]: row.gpu_memory_mib for row in found.rows} == {
        ("cap", "cuda"): 300,
        ("cap", "cpu"): None,
        ("dcp", "cuda"): 50,
        ("dcp", "cpu"): None,
    }


def test_an_unknown_encoder_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such-codec"):
        benching.bench_to_files(small(codecs=["no-such-codec"]), json_path=tmp_path / "bench.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("h264:no-such-preset", "no preset 'no-such-preset'; take one of ultrafast"),
        ("hevc:no-such-preset", "hevc:no-such-preset cannot be measured"),
        ("ffv1:fast", "ffv1 has no presets; write ffv1"),
        ("aac", "'aac' is unknown"),
        ("dnxhd", "'dnxhd' is unknown or cannot be measured"),
    ],
)
def test_what_cannot_be_encoded_is_refused_before_anything_is_rendered(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], codec: str, said: str
) -> None:
    monkeypatch.setattr(benching, "gather", lambda *_, **__: pytest.fail("rendered"))
    with pytest.raises(UsageError, match=said):
        benching.bench(small(codecs=["none", codec]))
    assert capfd.readouterr() == ("", "")


def test_every_size_of_a_file_is_tried(foggy_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benching, "gather", lambda *_, **__: pytest.fail("rendered"))
    with pytest.raises(UsageError, match=r"mpeg1video cannot be measured: .*8192x64"):
        benching.bench(small(source=str(foggy_clip), sizes=["96x64", "8192x64"], codecs=["mpeg1video"]))


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


def test_the_plot_shows_a_bar_for_every_combination(found: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bench.png"
    plot_bench(found, path)
    picture = cv2.imread(str(path))
    assert picture is not None
    estimate = np.array([0x77, 0x66, 0xEE])  # BGR of its colour
    rows = np.flatnonzero((np.abs(picture.astype(int) - estimate).max(2) < 8).sum(1) > 5)
    bars = 1 + np.count_nonzero(np.diff(rows) > 3)
    assert bars == len(found.rows) + 1  # and its sample in the legend


def test_a_plot_that_cannot_be_written_leaves_nothing(found: Bench, tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(SinkError, match=r"taken\.png"):
        plot_bench(found, tmp_path / "taken.png")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


def faster(bench: Bench, factor: float) -> Bench:
    rows = []
    for row in bench.rows:
        stages = {stage: {key: ms / factor for key, ms in times.items()} for stage, times in row.stages_ms.items()}
        rows.append(dataclasses.replace(row, fps=Spread.of([run * factor for run in row.fps.runs]), stages_ms=stages))
    libraries = bench.machine["libraries"] | {"numpy": "9.9"}
    return dataclasses.replace(bench, rows=tuple(rows), machine=bench.machine | {"libraries": libraries})


def test_comparing_gives_ratios_and_what_differs_between_the_machines(found: Bench) -> None:
    compared = compare(found, faster(found, 1000.0))
    for pair in compared.pairs:
        assert pair.fps == pytest.approx(1000.0)
        assert pair.fps_apart
        assert pair.stages["estimate"] == pytest.approx(0.001)
        assert pair.rss == 1.0
    assert compared.machines == {"numpy": (found.machine["libraries"]["numpy"], "9.9")}


def test_comparing_gives_the_ratio_of_the_shares_where_a_codec_was_used(found: Bench) -> None:
    rows = [dataclasses.replace(row, ratio=Spread.of([2.0 * run for run in row.ratio.runs])) for row in found.rows]
    copy, transcode = compare(found, dataclasses.replace(found, rows=tuple(rows))).pairs
    assert copy.share is None
    assert transcode.share == pytest.approx(2.0, rel=0.01)
    none = dataclasses.replace(found.rows[1], ratio=Spread.of([0.0]))
    assert compare(dataclasses.replace(found, rows=(none,)), found).pairs[0].share is None


def test_comparing_calls_no_difference_where_the_spreads_overlap(found: Bench) -> None:
    assert not any(pair.fps_apart for pair in compare(found, found).pairs)


def test_comparing_lists_what_only_one_has_and_refuses_where_nothing_is_common(found: Bench) -> None:
    first, second = (dataclasses.replace(found, rows=(row,)) for row in found.rows)
    assert compare(found, first).only_first == (found.rows[1],)
    with pytest.raises(UsageError, match="in common"):
        compare(first, second)


def test_a_file_is_measured_at_its_own_size_and_at_others(foggy_clip: Path) -> None:
    own = gather(str(foggy_clip), None)
    assert own.file == foggy_clip
    assert (own.frames[0].width, own.frames[0].height) == (160, 96)
    other = gather(str(foggy_clip), (130, 66))
    assert other.file is None
    assert [plane.samples.shape for plane in other.frames[0].planes] == [(66, 130), (33, 65), (33, 65)]
    for a, b in zip(own.frames[0].planes, other.frames[0].planes, strict=True):
        assert a.samples.mean() == pytest.approx(b.samples.mean(), abs=1.0)


def test_a_clip_that_is_read_again_and_again_has_one_clock(foggy_clip: Path) -> None:
    with playable(gather(str(foggy_clip), None), 1) as play:
        frames = [item for item in play(60).items() if isinstance(item, Frame)]
    times = [frame.pts * frame.time_base for frame in frames]
    steps = {later - earlier for earlier, later in itertools.pairwise(times)}
    assert len(frames) == 60
    assert steps == {Fraction(1, 25)}


@pytest.mark.parametrize("word", ["1080", "96x", "95x64", "96x62000", "32x32", ""])
def test_a_word_that_is_no_size_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="size"):
        parse_size(word)


def test_sizes_have_their_usual_names() -> None:
    assert [parse_size(word) for word in ("720p", "4K", "8k", "130x66")] == [
        (1280, 720),
        (3840, 2160),
        (7680, 4320),
        (130, 66),
    ]


@pytest.mark.parametrize("word", [":fast", "h264:", "none:fast", ""])
def test_a_word_that_is_no_codec_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="codec"):
        parse_codec(word)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": []}, "models"),
        ({"providers": ["npu"]}, "providers"),
        ({"rounds": 0}, "rounds"),
        ({"seconds": 0.0}, "seconds"),
        ({"threads": 0}, "threads"),
        ({"source": "missing.mp4"}, "missing.mp4"),
        ({"sizes": []}, "sizes"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        small(**changes)


def test_a_missing_model_is_said_before_anything_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benching, "gather", lambda *_: pytest.fail("rendered"))
    with pytest.raises((UsageError, ModelError), match="no-such-model"):
        benching.bench(small(models=["no-such-model"]))
