"""All outputs of a live run together: what is refused, and what changes on return."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError
from rtdehaze.core.live import LiveOptions, OutletState
from rtdehaze.core.options import Options
from rtdehaze.core.secrets import redacted
from rtdehaze.stages.encode.live import open_live_outputs
from tests.live.servers import free_port
from tests.media import write_video
from tests.stages.encode.live.drive import RATE, Drive, run
from tests.stages.encode.live.peers import seen

pytestmark = pytest.mark.usefixtures("_unhurried")


@pytest.mark.parametrize(
    ("locations", "options", "live", "said"),
    [
        ([], {}, {}, "no output was named"),
        (["gopher://host/x"], {}, {}, "gopher:// cannot be written; use one of rtsp://"),
        (["udp://host"], {}, {}, "port is missing"),
        (["rtmp:///live"], {}, {}, "host or port is missing"),
        (["rtsp://user:pw@host:99999/x"], {}, {}, "rtsp://host:99999/x: host or port"),
        (["{}/out.xyz"], {}, {}, "'.xyz' is no container"),
        (["{}/out"], {}, {}, "no extension is no container"),
        (["{}/a.png"], {}, {}, "pictures cannot be written live"),
        (["{}/a.mp4", "{}/../{name}/a.mp4"], {}, {}, "is named twice"),
        (["rtmp://a:1/x", "rtmp://me:pw@a:1/x"], {}, {}, "rtmp://a:1/x: is named twice"),
        (["{}/a.webm"], {"codec": "h264"}, {}, "webm cannot hold h264"),
        (["rtmp://a:1/x"], {"codec": "vp8"}, {}, "rtmp cannot hold vp8; it holds h264"),
        (["{}/a.mp4"], {"codec": "h265x"}, {}, "unknown video encoder or codec 'h265x'"),
        (["{}/a.mp4"], {"pixel_format": "yuv42"}, {}, "unknown pixel format 'yuv42'"),
        (["{}/a.mkv"], {"codec": "ffv1", "crf": 20}, {}, "ffv1 has no quality setting"),
        (["{}/a.mp4"], {}, {"segment": 60}, "segments need names by time"),
        (["{}/q-%H.m3u8"], {}, {"segment": 1}, "q-%H.m3u8: a playlist keeps one name"),
        (["{}/in.mkv"], {"overwrite": True}, {}, "is the input itself"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_opened(
    locations: list[str], options: dict[str, object], live: dict[str, float], said: str, tmp_path: Path
) -> None:
    (tmp_path / "in.mkv").write_bytes(b"")
    names = [name.replace("{}", str(tmp_path)).replace("{name}", tmp_path.name) for name in locations]
    with pytest.raises(UsageError) as error:
        open_live_outputs(names, Options(**options), LiveOptions(**live), source=str(tmp_path / "in.mkv"))  # type: ignore[arg-type]
    assert said in str(error.value)
    assert "pw" not in str(error.value)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "in.mkv"]


@pytest.mark.parametrize("name", ["there.mp4", "there.m3u8"])
def test_an_existing_file_is_not_overwritten_unasked(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        open_live_outputs([str(tmp_path / name)], Options(), LiveOptions())
    assert (tmp_path / name).read_text() == "mine"


def test_a_file_that_is_to_be_replaced_is_replaced_by_the_complete_new_one(tmp_path: Path) -> None:
    path = write_video(tmp_path / "there.mp4")
    before = path.read_bytes()
    outputs = open_live_outputs([str(path)], Options(overwrite=True), LiveOptions())
    run(outputs, Drive(), 30)
    assert path.read_bytes() == before
    outputs.close()
    assert len(seen(path).times) == 30
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["no/such/folder/a.mp4", "no/such/%Y%m%d.mp4"])
def test_a_missing_folder_is_an_error_at_once(name: str, tmp_path: Path) -> None:
    segment = 60.0 if "%" in name else None
    with pytest.raises(SinkError, match="there is no directory"):
        open_live_outputs([str(tmp_path / name)], Options(), LiveOptions(segment=segment))


def test_a_terminal_is_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(UsageError, match="standard output is a terminal"):
        open_live_outputs(["-"], Options(), LiveOptions())


def test_nothing_can_be_written_before_the_source_has_joined(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mp4")], Options(), LiveOptions())
    with pytest.raises(SinkError, match="before the source has joined"):
        outputs.write(Drive().frame())
    outputs.close()
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_never_joined_leaves_nothing(tmp_path: Path) -> None:
    outputs = open_live_outputs(
        [str(tmp_path / "a.mp4"), f"rtmp://127.0.0.1:{free_port()}/x"], Options(), LiveOptions()
    )
    outputs.close()
    assert list(tmp_path.iterdir()) == []
    assert {status.state for status in outputs.statuses()} == {OutletState.CLOSED}


def test_the_same_make_on_return_goes_on_in_the_same_file_without_a_seam(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    outputs = open_live_outputs([str(path)], Options(), LiveOptions())
    first = Drive(sound="aac")
    run(outputs, first, 50)
    first.leave()
    again = Drive(sound="aac", start=4.0)
    run(outputs, again, 50)
    again.leave()
    outputs.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mkv"]
    part = seen(path)
    assert len(part.times) == 100
    assert part.flashes == pytest.approx([0.0, 1.0, 4.0, 5.0], abs=0.001)
    assert part.beeps[1:] == pytest.approx([1.0, 4.0, 5.0], abs=1 / RATE)
    assert outputs.statuses()[0].restarts == 0


def test_a_rate_that_was_measured_a_little_different_is_the_same_make(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mkv")], Options(), LiveOptions())
    for number, rate in enumerate([Fraction(25), Fraction(2503, 100), Fraction(30)]):
        drive = Drive(start=2.0 * number)
        outputs.adapt(replace(drive.joined, video=replace(drive.video, rate=rate)))
        outputs.write(drive.frame())
    outputs.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-2.mkv", "a.mkv"]


def test_square_samples_that_are_said_only_now_and_then_are_the_same_make(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mkv")], Options(), LiveOptions())
    for number, ratio in enumerate([None, Fraction(1), Fraction(4, 3)]):
        drive = Drive(start=2.0 * number)
        outputs.adapt(replace(drive.joined, video=replace(drive.video, sample_aspect_ratio=ratio)))
        outputs.write(drive.frame())
    outputs.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-2.mkv", "a.mkv"]


def test_standard_input_is_not_standard_output() -> None:
    open_live_outputs(["-"], Options(), LiveOptions(), source="-").close()


def test_converted_sound_stays_in_sync_over_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    outputs = open_live_outputs([str(path)], Options(), LiveOptions())
    for drive in (Drive(sound="pcm_mulaw"), Drive(sound="pcm_mulaw", start=4.0)):
        run(outputs, drive, 60)
        drive.leave()
    outputs.close()
    part = seen(path)
    assert "aac" in part.codecs
    assert part.beeps[-5:] == pytest.approx([1.0, 2.0, 4.0, 5.0, 6.0], abs=1 / RATE)


def test_another_size_on_return_begins_another_file(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mp4")], Options(), LiveOptions())
    run(outputs, Drive(160, 96), 30)
    run(outputs, Drive(320, 240, start=2.0), 40)
    outputs.close()
    first, second = seen(tmp_path / "a.mp4"), seen(tmp_path / "a-2.mp4")
    assert (set(first.sizes), len(first.times)) == ({(160, 96)}, 30)
    assert (set(second.sizes), len(second.times)) == ({(320, 240)}, 40)
    assert outputs.statuses()[0].frames == 70


def test_sound_that_comes_or_goes_on_return_begins_another_file(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mkv")], Options(), LiveOptions())
    run(outputs, Drive(), 30)
    run(outputs, Drive(sound="aac", start=2.0), 40)
    run(outputs, Drive(sound="mp2", start=4.0), 40)
    outputs.close()
    codecs = [seen(tmp_path / name).codecs for name in ("a.mkv", "a-2.mkv", "a-3.mkv")]
    assert codecs == [["h264"], ["h264", "aac"], ["h264", "mp2"]]


def test_frames_are_allocated_at_the_size_that_they_are_encoded_at(tmp_path: Path) -> None:
    outputs = open_live_outputs(
        [str(tmp_path / "a.mkv")], Options(), LiveOptions(), size_of=lambda width, height: (2 * width, height)
    )
    drive = Drive(160, 96)
    outputs.adapt(drive.joined)
    made = outputs.allocate(drive.frame())
    assert (made.width, made.height) == (320, 96)
    for plane in made.planes:
        plane.samples[:] = 100
    outputs.write(made)
    outputs.close()
    assert seen(tmp_path / "a.mkv").sizes == [(320, 96)]


def test_a_size_that_no_encoder_takes_is_an_error(tmp_path: Path) -> None:
    names = [str(tmp_path / "a.mkv"), str(tmp_path / "b.mkv")]
    outputs = open_live_outputs(names, Options(), LiveOptions())
    run(outputs, Drive(), 20)
    with pytest.raises(SinkError, match="libx264 does not open at 40000x96"):
        outputs.adapt(replace(Drive().joined, video=replace(Drive().video, width=40_000)))
    outputs.close()


def test_a_size_that_one_encoder_does_not_take_suspends_its_output_until_the_next(tmp_path: Path) -> None:
    names = [tmp_path / "a.mkv", tmp_path / "b.webm"]
    outputs = open_live_outputs([str(name) for name in names], Options(), LiveOptions())
    run(outputs, Drive(), 20, pace=2.0)
    # libx264 wants at most 16384 samples a side, VP9 takes more.
    run(outputs, Drive(17_000, 16, start=2.0), 20, pace=2.0)
    assert outputs.statuses()[0].state is OutletState.WAITING
    assert "does not open at 17000x16" in str(outputs.statuses()[0].error)
    run(outputs, Drive(start=4.0), 20, pace=2.0)
    outputs.close()
    assert [len(seen(tmp_path / name).times) for name in ("a.mkv", "a-2.mkv")] == [20, 20]
    assert sorted(path.name for path in tmp_path.glob("*.webm")) == ["b-2.webm", "b-3.webm", "b.webm"]


def test_the_note_is_in_the_metadata(tmp_path: Path) -> None:
    outputs = open_live_outputs([str(tmp_path / "a.mkv")], Options(), LiveOptions(), tag="rtdehaze 1, model x")
    run(outputs, Drive(), 10)
    outputs.close()
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert {key.lower(): value for key, value in container.metadata.items()}["comment"] == "rtdehaze 1, model x"


def test_stream_keys_tell_outputs_apart() -> None:
    sites = [f"rtmp://live.example/app/{key * 20}" for key in "ab"]
    outputs = open_live_outputs(sites, Options(), LiveOptions())
    outputs.close()
    assert "aaaa" not in outputs.statuses()[0].location


def test_an_input_from_the_same_server_is_not_the_output() -> None:
    source, sites = "rtmp://live.example/app/in", ["rtmp://live.example/app/out"]
    outputs = open_live_outputs(sites, Options(), LiveOptions(), source=redacted(source))
    outputs.close()
    assert outputs.statuses()[0].location == "rtmp://live.example/app/***"
