"""Network peers, playlists and devices of a live run: what changes on return, and who is let in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.feed import Tags
from rtdehaze.stages.encode.live.outlet import Outlet
from rtdehaze.stages.encode.live.outputs import Outputs, Way
from rtdehaze.stages.encode.live.places import place_of
from rtdehaze.stages.encode.live.push import PushOpener
from rtdehaze.stages.encode.planning import EncoderRequest
from tests.live.servers import RtspServer
from tests.stages.encode.live.drive import RATE, Drive, run
from tests.stages.encode.live.peers import seen, udp_peer

pytestmark = pytest.mark.usefixtures("_unhurried")


@pytest.mark.slow
def test_times_of_a_stream_never_go_backwards_when_the_size_changes(ffmpeg: str, tmp_path: Path) -> None:
    peer = udp_peer(ffmpeg, tmp_path)
    outputs = open_live_outputs([peer.location], Options(), LiveOptions())
    peer.begin()
    first = Drive(160, 96)
    run(outputs, first, 2000, pace=1.0, until=lambda: outputs.statuses()[0].frames > 30)
    reached = outputs.statuses()[0].frames
    again = Drive(160, 96, sound="aac", start=first.index / RATE + 1.4)
    run(outputs, again, 2000, pace=1.0, until=lambda: outputs.statuses()[0].frames > reached + 30)
    outputs.close()
    peer.end()
    times = seen(peer.received()[0], sound=False).times
    assert all(after > before for before, after in pairwise(times))
    assert times[-1] - times[0] > 3.0


def test_a_push_connects_anew_when_the_size_changes(rtsp_server: RtspServer) -> None:
    outputs = open_live_outputs([rtsp_server.record_url], Options(), LiveOptions())
    for size, start in (((160, 96), 0.0), ((320, 240), 5.0)):
        before = outputs.statuses()[0].frames
        drive = Drive(*size, start=start)
        run(outputs, drive, 2000, pace=1.0, until=lambda before=before: outputs.statuses()[0].frames > before + 15)
    outputs.close()
    assert outputs.statuses()[0].restarts == 1
    assert outputs.statuses()[0].error is None
    assert [set(seen(path).sizes) for path in rtsp_server.recordings()] == [{(160, 96)}, {(320, 240)}]


def test_a_playlist_goes_on_and_marks_the_seam_when_the_size_changes(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "cam.m3u8"
    outputs = open_live_outputs([str(path)], Options(), LiveOptions(gop=0.4))
    for size, start in (((160, 96), 0.0), ((320, 240), 5.0)):
        before = outputs.statuses()[0].frames
        drive = Drive(*size, start=start)
        run(outputs, drive, 4000, pace=2.0, until=lambda before=before: outputs.statuses()[0].frames > before + 35)
    outputs.close()
    text = path.read_text()
    assert text.count("#EXTM3U") == 1
    assert "#EXT-X-DISCONTINUITY\n" in text
    assert text.endswith("#EXT-X-ENDLIST\n")
    named = [line for line in text.splitlines() if line.endswith(".ts")]
    assert named == sorted(set(named))
    assert len(named) == 6
    # What the playlist has dropped goes soon after.
    assert len(list(path.parent.glob("*.ts"))) <= 8
    # Two frames of a transport stream are not recognised as one.
    parts = [seen(path.parent / name) for name in named if (path.parent / name).stat().st_size > 2000]
    assert len(parts) >= 4
    assert {size for part in parts for size in part.sizes} == {(160, 96), (320, 240)}
    times = [time for part in parts for time in part.times]
    assert all(after > before for before, after in pairwise(times))


def test_a_virtual_camera_gets_raw_frames_and_no_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = place_of("/dev/video9", gop=2.0)
    assert place.peer is not None
    assert place.peer.format == "v4l2"
    # No device here: a file takes its place.
    peer = replace(place.peer, target=str(tmp_path / "raw"), format="rawvideo")
    outlet = Outlet(
        place.said,
        PushOpener(peer, open_timeout=10.0, write_timeout=5.0),
        frames=30,
        size=1 << 28,
        patience=5.0,
        retry_cap=1.0,
        lossless=False,
    )
    outputs = Outputs(
        [Way(place.kind, outlet)],
        EncoderRequest(prompt=True),
        size_of=lambda width, height: (width, height),
        segment=None,
        tags=Tags(),
        lossless=False,
    )
    drive = Drive(160, 96, sound="aac")
    run(outputs, drive, 2000, pace=1.0, until=lambda: outputs.statuses()[0].frames > 20)
    outputs.close()
    size = (tmp_path / "raw").stat().st_size
    assert size == outputs.statuses()[0].frames * 160 * 96 * 3 // 2
    assert "audio stream 1: v4l2 cannot hold aac; left out" in caplog.text


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_push_gives_the_credentials_of_its_address(
    auth: str, make_rtsp_server: Callable[..., RtspServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = make_rtsp_server(user="me", password="geheim", auth=auth).start()
    outputs = open_live_outputs(
        [server.url("record", "me", "geheim"), server.url("record-av", "me", "falsch")],
        Options(),
        LiveOptions(retry_cap=0.5),
    )
    run(
        outputs,
        Drive(),
        2000,
        pace=1.0,
        until=lambda: outputs.statuses()[0].frames > 5 and outputs.statuses()[1].error is not None,
    )
    outputs.close()
    right, wrong = outputs.statuses()
    assert (right.error, right.frames > 5) == (None, True)
    assert "401" in str(wrong.error)
    assert wrong.frames == 0
    assert "geheim" not in caplog.text + str(outputs.statuses())
    assert "falsch" not in caplog.text + str(outputs.statuses())
