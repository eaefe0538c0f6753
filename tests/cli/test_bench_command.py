from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from rtdehaze.stages.estimate.session import why_no_gpu
from tests.conftest import Result

QUICK = ("--sizes", "96x64", "--models", "cap", "--codec", "none", "--seconds", "0.1", "--rounds", "1")

Command = Callable[..., Result]


def test_a_benchmark_prints_its_tables_and_writes_what_was_asked_for(rtdehaze: Command, tmp_path: Path) -> None:
    figures, plot = tmp_path / "a.json", tmp_path / "a.png"
    result = rtdehaze("bench", *QUICK, "--providers", "cpu", "--json", figures, "--plot", plot)
    assert result.code == 0
    assert result.err == ""
    for word in ("96x64", "cap", "cpu", "where the time goes", "estimate", "recompose", "█"):
        assert word in result.out
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert json.loads(figures.read_text())["rows"][0]["provider"] == "cpu"

    compared = rtdehaze("bench", "compare", figures, figures)
    assert compared.code == 0
    assert "same machine" in compared.out
    assert "~1.000" in compared.out


@pytest.mark.skipif(why_no_gpu() is None, reason="CUDA opens here")
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_provider_that_does_not_open_is_an_error_and_no_number(
    rtdehaze: Command, tmp_path: Path, provider: str
) -> None:
    path = tmp_path / "a.json"
    result = rtdehaze("bench", *QUICK, "--providers", f"cpu,{provider}", "--json", path)
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith(f"rtdehaze: error: provider {provider} cannot be used")
    assert "--providers cpu" in result.err
    assert result.err.count("\n") == 1
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sizes", "huge"), "huge"),
        (("--codec", "no-such-codec"), "no-such-codec"),
        (("--codec", "none,h264:no-such-preset"), "no-such-preset"),
        (("--providers", "npu"), "npu"),
        (("--models", "no-such-model"), "no-such-model"),
        (("--source", "missing.mp4"), "missing.mp4"),
        (("--json", "missing-folder/a.json"), "missing-folder"),
        (("--plot", "a.txt"), "a.txt"),
        (("compare", "missing.json", "missing.json"), "missing.json"),
    ],
)
def test_what_cannot_be_measured_is_one_line_and_exit_code_2(
    rtdehaze: Command, words: tuple[str, ...], said: str
) -> None:
    result = rtdehaze("bench", *(() if words[0] == "compare" else QUICK), *words)
    assert result.code == 2
    assert said in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("size", ["160x96", "96x64"])
def test_what_every_run_would_say_is_said_once(rtdehaze: Command, tmp_path: Path, size: str) -> None:
    clip = tmp_path / "rgb.mkv"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "bgr0"
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 130, np.uint8), "rgb24")
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode())
    words = ("--sizes", size, "--codec", "none,h264:ultrafast,prores", "--providers", "cpu")
    result = rtdehaze("bench", *QUICK, "--source", clip, *words)
    assert result.code == 0
    warnings = result.err.splitlines()
    assert any("prores" in warning for warning in warnings)
    assert any("bgr0" in warning for warning in warnings)
    assert len(set(warnings)) == len(warnings)


@pytest.mark.parametrize("other", ["a.png", "sub/../a.png"])
def test_figures_and_plot_in_one_file_are_refused(rtdehaze: Command, tmp_path: Path, other: str) -> None:
    (tmp_path / "sub").mkdir()
    result = rtdehaze("bench", *QUICK, "--json", tmp_path / "a.png", "--plot", f"{tmp_path}/{other}")
    assert result.code == 2
    assert "overwrite" in result.err
    assert result.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sub"]


def test_a_comparison_shows_the_shares_where_a_codec_was_used(rtdehaze: Command, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    codecs = ("--codec", "none,h264:ultrafast", "--providers", "cpu")
    assert rtdehaze("bench", *QUICK, *codecs, "--json", first).code == 0
    content = json.loads(first.read_text())
    shares = content["rows"][1]["ratio"]
    content["rows"][1]["ratio"] = {"runs": [], **{name: 2 * shares[name] for name in ("low", "median", "high")}}
    second.write_text(json.dumps(content))
    lines = rtdehaze("bench", "compare", first, second).out.splitlines()
    assert any("share" in line for line in lines)
    copied, encoded = (line for line in lines if "96x64" in line and "~1.000" in line)
    assert "2.000" not in copied
    assert "2.000" in encoded
    assert not any("…" in line for line in lines)


def test_names_in_brackets_are_no_markup(rtdehaze: Command, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "[b].json"
    assert rtdehaze("bench", *QUICK, "--providers", "cpu", "--json", first).code == 0
    content = json.loads(first.read_text())
    content["rows"][0]["model"] = content["machine"]["processor"] = "[/x]"
    for path in (first, second):
        path.write_text(json.dumps(content))
        content["machine"]["processor"] = "[/y]"
    result = rtdehaze("bench", "compare", first, second)
    assert result.code == 0
    assert result.err == ""
    assert "[/x] on cpu" in result.out
    assert "[b].json" in result.out


def test_like_input_is_refused_and_not_offered(rtdehaze: Command) -> None:
    result = rtdehaze("bench", *QUICK, "--codec", "like-input")
    assert result.code == 2
    assert result.err.count("like-input") == 1
    assert "h264" in result.err


def test_an_existing_file_is_kept_without_overwrite(rtdehaze: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("mine")
    assert rtdehaze("bench", *QUICK, "--json", path).code == 2
    assert path.read_text() == "mine"


def wait_until_it_opens_models(pid: int) -> None:
    """However long Python takes to start: before it has, Ctrl-C is Python's own affair."""
    libraries = Path(f"/proc/{pid}/maps")
    if not libraries.exists():
        time.sleep(10)
        return
    deadline = time.monotonic() + 120
    while "onnxruntime" not in libraries.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_shows_and_writes_what_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    words = ("--sizes", "96x64,128x96", "--models", "cap", "--codec", "none", "--seconds", "0.2", "--rounds", "100")
    command = [sys.executable, "-m", "rtdehaze", "bench", *words, "--json", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until_it_opens_models(process.pid)
        time.sleep(3)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    if "96x64" in out:
        content = json.loads(path.read_text())
        assert content["interrupted"]
        assert content["rows"][0]["rounds"] >= 1
    else:
        assert not list(tmp_path.iterdir())


def test_without_codecs_none_are_needed() -> None:
    words = ["rtdehaze", "bench", *QUICK, "--providers", "cpu"]
    code = f"import sys; sys.modules['av'] = None; sys.argv = {words!r}; from rtdehaze.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "96x64 none" in done.stdout
