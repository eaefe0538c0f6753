"""The learning loop from the command line: train, go on, export, run; and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from rtdehaze.measure.pairs import find_pairs, read_pair

Command = Callable[..., Any]

pytestmark = pytest.mark.skipif(
    not all(find_spec(name) for name in ("torch", "safetensors", "onnx", "matplotlib")),
    reason="needs the extra [train]",
)

CONFIG = """
network = "tiny"
steps = {steps}
threads = 1
validate_steps = 0
[data]
pictures = ["{pictures}"]
[haze]
median = [0.2, 0.6]
h264_share = 0.2
[optim]
rate = 1e-2
average = 0.9
[[stages]]
share = 1
batch = 4
sizes = [[32, 48]]
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four pictures with free terms."""
    folder = tmp_path / "boxes"
    folder.mkdir()
    rng = np.random.default_rng(4)
    for i in range(4):
        small = rng.integers(0, 255, (9, 12, 3), np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), cv2.resize(small, (96, 72), interpolation=cv2.INTER_NEAREST))
    (folder / "terms.txt").write_text("CC0\n")
    return folder


def write_config(folder: Path, pictures: Path, steps: int = 100) -> Path:
    path = folder / "tiny.toml"
    path.write_text(CONFIG.format(steps=steps, pictures=pictures))
    return path


@pytest.mark.slow
def test_the_loop_closes_train_export_run(
    rtdehaze: Command, pictures: Path, foggy_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where the gate lies does not matter here; finding it well takes longer than the training.
    monkeypatch.setattr("rtdehaze.train.gate.GATE_SAMPLES", 10)
    (pictures / "bad.png").write_bytes(b"no picture")
    out = tmp_path / "run"
    result = rtdehaze("train", write_config(tmp_path, pictures), "--out", out)
    assert result.code == 0, result.err
    assert "PyTorch and ONNX Runtime agree" in result.out
    assert "1 pictures were left out in all" in result.err
    assert "bad.png is no picture" in result.err
    assert "step 100 (100 %)" in result.err
    rows = [line.split(",") for line in (out / "curves.csv").read_text().splitlines()]
    picture = rows[0].index("picture")
    assert float(rows[-1][picture]) < float(rows[1][picture])
    files = {path.name for path in out.iterdir()}
    assert files == {
        "checkpoint.safetensors", "curves.csv", "curves.png", "tiny.json", "tiny.onnx", "tiny.safetensors",
    }  # fmt: skip

    model = tmp_path / "mine.onnx"
    exported = rtdehaze("export", out / "tiny.safetensors", "-o", model, "--summary", "Of a test.")
    assert exported.code == 0, exported.err
    assert "commercial use allowed" in exported.out
    assert "boxes, 5 (CC0)" in exported.out
    assert model.read_bytes() == (out / "tiny.onnx").read_bytes()

    clear = tmp_path / "clear.mp4"
    ran = rtdehaze("run", foggy_clip, "-o", clear, "--model", model, "--mode", "manual", "--provider", "cpu")
    assert ran.code == 0, ran.err
    assert "24 frames" in ran.out
    assert "mine on cpu" in ran.out


@contextmanager
def training(pictures: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A training without end in a process group of its own, with one worker, once it has done its first steps."""
    config, out = write_config(folder, pictures, steps=100_000), folder / "run"
    command = [sys.executable, "-m", "rtdehaze", "train", str(config), "--out", str(out), "--workers", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True) as run:
        deadline = time.monotonic() + 120
        while not (out / "curves.csv").exists() and time.monotonic() < deadline and run.poll() is None:
            time.sleep(0.1)
        yield run


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_all_saves_says_one_line_and_the_same_command_goes_on(
    pictures: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with training(pictures, tmp_path) as run:
        # As a terminal and a service manager do: to the whole group, workers too.
        os.killpg(run.pid, number)
        _, said = run.communicate(timeout=60)
    assert run.returncode == code, said
    lines = [line for line in said.splitlines() if "step 50 " not in line and ": step " not in line]
    assert len(lines) == 2, said
    assert lines[1].startswith("rtdehaze: stopped at step ")
    assert "Traceback" not in said
    assert (tmp_path / "run" / "checkpoint.safetensors").is_file()


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_run_in_one_line(pictures: Path, tmp_path: Path) -> None:
    with training(pictures, tmp_path) as run:
        (worker,) = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 1, said
    assert "a process that makes samples was killed" in said.splitlines()[-1]
    assert "Traceback" not in said


def test_the_preview_is_a_sheet(rtdehaze: Command, pictures: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    config = write_config(tmp_path, pictures)
    result = rtdehaze("data", "preview", config, "-o", sheet, "--rows", 1, "--columns", 2)
    assert result.code == 0, result.err
    assert cv2.imread(str(sheet)) is not None
    again = rtdehaze("data", "preview", config, "-o", sheet)
    assert again.code == 2
    assert "exists; give --overwrite" in again.err


def test_pairs_are_made_with_their_truth_whole_or_not_at_all(rtdehaze: Command, pictures: Path, tmp_path: Path) -> None:
    (pictures / "bad.png").write_bytes(b"no picture")
    config, out = write_config(tmp_path, pictures), tmp_path / "made" / "pairs"
    result = rtdehaze("data", "pairs", config, "-o", out, "--count", 50)
    assert result.code == 0, result.err
    assert "bad.png is no picture" in result.err
    names = sorted(path.name for path in (out / "clear").iterdir())
    assert result.out == f"{out}: {len(names)} pairs\n"
    assert len(names) == 4
    pair = read_pair(find_pairs(out)[2])
    assert pair.transmission is not None
    assert pair.airlight is not None
    t = pair.transmission[..., None]
    assert np.abs(pair.hazy / 255 - (pair.clear / 255 * t + pair.airlight * (1 - t))).mean() < 0.05
    again = rtdehaze("data", "pairs", config, "-o", out)
    assert again.code == 2
    assert "exists; give another name with -o" in again.err
    (tmp_path / "file").write_text("")
    assert rtdehaze("data", "pairs", config, "-o", tmp_path / "file" / "pairs").code == 1
    ready = tmp_path / "ready.toml"
    ready.write_text(f'[data]\npairs = ["{out}"]\n')
    nothing = rtdehaze("data", "pairs", ready, "-o", tmp_path / "none")
    assert nothing.code == 1
    assert "none of the configuration's pictures can be given a haze that is known" in nothing.err
    assert not list(tmp_path.glob("*none*"))


def test_what_cannot_be_trained_gets_one_line(rtdehaze: Command, pictures: Path, tmp_path: Path) -> None:
    config, out = write_config(tmp_path, pictures), tmp_path / "run"
    empty = tmp_path / "empty"
    empty.mkdir()
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("stepz = 3\n")
    unknown = tmp_path / "unknown.toml"
    unknown.write_text(config.read_text().replace('"tiny"', '"huge"'))
    (tmp_path / "no.safetensors").write_bytes(b"no weights")
    cases: list[tuple[tuple[object, ...], int, str]] = [
        (("train", tmp_path / "none.toml", "--out", out), 2, "none.toml cannot be read"),
        (("train", wrong, "--out", out), 2, "unknown key stepz"),
        (("train", config), 2, "--out"),
        (("train", config, "--out", out, "--minutes", 0), 2, "0 minutes"),
        (("train", config, "--out", out, "--workers", -1), 2, "--workers"),
        (("train", config, "--out", out, "--pack", empty), 1, "is no training pack"),
        (("train", config, "--out", out, "--validation", empty), 1, "empty"),
        (("train", unknown, "--out", out), 2, "'huge' is not one of"),
        (("train", config, "--out", out, "--start", tmp_path / "no.safetensors"), 1, "no.safetensors cannot be read"),
        (("export", tmp_path / "no.safetensors", "-o", tmp_path / "a.onnx"), 1, "no.safetensors cannot be read"),
        (("data", "preview", wrong, "-o", tmp_path / "a.png"), 2, "unknown key stepz"),
        (("data", "preview", config, "-o", tmp_path / "a.txt"), 2, "must end in .png"),
        (("data", "preview", config, "-o", tmp_path / "gone" / "a.png"), 1, "cannot be written"),
    ]
    for arguments, code, words in cases:
        result = rtdehaze(*arguments)
        assert result.code == code, (arguments, result.err)
        errors = [line for line in result.err.splitlines() if "error: " in line]
        assert len(errors) == 1, (arguments, result.err)
        assert words in errors[0], (arguments, result.err)
        assert "Traceback" not in result.err
    assert not (tmp_path / "a.onnx").exists()


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['safetensors'] = None\n"
        f"sys.argv = ['rtdehaze', 'train', {str(tmp_path / 'a.toml')!r}, '--out', {str(tmp_path)!r}]\n"
        "from rtdehaze.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'rtdehaze[train]'" in done.stderr
