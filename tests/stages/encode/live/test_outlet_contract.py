"""What every live output promises, shown by one run that feeds them all at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import LiveOptions, OutletState, OutletStatus
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.live import open_live_outputs, outputs, push
from tests.live.servers import PATIENCE, RtspServer, need_ffmpeg, need_rtsp_server
from tests.stages.encode.live.drive import RATE, Drive, run
from tests.stages.encode.live.peers import (
    Peer,
    Seen,
    fifo_peer,
    file_peer,
    folder_peer,
    playlist_peer,
    rtmp_peer,
    rtsp_peer,
    seen,
    server_peer,
    tcp_peer,
    udp_peer,
)

FILES = ["cam.mp4", "cam.mov", "cam.mkv", "cam.ts", "cam.webm"]
LOCAL = [*FILES, "segments", "hls", "fifo", "stdout"]
REMOTE = ["udp", "tcp", "rtmp", "rtsp", "server"]
"""`server` is GStreamer's RTSP server, which times what it receives by arrival."""
TIMED = [name for name in [*LOCAL, *REMOTE] if name != "server"]
ALL = [*LOCAL, *REMOTE]

FRAME = 1 / RATE


@dataclass
class Ran:
    """What the run left behind."""

    peers: dict[str, Peer]
    before: list[OutletStatus]
    running: dict[str, OutletStatus]
    after: dict[str, OutletStatus]
    frames: int
    """How many were written in all."""
    early: list[Path]
    """Files that were there before the source had joined."""

    def seen(self, name: str) -> list[Seen]:
        return [seen(path) for path in self.peers[name].received()]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    ffmpeg = need_ffmpeg()
    need_rtsp_server()
    folder = tmp_path_factory.mktemp("out")
    with RtspServer(tmp_path_factory.mktemp("rtsp")) as server:
        peers = [
            *(file_peer(folder, name) for name in FILES),
            folder_peer(folder, "segments", "%Y%m%d-%H%M%S.mp4", ".mp4"),
            playlist_peer(folder),
            fifo_peer(folder),
            Peer("stdout", "-.mkv", lambda: [folder / "stdout.mkv"]),
            udp_peer(ffmpeg, folder),
            tcp_peer(ffmpeg, folder),
            rtmp_peer(ffmpeg, folder),
            rtsp_peer(ffmpeg, folder),
            server_peer(server),
        ]
        yield _ran(folder, peers)


def _ran(folder: Path, peers: list[Peer]) -> Ran:
    plain = [peer for peer in peers if peer.name != "segments"]
    cut = [peer for peer in peers if peer.name == "segments"]
    live = LiveOptions(gop=1.0)
    with (folder / "stdout.mkv").open("wb") as mine, pytest.MonkeyPatch.context() as patch:
        # What a healthy one has taken is completed, however slow this machine is.
        patch.setattr(outputs, "_CLOSING", PATIENCE)
        patch.setattr(push, "_FAREWELL", PATIENCE)
        patch.setattr(sys, "stdout", os.fdopen(os.dup(mine.fileno()), "w"))
        everything = open_live_outputs([*(peer.location for peer in plain), "null"], Options(preset=None), live)
        segments = open_live_outputs([peer.location for peer in cut], Options(), LiveOptions(segment=1.5, gop=1.0))
        before = list(everything.statuses())
        early = [path for path in folder.rglob("*") if path.is_file() and path.name != "stdout.mkv"]
        for peer in peers:
            peer.begin()
        both = Both(everything, segments)
        drive = Drive(320, 240, sound="aac", seconds=30.0)
        run(both, drive, 700, pace=1.0, until=lambda: both.ran_together >= 5 * RATE)
        names = [*(peer.name for peer in plain), "null", "segments"]
        running = dict(zip(names, both.statuses(), strict=True))
        everything.close()
        segments.close()
        everything.close()
        after = dict(zip(names, both.statuses(), strict=True))
        sys.stdout.close()
    for peer in peers:
        peer.end()
    return Ran({peer.name: peer for peer in peers}, before, running, after, drive.index, early)


