"""An RTSP server on loopback, by GStreamer. Run by the system's Python, which has `gi`; see `servers.RtspServer`.

Mounts: `/play` is a test picture, with a tone if asked for. `/record` takes a push of H.264, `/record-av` of H.264 and
AAC; each push is written to a file of its own and served again at `/replay` (video only).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

ENCODERS = {
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate={bitrate} key-int-max={gop} ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "jpegenc ! rtpjpegpay name=pay0 pt=26",
}
PLAYED = (
    "( videotestsrc is-live=true pattern={pattern} ! video/x-raw,format=I420,width={width},height={height},"
    "framerate={rate}/1 ! {encoder} "
)
TONE = (
    "audiotestsrc is-live=true wave=ticks ! audioconvert ! voaacenc bitrate=64000 ! aacparse ! "
    "rtpmp4gpay name=pay1 pt=97 "
)
RECORDED = (
    "( rtph264depay name=depay0 ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! "
    "tee name=all ! queue ! h264parse ! matroskamux name=mux streamable=true ! "
    "filesink name=file sync=false buffer-mode=unbuffered "
    "all. ! queue ! appsink name=again emit-signals=true sync=false "
)
RECORDED_TONE = "rtpmp4gdepay name=depay1 ! aacparse ! queue ! mux. "
REPLAYED = (
    "( appsrc name=again is-live=true do-timestamp=true format=time "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au ! h264parse ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
ROLE = "user"


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address("127.0.0.1")
        self.server.set_service(str(options.port))
        # A client that waits for what another pushes must not keep that one's packets from being read.
        self.server.get_thread_pool().set_max_threads(16)
        self.replays: list[Any] = []
        self.pushes = 0
        width, height = options.size.split("x")
        encoder = ENCODERS[options.codec].format(bitrate=options.bitrate, gop=options.gop)
        play = PLAYED.format(pattern=options.pattern, width=width, height=height, rate=options.rate, encoder=encoder)
        self.mount("/play", play + (TONE if options.audio else "") + ")")
        for path, tail in (("/record", ")"), ("/record-av", RECORDED_TONE + ")")):
            self.mount(path, RECORDED + tail, record=True).connect("media-configure", self.on_push)
        self.mount("/replay", REPLAYED).connect("media-configure", self.on_replay)
        if options.user:
            self.authenticate(options.user, options.password, options.auth)

    def mount(self, path: str, launch: str, *, record: bool = False) -> Any:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch)
        factory.set_shared(not record)
        factory.set_latency(0 if record else 200)
        if record:
            factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
        if self.options.user:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role(ROLE, "media.factory.access", True)
            permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
            factory.set_permissions(permissions)
        self.server.get_mount_points().add_factory(path, factory)
        return factory

    def authenticate(self, user: str, password: str, method: str) -> None:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", ROLE)
        if method == "digest":
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        self.server.set_auth(auth)

    def on_push(self, _factory: Any, media: Any) -> None:
        element = media.get_element()
        path = Path(self.options.recordings) / f"push{self.pushes}.mkv"
        self.pushes += 1
        element.get_by_name("file").set_property("location", str(path))
        element.get_by_name("again").connect("new-sample", self.on_sample)

    def on_sample(self, sink: Any) -> Any:
        sample = sink.emit("pull-sample")
        for source in list(self.replays):
            copy = sample.get_buffer().copy()
            copy.pts = copy.dts = Gst.CLOCK_TIME_NONE
            source.emit("push-buffer", copy)
        return Gst.FlowReturn.OK

    def on_replay(self, _factory: Any, media: Any) -> None:
        source = media.get_element().get_by_name("again")
        self.replays.append(source)
        media.connect("unprepared", lambda _media: self.replays.remove(source))

    def run(self) -> None:
        if not self.server.attach(None):
            sys.exit(f"cannot listen on port {self.options.port}")
        print(f"ready {self.server.get_bound_port()}", flush=True)  # noqa: T201
        GLib.MainLoop().run()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--rate", type=int, default=25)
    parser.add_argument("--gop", type=int, default=10)
    parser.add_argument("--bitrate", type=int, default=2000, help="kbit/s")
    parser.add_argument("--codec", choices=sorted(ENCODERS), default="h264")
    parser.add_argument("--pattern", default="ball")
    parser.add_argument("--audio", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--auth", choices=("basic", "digest"), default="basic")
    parser.add_argument("--recordings", required=True)
    options = parser.parse_args()
    Gst.init(None)
    Server(options).run()


main()
