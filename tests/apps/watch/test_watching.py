"""The whole watch as a run uses it: nothing asked, nothing done; all asked, all told; and an end in time."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from rtdehaze.apps.watch.options import WatchOptions
from rtdehaze.apps.watch.watching import Watch
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Mode
from rtdehaze.core.watch import LiveStatus, Profile
from tests.apps.watch.observed import eventually, frame


def status() -> LiveStatus:
    return LiveStatus(seconds=1.0, connected=True, reconnects=0, frames_in=1, frames_out=1, fillers=0)


def test_nothing_asked_for_costs_nothing() -> None:
    before = threading.active_count()
    with Watch(WatchOptions()) as watch:
        watch.follow(status, lambda profile: None)
        assert watch.observers == ()
        assert watch.port is None
        assert threading.active_count() == before


def test_all_of_it_together_tells_one_story(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, said = tmp_path / "haze.jsonl", tmp_path / "said"
    options = WatchOptions(
        telemetry=str(path),
        on_haze=("density>0.5 for 1s",),
        on_haze_command=(f"sh -c 'echo $0 $1 $2 >> {said}' {{event}} {{profile}} {{source}}",),
        metrics="0",
        profile=("dark:mode=off",),
        profile_brightness="dark<0.15",
    )
    changed: list[Profile] = []
    watch = Watch(options, source="rtsp://wer:geheim@cam/1", base=Profile("run", Mode.MANUAL))
    threads = threading.active_count()
    with caplog.at_level(logging.INFO, "rtdehaze"), watch:
        watch.follow(status, changed.append)
        for observer in watch.observers:
            observer.see(frame(0, brightness=0.1))
        assert eventually(lambda: changed)
        for number in range(1, 100):
            for observer in watch.observers:
                observer.see(frame(number, brightness=0.1, density=0.8))
        assert eventually(lambda: said.exists() and said.read_text())
    assert eventually(lambda: threading.active_count() == threads)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["frame"] for record in records] == list(range(100))
    assert records[-1]["profile"] == "dark"
    assert said.read_text() == "began dark rtsp://cam/1\n"
    assert changed == [Profile("dark", Mode.OFF)]
    assert "geheim" not in caplog.text


def test_the_last_moments_of_commands_count_from_when_the_observers_were_closed(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = f"sh -c 'echo begun >> {said}; sleep 600'"
    with Watch(WatchOptions(on_haze=("density>0.5",), on_haze_command=(command,))) as watch:
        for observer in watch.observers:
            observer.see(frame(0, density=0.8))
        assert eventually(said.exists)
        for observer in watch.observers:
            observer.close()
        # The outputs of the run still take their time, and the command has its own meanwhile.
        assert eventually(watch._actions[0].worker.closing.is_set)


def test_a_watch_can_be_left_before_a_run_was_there(tmp_path: Path) -> None:
    threads = threading.active_count()
    options = WatchOptions(
        telemetry=str(tmp_path / "haze.jsonl"),
        metrics="0",
        profile=("day:mode=off",),
        profile_schedule="day=00:00-24:00",
    )
    with Watch(options):
        pass
    assert eventually(lambda: threading.active_count() == threads)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"on_haze_webhook": ("http://host/",)}, "need on-haze"),
        ({"on_haze_command": ("true",)}, "need on-haze"),
        ({"on_haze": ("visibility<200m",)}, "visibility-distance"),
        ({"profile": ("day:mode=off",)}, "profile-schedule or profile-brightness"),
        ({"profile_schedule": "day=07:00-19:00"}, "no profile 'day'; profiles given: none"),
        ({"profile_schedule": "x", "profile_brightness": "y"}, "exclude"),
        ({"metrics": "web"}, "PORT"),
        ({"health_after": 0.0}, "health-after"),
        ({"telemetry_interval": -1.0}, "telemetry-interval"),
        ({"visibility_distance": float("nan")}, "visibility-distance"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_opened(options: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Watch(WatchOptions(**options))  # type: ignore[arg-type]


def test_a_worker_drops_its_oldest_item_and_counts_it() -> None:
    handled: list[int] = []
    go = threading.Event()

    def handle(items: object) -> None:
        go.wait(60)
        handled.extend(items)  # type: ignore[arg-type]

    worker: Worker[int] = Worker("test", handle, room=3)
    worker.start()
    worker.put(0)
    assert eventually(lambda: not worker._items)
    for number in range(1, 8):
        worker.put(number)
    go.set()
    worker.close()
    worker.put(99)
    assert worker.join(time.monotonic() + 60)
    assert handled == [0, 5, 6, 7]
    assert worker.dropped == 4


def test_a_patient_worker_drops_nothing_that_it_can_still_take() -> None:
    handled: list[int] = []

    def handle(items: Sequence[int]) -> None:
        time.sleep(0.01)
        handled.extend(items)

    worker: Worker[int] = Worker("test", handle, room=2, patience=60.0)
    worker.start()
    for number in range(50):
        worker.put(number)
    worker.close()
    assert worker.join(time.monotonic() + 60)
    assert handled == list(range(50))
    assert worker.dropped == 0


def test_patience_that_was_in_vain_is_not_tried_again_before_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()
    worker: Worker[int] = Worker("test", lambda _: bool(go.wait(60)), room=1, patience=0.05)
    worker.start()
    # Whoever waited for each would wait more than eight minutes.
    begin = time.monotonic()
    for number in range(10_000):
        worker.put(number)
    assert time.monotonic() - begin < 10_000 * 0.05 / 4
    assert worker.dropped >= 9_998
    assert caplog.text.count("cannot keep up") == 1
    go.set()
    worker.close()
    assert worker.join(time.monotonic() + 60)


def test_a_worker_survives_what_it_does_and_says_it_once(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []

    def handle(items: list[int]) -> None:
        done.extend(items)
        if items[-1] < 3:
            raise ValueError("no such thing")

    worker: Worker[int] = Worker("test", handle, room=10)  # type: ignore[arg-type]
    worker.start()
    for number in range(5):
        worker.put(number)
        assert eventually(lambda number=number: number in done)
    worker.close()
    assert worker.join(time.monotonic() + 60)
    assert caplog.messages == ["test failed and goes on: ValueError: no such thing"]