class Both:
    """Feeds one source to two sets of outputs."""

    def __init__(self, *outputs) -> None:  # type: ignore[no-untyped-def]
        self._outputs = outputs
        self.allocate = outputs[0].allocate
        self.ran_together = 0
        """Frames that were written when all of them ran."""

    def adapt(self, joined) -> None:  # type: ignore[no-untyped-def]
        for each in self._outputs:
            each.adapt(joined)

    def write(self, item) -> None:  # type: ignore[no-untyped-def]
        for each in self._outputs:
            each.write(item)
        if isinstance(item, Frame):
            self.ran_together += all(status.state is OutletState.RUNNING for status in self.statuses())

    def statuses(self) -> list[OutletStatus]:
        return [status for each in self._outputs for status in each.statuses()]


def test_nothing_is_opened_before_the_source_has_joined(ran: Ran) -> None:
    assert ran.early == []
    assert {status.state for status in ran.before} == {OutletState.OPENING}


@pytest.mark.parametrize("name", [*ALL, "null"])
def test_each_reports_how_it_fares(name: str, ran: Ran) -> None:
    assert ran.running[name].state is OutletState.RUNNING
    assert ran.after[name].state is OutletState.CLOSED
    assert ran.after[name].error is None


@pytest.mark.parametrize("name", [*ALL, "null"])
def test_every_frame_is_written_or_counted_as_dropped(name: str, ran: Ran) -> None:
    status = ran.after[name]
    assert status.frames + status.dropped == ran.frames


@pytest.mark.parametrize("name", [name for name in LOCAL if name not in {"cam.webm", "hls"}])
def test_where_nothing_is_slow_nothing_is_dropped(name: str, ran: Ran) -> None:
    assert ran.after[name].dropped == 0


@pytest.mark.parametrize("name", ALL)
def test_every_frame_that_was_written_arrives(name: str, ran: Ran) -> None:
    assert sum(len(part.times) for part in ran.seen(name)) >= ran.after[name].frames - _cut_off(name)


def _cut_off(name: str) -> int:
    # ffmpeg and GStreamer find out what they receive by reading on, and stop when the peer leaves.
    return RATE if name in REMOTE else 0


@pytest.mark.parametrize("name", TIMED)
def test_frames_come_at_their_times(name: str, ran: Ran) -> None:
    for part in ran.seen(name):
        # ffmpeg makes up the first times of a transport without a container.
        times = part.times[RATE:] if name == "rtsp" else part.times
        steps = [after - before for before, after in pairwise(times)]
        # ffmpeg moves an RTP stream a little when the first report of the sender's clock comes.
        allowed = 0.01 if name == "rtsp" else 0.002
        # A slow encoder may have left frames out.
        assert [step for step in steps if abs(step - FRAME * max(1, round(step / FRAME))) > allowed] == []


@pytest.mark.parametrize("name", TIMED)
def test_sound_and_picture_agree_within_a_frame(name: str, ran: Ran) -> None:
    compared = 0
    for part in ran.seen(name):
        # At the very end one of the two may be missing.
        for flash in part.flashes:
            if part.beeps and part.times[0] + 0.1 < flash < part.times[-1] - 0.2:
                assert min(abs(flash - beep) for beep in part.beeps) <= FRAME
                compared += 1
    assert compared >= 2


@pytest.mark.parametrize("name", [name for name in LOCAL if name != "hls"])
def test_recordings_begin_at_zero(name: str, ran: Ran) -> None:
    for part in ran.seen(name):
        assert part.times[0] == pytest.approx(0.0, abs=FRAME)


@pytest.mark.parametrize("name", [name for name in ALL if name != "cam.webm"])
def test_all_that_can_share_one_encoding_do(name: str, ran: Ran) -> None:
    assert {part.codecs[0] for part in ran.seen(name)} == {"h264"}
