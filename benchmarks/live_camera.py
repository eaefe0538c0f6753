"""A camera on loopback: serves an h264 file by RTSP at its own pace, to all alike. Run by the system's Python.

/usr/bin/python3 live_camera.py PORT CLIP.mkv
"""

from __future__ import annotations

import sys

import gi

for name in ("Gst", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = "( filesrc location={} ! matroskademux ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"


def main() -> None:
    """Serves until it is killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(sys.argv[2]))
    factory.set_shared(True)
    factory.set_latency(0)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
