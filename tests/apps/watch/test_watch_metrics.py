"""Metrics and health, asked for over HTTP as Prometheus and a container engine do."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rtdehaze.apps.watch.options import WatchOptions
from rtdehaze.apps.watch.server import _Answers, health, parse_address
from rtdehaze.apps.watch.watching import Watch
from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.core.live import OutletState, OutletStatus
from rtdehaze.core.watch import LiveStatus
from tests.apps.watch.observed import eventually, frame

OUTLET = OutletStatus("rtsp://host/clear", OutletState.RUNNING, 90, 4, 1, None)
STATUS = LiveStatus(
    seconds=60.0, connected=True, reconnects=2, frames_in=100, frames_out=92, fillers=30,
    dropped={"queue": 5, "max-latency": 3}, every=2, profile="day", density=0.4, silent=0.04,
    age_ms={"p50": 21.0, "p95": 30.0, "p99": 40.0}, added_ms={"p50": 9.0, "p95": 12.0, "p99": 20.0},
    stages={"estimate": {"p50_ms": 4.0, "p95_ms": 6.0, "p99_ms": 8.0, "total_s": 0.41, "count": 50.0}},
    outlets=(OUTLET, replace(OUTLET, state=OutletState.WAITING, frames=7)),
)  # fmt: skip


class Asked:
    """A watch whose run is in a state that the test sets."""

    def __init__(self) -> None:
        self.status = STATUS
        self.watch = Watch(WatchOptions(metrics="0", visibility_distance=100.0, on_haze=("density>0.9",)))

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.watch.port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def samples(self) -> dict[tuple[str, ...], float]:
        code, text = self.get("/metrics")
        assert code == 200
        found: dict[tuple[str, ...], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items())))
                assert key not in found
                found[key] = sample.value
        return found


@pytest.fixture
def asked() -> Iterator[Asked]:
    one = Asked()
    with one.watch:
        yield one


def test_every_number_of_the_run_is_there_under_its_name(asked: Asked) -> None:
    asked.watch.follow(lambda: asked.status, lambda profile: None)
    for observer in asked.watch.observers:
        observer.see(frame(3, transmission=0.5, brightness=0.25))
    samples = asked.samples()
    expected = {
        ("rtdehaze_frames_in_total",): 100,
        ("rtdehaze_frames_out_total",): 92,
        ("rtdehaze_frames_filler_total",): 30,
        ("rtdehaze_frames_dropped_total", "reason=queue"): 5,
        ("rtdehaze_frames_dropped_total", "reason=max-latency"): 3,
        ("rtdehaze_source_connected",): 1,
        ("rtdehaze_source_reconnects_total",): 2,
        ("rtdehaze_estimate_every",): 2,
        ("rtdehaze_density",): 0.4,
        ("rtdehaze_profile", "profile=day"): 1,
        ("rtdehaze_silent_seconds",): 0.04,
        ("rtdehaze_frame_age_seconds", "quantile=0.99"): 0.04,
        ("rtdehaze_added_latency_seconds", "quantile=0.5"): 0.009,
        ("rtdehaze_stage_seconds", "quantile=0.95", "stage=estimate"): 0.006,
        ("rtdehaze_stage_work_seconds_total", "stage=estimate"): 0.41,
        ("rtdehaze_stage_frames_total", "stage=estimate"): 50,
        ("rtdehaze_outlet_up", "location=rtsp://host/clear", "outlet=0"): 1,
        ("rtdehaze_outlet_up", "location=rtsp://host/clear", "outlet=1"): 0,
        ("rtdehaze_outlet_frames_total", "location=rtsp://host/clear", "outlet=1"): 7,
        ("rtdehaze_outlet_dropped_total", "location=rtsp://host/clear", "outlet=0"): 4,
        ("rtdehaze_outlet_restarts_total", "location=rtsp://host/clear", "outlet=0"): 1,
        ("rtdehaze_transmission",): 0.5,
        ("rtdehaze_brightness",): 0.25,
        ("rtdehaze_visibility_metres",): 432.19280948873626,
        ("rtdehaze_watch_dropped_total", "observer=on-haze"): 0,
    }
    assert {key: samples[key] for key in expected} == pytest.approx(expected)
    assert samples["process_resident_memory_bytes",] > 1e6
    assert samples["process_open_fds",] > 3


def test_counters_follow_the_run(asked: Asked) -> None:
    asked.watch.follow(lambda: asked.status, lambda profile: None)
    assert asked.samples()["rtdehaze_frames_in_total",] == 100
    asked.status = replace(STATUS, frames_in=150, profile=None, density=None)
    samples = asked.samples()
    assert samples["rtdehaze_frames_in_total",] == 150
    assert ("rtdehaze_density",) not in samples


def test_health_turns_with_the_frames(asked: Asked) -> None:
    assert asked.get("/healthz") == (503, "starting: no frame has gone out yet\n")
    asked.watch.follow(lambda: asked.status, lambda profile: None)
    asked.status = replace(STATUS, frames_out=0, seconds=3.0, silent=3.0)
    assert asked.get("/healthz") == (503, "no frame has gone out yet, 3.0 s after the start; the source is connected\n")
    asked.status = STATUS
    assert asked.get("/healthz") == (200, "ok: a frame went out 0.0 s ago\n")
    asked.status = replace(STATUS, silent=10.5, connected=False)
    assert asked.get("/healthz") == (503, "no frame went out for 10.5 s; the source is away\n")
    asked.status = STATUS
    assert asked.get("/healthz")[0] == 200


def test_the_time_without_a_frame_can_be_chosen() -> None:
    silent = replace(STATUS, silent=3.0)
    assert health(silent, 2.0)[0] is False
    assert health(silent, 3.0)[0] is True


def test_a_state_that_cannot_be_told_is_503_and_the_server_goes_on(asked: Asked) -> None:
    def broken() -> LiveStatus:
        raise RuntimeError("half built")

    asked.watch.follow(broken, lambda profile: None)
    assert asked.get("/healthz")[0] == 503
    assert asked.get("/metrics")[0] == 503
    assert asked.get("/secrets")[0] == 404


def test_only_loopback_is_listened_at_unless_told_otherwise(asked: Asked) -> None:
    assert asked.watch.port
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", asked.watch.port), timeout=5)
    with Watch(WatchOptions(metrics="0.0.0.0:0")) as everywhere:
        assert everywhere.port
        socket.create_connection(("127.0.0.2", everywhere.port), timeout=5).close()


def test_a_taken_port_is_one_line_and_leaves_nothing_open(asked: Asked, tmp_path: Path) -> None:
    threads = threading.active_count()
    address = f"127.0.0.1:{asked.watch.port}"
    watch = Watch(WatchOptions(metrics=address, telemetry=str(tmp_path / "haze.jsonl")))
    with pytest.raises(SinkError, match=f"{address}: Address already in use; choose") as refusal, watch:
        pass
    assert refusal.value.exit_code == 1
    assert eventually(lambda: threading.active_count() == threads)


def test_two_runs_in_one_process_do_not_mix(asked: Asked) -> None:
    other = Asked()
    other.status = replace(STATUS, frames_in=5)
    with other.watch:
        asked.watch.follow(lambda: asked.status, lambda profile: None)
        other.watch.follow(lambda: other.status, lambda profile: None)
        assert asked.samples()["rtdehaze_frames_in_total",] == 100
        assert other.samples()["rtdehaze_frames_in_total",] == 5
    assert asked.get("/healthz")[0] == 200


def test_a_client_that_says_nothing_delays_neither_others_nor_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    # Who waited for one of them would wait for ever.
    monkeypatch.setattr(_Answers, "timeout", None)
    asked = Asked()
    asked.watch.__enter__()
    asked.watch.follow(lambda: asked.status, lambda profile: None)
    assert asked.watch.port
    silent = [socket.create_connection(("127.0.0.1", asked.watch.port)) for _ in range(5)]
    assert asked.get("/healthz")[0] == 200
    leaving = threading.Thread(target=asked.watch.__exit__, args=(None, None, None), daemon=True)
    leaving.start()
    leaving.join(60)
    assert not leaving.is_alive()
    for one in silent:
        one.close()


def test_head_has_no_body(asked: Asked) -> None:
    with socket.create_connection(("127.0.0.1", asked.watch.port), timeout=60) as connection:
        connection.sendall(b"HEAD /metrics HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b" 200 " in answer.splitlines()[0]
    assert answer.endswith(b"\r\n\r\n")
    assert b"rtdehaze_" not in answer


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9600", ("127.0.0.1", 9600)),
        ("0.0.0.0:9600", ("0.0.0.0", 9600)),
        ("localhost:80", ("localhost", 80)),
        ("[::1]:9600", ("::1", 9600)),
        ("", None),
        ("here", None),
        (":9600", None),
        ("65536", None),
        ("::1:9600", None),
        ("host:", None),
    ],
)
def test_addresses_are_read_or_refused(text: str, address: tuple[str, int] | None) -> None:
    if address is not None:
        assert parse_address(text) == address
        return
    with pytest.raises(UsageError, match="PORT"):
        parse_address(text)
