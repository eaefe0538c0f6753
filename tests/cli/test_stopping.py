"""Ctrl-C, SIGTERM and kill -9 against the command as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four minutes of a still picture: long enough to be interrupted on any machine, quick to make."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "40"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        frame = av.VideoFrame(320, 180, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([150]) * plane.buffer_size)
        for number in range(6000):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def start(clip: Path, out: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "rtdehaze", "run", str(clip), "-o", str(out), "--preset", "slower", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_output(process: subprocess.Popen[str], folder: Path, *, other: Path | None = None) -> None:
    """Waits until a file of a folder holds some video; not the other one."""
    deadline = time.monotonic() + 60
    while not any(path != other and path.stat().st_size > 2000 for path in folder.iterdir()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no output appeared"
        time.sleep(0.05)


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_with_a_playable_output(
    long_clip: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "clear.mp4"
    process = start(long_clip, out)
    wait_for_output(process, tmp_path)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "holds what was encoded so far" in err
    assert "Traceback" not in err
    assert 0 < frames_of(out) < 6000
    assert list(tmp_path.iterdir()) == [out]


INTERRUPTING_IMPORT = """
import sys
victim = sys.argv.pop(1)
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == victim:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from rtdehaze.__main__ import main
main()
"""


@pytest.mark.parametrize("library", ["click", "cv2"])
def test_ctrl_c_before_anything_was_opened_gets_one_line_and_leaves_nothing(
    foggy_clip: Path, tmp_path: Path, library: str
) -> None:
    arguments = [library, "run", str(foggy_clip), "-o", str(tmp_path / "clear.mp4")]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTING_IMPORT, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "rtdehaze: error: interrupted"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_interrupted_overwrite_replaces_the_old_file_by_a_playable_one(long_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "clear.mp4"
    out.write_bytes(b"old")
    process = start(long_clip, out, "--overwrite")
    wait_for_output(process, tmp_path, other=out)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert frames_of(out) > 0
    assert list(tmp_path.iterdir()) == [out]
