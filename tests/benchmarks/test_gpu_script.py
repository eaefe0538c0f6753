from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import gpu
import numpy as np
import pytest
from device.engine import Lane, run_lanes
from device.memory import Host
from device.pictures import canary, planes_of
from device.planes import Shot
from device.recompose import build_recompose
from device.steady import Steady
from device.whole import build_estimate, build_whole, open_network

from rtdehaze.apps.drive import DRIVE_COLOUR
from rtdehaze.apps.frames import empty_frame
from rtdehaze.core.errors import ProviderError
from rtdehaze.core.frame import Frame, Plane
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate.session import why_no_gpu

GPU = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def shot() -> Shot:
    return Shot.of("yuv420p", 192, 128)


def fed(lane: Lane, shot: Shot) -> Lane:
    for name, plane in planes_of(shot).items():
        lane.source[name][:] = plane
    return lane


@pytest.mark.skipif(why_no_gpu() is None, reason="CUDA opens here")
def test_without_a_gpu_the_script_says_so_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, GPU, "--out", tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("skipped: ")
    assert done.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_script_needs_no_codecs(tmp_path: Path) -> None:
    words = ["--host", "--sizes", "128x96", "--formats", "nv12", "--model", "cap", "--lanes", "1", "--seconds", "0.05"]
    blocked = (
        f"import sys, runpy; sys.modules['av'] = None; sys.argv = [{str(GPU)!r}, *{[*words, '--out', str(tmp_path)]!r}]"
    )
    code = f"{blocked}; sys.path.insert(0, {str(GPU.parent)!r}); runpy.run_path({str(GPU)!r}, run_name='__main__')"
    subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    figures = json.loads((tmp_path / "gpu.json").read_text())["figures"]
    assert "no figures" in figures["device"]
    assert {row["way"] for row in figures["rows"]} == {"whole", "steady", "compute", "staged"}
    assert not [row["failed"] for row in figures["rows"] if "failed" in row]


def test_lanes_give_the_same_picture_side_by_side(shot: Shot) -> None:
    memory = Host()
    graph = build_whole(shot, open_network("cap", shot, half=False), DRIVE_COLOUR).SerializeToString()
    lanes = [fed(Lane(memory, [graph], cuda_graph=False), shot) for _ in range(3)]
    done: list[int] = []
    lock = threading.Lock()

    def step(lane: Lane) -> None:
        lane.process()
        with lock:
            done.append(lanes.index(lane))

    work = run_lanes(lanes, 0.2, step)
    assert set(done) == {0, 1, 2}
    assert work.frames == len(done) - 3 * len(lanes)  # warmed up three times each
    for lane in lanes[1:]:
        for name, plane in lane.target.items():
            assert np.array_equal(plane, lanes[0].target[name])
    assert not np.array_equal(lanes[0].target["out_y"], planes_of(shot)["y"])


def test_two_graphs_do_what_one_does(shot: Shot) -> None:
    memory, network = Host(), open_network("base", shot, half=False)
    halves = build_estimate(shot, network, DRIVE_COLOUR), build_recompose(shot, network.maps, DRIVE_COLOUR)
    parts = fed(Lane(memory, [half.SerializeToString() for half in halves], cuda_graph=False), shot)
    whole = fed(Lane(memory, [build_whole(shot, network, DRIVE_COLOUR).SerializeToString()], cuda_graph=False), shot)
    for lane in (parts, whole):
        lane.process()
    for name, plane in whole.target.items():
        assert np.abs(plane.astype(int) - parts.target[name].astype(int)).max() <= 1


