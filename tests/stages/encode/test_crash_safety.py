"""What is left when a run is killed, the disk is full, or an old file was to be replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import pytest

from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import decoded, write_image, write_video
from tests.stages.encode.passing import feed, transcode

ROOT = Path(__file__).parents[3]

CHILD = """
    import sys, time
    from rtdehaze.core.frame import Frame
    from rtdehaze.stages.capture.source import open_source
    from rtdehaze.stages.encode.sink import open_sink
    from tests.stages.encode.passing import copied

    origin, output = sys.argv[1:]
    with open_source(origin) as source:
        sink = open_sink(output, source)
        begun = time.monotonic()
        for item in source.items():
            if isinstance(item, Frame):
                time.sleep(max(0.0, item.time - (time.monotonic() - begun)))
                print(item.time, flush=True)
            sink.write(copied(sink, item))
"""


@pytest.mark.slow
def test_a_killed_run_leaves_everything_up_to_two_seconds_before(tmp_path: Path) -> None:
    origin = write_video(
        tmp_path / "in.mkv", width=160, height=96, frames=150, audio=1, subtitles=[(0.1, 0.5, "a"), (5.5, 5.9, "b")]
    )
    outputs = [tmp_path / f"out.{extension}" for extension in ("mp4", "mov", "mkv", "ts")]
    children = [child_process(CHILD, origin, output) for output in outputs]
    for child, output in zip(children, outputs, strict=True):
        assert child.stdout is not None
        written = next(float(line) for line in child.stdout if float(line) >= 4.0)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert readable_until(output) >= written - 2.0, output.name


def child_process(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def readable_until(path: Path) -> float:
    """Seconds of the last frame that decodes."""
    last = 0.0
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                last = frame.time
        except av.error.InvalidDataError:
            pass  # the packet that was being written
    return last


def test_a_finished_mp4_has_its_index_and_can_be_sought_in(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=100, audio=1)
    transcode(origin, tmp_path / "out.mp4", encoder_options={"g": "25"})
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.frames, float(stream.duration * stream.time_base)) == (100, 4.0)
        container.seek(round(3.0 / stream.time_base), stream=stream)
        assert next(container.decode(stream)).time == pytest.approx(3.0, abs=0.3)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_a_failed_run_leaves_the_old_file_as_it_was(name: str, tmp_path: Path) -> None:
    origin, old = write_video(tmp_path / "in.mkv"), tmp_path / name
    old.write_bytes(b"old")
    before = sorted(tmp_path.iterdir())
    with open_source(str(origin)) as source:
        sink = open_sink(str(old), source, overwrite=True)
        assert sink.replaces
        feed(sink, source, frames=5)
        assert old.read_bytes() == b"old"
        assert sink.abort(keep=False) is False
    assert old.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_is_replaced_when_the_new_one_is_complete(tmp_path: Path) -> None:
    origin, real, link = write_video(tmp_path / "in.mkv"), tmp_path / "real.mp4", tmp_path / "link.mp4"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    transcode(origin, link, overwrite=True)
    assert link.is_symlink()
    assert len(decoded(real)) == 10
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "link.mp4", "real.mp4"]


@pytest.mark.parametrize("name", ["out.mp4", "out.png", "row/%03d.png"])
def test_nothing_is_overwritten_unasked(name: str, tmp_path: Path) -> None:
    origin = write_image(tmp_path / "in.png")
    output = tmp_path / name
    old = Path(str(output).replace("%03d", "007"))
    old.parent.mkdir(exist_ok=True)
    old.write_bytes(b"old")
    with open_source(str(origin)) as source, pytest.raises(OutputExistsError, match="--overwrite"):
        open_sink(str(output), source)
    assert old.read_bytes() == b"old"


@pytest.mark.parametrize("how", ["itself", "symlink", "hardlink"])
def test_the_input_is_never_the_output(how: str, tmp_path: Path) -> None:
    origin, output = write_video(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    if how == "itself":
        output = tmp_path / "." / "in.mp4"
    elif how == "symlink":
        output.symlink_to(origin)
    else:
        output.hardlink_to(origin)
    data = origin.read_bytes()
    with open_source(str(origin)) as source, pytest.raises(UsageError, match="input"):
        open_sink(str(output), source, overwrite=True)
    assert origin.read_bytes() == data


@pytest.mark.parametrize("output", ["", "/", "/%05d.png", "/picture-%d.png"])
def test_pictures_never_go_among_the_inputs_own(output: str, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    write_image(folder / "00001.png")
    with open_source(str(folder)) as source, pytest.raises(UsageError, match="input"):
        open_sink(f"{folder}{output}", source, overwrite=True)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv")
    with open_source(str(origin)) as source, pytest.raises(SinkError, match="nowhere"):
        open_sink(str(tmp_path / "nowhere" / "out.mp4"), source)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = write_video(tmp_path / "in.mkv")
    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for name in ("out.mp4", "row/%d.png"):
        with open_source(str(origin)) as source, pytest.raises(SinkError, match="not writable"):
            open_sink(str(tmp_path / name), source)


FULL = """
    import resource, signal, sys
    from rtdehaze.core.errors import SinkError
    from rtdehaze.stages.capture.source import open_source
    from rtdehaze.stages.encode.sink import open_sink
    from tests.stages.encode.passing import feed

    origin, output, keep = sys.argv[1:]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    with open_source(origin) as source:
        sink = open_sink(output, source, crf=1)
        try:
            feed(sink, source)
            sink.finish()
        except SinkError as error:
            print(error)
            print(sink.abort(keep=keep == "keep"))
"""


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.ts"])
@pytest.mark.parametrize("keep", ["keep", "drop"])
def test_a_full_disk_is_one_line_and_leaves_what_plays_or_nothing(name: str, keep: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    origin, output = write_video(tmp_path / "in.mkv", width=320, height=240, frames=100), tmp_path / "out" / name
    message, kept = child_process(FULL, origin, output, keep).communicate()[0].splitlines()
    assert name in message
    assert "larger than is allowed" in message
    assert kept == str(keep == "keep")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ([name] if keep == "keep" else [])
    if keep == "keep":
        assert readable_until(output) > 0


def test_a_device_is_written_and_never_removed(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv")
    full = tmp_path / "full.ts"
    full.symlink_to("/dev/full")
    with open_source(str(origin)) as source:
        sink = open_sink(str(full), source, overwrite=True)
        feed(sink, source)
        with pytest.raises(SinkError, match="no space left"):
            sink.finish()
        assert sink.abort(keep=False) is False
    assert full.is_symlink()
    assert Path("/dev/full").is_char_device()
