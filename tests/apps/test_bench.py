from __future__ import annotations

import json
import statistics
import weakref
from pathlib import Path

import pytest

from rtdehaze.apps.bench import bench as benching
from rtdehaze.apps.bench import opened as opening
from rtdehaze.apps.bench import rounds
from rtdehaze.apps.bench.machine import machine
from rtdehaze.apps.bench.material import gather, playable
from rtdehaze.apps.bench.plan import parse_codec
from rtdehaze.apps.bench.results import Bench
from rtdehaze.apps.bench.running import Bed, Untouched
from rtdehaze.core.errors import ModelError, ProviderError, UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.freed import give_back_freed
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from tests.apps.bench_plans import small


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
        material = gather(*given)
        frames.append(weakref.ref(material.frames[0].planes[0].data))
        return material

    def given_back() -> None:
        give_back_freed()
        gone.append([frame() is None for frame in frames])

    monkeypatch.setattr(benching, "gather", gathered)
    monkeypatch.setattr(benching, "give_back_freed", given_back)
    benching.bench(small(sizes=["96x64", "128x96"], codecs=["none", "libx264:ultrafast"], rounds=1))
    assert gone == [[False], [False], [True, False], [True, False]]


def test_the_reference_takes_turns_at_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    run_once = rounds.run_once

    def watched(bed: object, dehazer: object, count: int, stop: object) -> object:
        order.append("plain" if isinstance(dehazer, Untouched) else "ours")
        return run_once(bed, dehazer, count, stop)

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


def test_the_machine_names_neither_host_nor_folder() -> None:
    text = json.dumps(machine())
    assert str(Path.cwd()) not in text
    assert machine()["cores"] >= 1


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