def test_the_smoothing_between_two_graphs_is_the_runtimes(shot: Shot) -> None:
    memory, network = Host(), open_network("base", shot, half=False)
    answer = build_estimate(shot, network, DRIVE_COLOUR, plan=False).SerializeToString()
    recompose = build_recompose(shot, network.maps, DRIVE_COLOUR).SerializeToString()
    steady = fed(Lane(memory, [answer, recompose], cuda_graph=False, between=Steady()), shot)
    y, u, v = (Plane(plane, plane.shape[1]) for plane in planes_of(shot).values())
    frame = Frame((y, u, v), shot.pixels, shot.width, shot.height, DRIVE_COLOUR, 0, Fraction(1, 25))
    out = empty_frame(frame)
    with Dehazer.load("base", mode=Mode.MANUAL, provider="cpu", threads=1) as dehazer:
        for number in range(1, 4):
            steady.process()
            moment = replace(frame, pts=number)
            dehazer.apply(moment, dehazer.decide(moment), out)
            apart = np.abs(steady.target["out_y"].astype(int) - out.planes[0].samples.astype(int))
            assert apart.max() <= 2
            assert (apart > 0).mean() < 0.03


def test_a_lane_that_fails_ends_the_measurement_with_its_error(shot: Shot) -> None:
    def broken(_: Lane) -> None:
        raise ProviderError("out of memory")

    graph = build_whole(shot, open_network("cap", shot, half=False), DRIVE_COLOUR).SerializeToString()
    with pytest.raises(ProviderError, match="out of memory"):
        run_lanes([Lane(Host(), [graph], cuda_graph=False)] * 2, 0.1, broken)


def test_a_black_picture_does_not_pass_for_the_processors(shot: Shot) -> None:
    planes = planes_of(shot)
    assert canary(planes, planes, shot, half=False) == {"mean_levels": 0.0, "most_levels": 0.0}
    with pytest.raises(ProviderError, match="not the processor's"):
        canary({name: np.zeros_like(plane) for name, plane in planes.items()}, planes, shot, half=True)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Whoever runs the tests in the background has them, and what they start, ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# In the warm-up of one lane, while all work, and twice more while they are being waited for.
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to a thread")
@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("moments", [{1}, {20}, {20, 21, 22}])
def test_ctrl_c_stops_every_lane_before_it_is_raised(shot: Shot, moments: set[int]) -> None:
    graph = build_whole(shot, open_network("cap", shot, half=False), DRIVE_COLOUR).SerializeToString()
    lanes = [Lane(Host(), [graph], cuda_graph=False) for _ in range(3)]
    main, steps = threading.main_thread().ident, itertools.count()
    assert main is not None
    at_work: set[Lane] = set()

    def step(lane: Lane) -> None:
        at_work.add(lane)
        if next(steps) in moments:
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.2)
        lane.process()
        at_work.remove(lane)

    with pytest.raises(KeyboardInterrupt):
        run_lanes(lanes, 60.0, step)
    done = next(steps)
    assert not at_work
    time.sleep(0.1)
    assert next(steps) == done + 1


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to a process")
@pytest.mark.usefixtures("_interruptible")
def test_ctrl_c_ends_the_script_in_one_line_without_a_crash(tmp_path: Path) -> None:
    words = ["--host", "--sizes", "360p", "--formats", "yuv420p", "--lanes", "2", "--seconds", "4", "--out", tmp_path]
    script = subprocess.Popen([sys.executable, GPU, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with script:
        assert script.stdout is not None
        script.stdout.readline()  # of the parts
        script.stdout.readline()  # of the first way: the next one's lanes are opened and run
        time.sleep(1.0)
        script.send_signal(signal.SIGINT)
        _, said = script.communicate(timeout=60)
    assert script.returncode == 130
    assert said.startswith("gpu.py: interrupted")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--formats", "nosuch"], "nosuch"),
        (["--formats", "yuv444p"], "yuv444p"),
        (["--lanes", "0"], "--lanes"),
        (["--lanes", "1,x"], "--lanes"),
        (["--seconds", "-1"], "--seconds"),
        (["--sizes", "huge"], "huge"),
        (["--model", "nosuch"], "nosuch"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_measured(
    words: list[str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu.py", *words])
    with pytest.raises(SystemExit) as left:
        gpu.main()
    assert left.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]
