"""What is done about events: a real web server is told, a real program is run."""

from __future__ import annotations

import base64
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rtdehaze.apps.watch import command as command_module
from rtdehaze.apps.watch.command import Command
from rtdehaze.apps.watch.events import Alarms, Event
from rtdehaze.apps.watch.rules import parse_rule
from rtdehaze.apps.watch.webhook import Webhook
from rtdehaze.core.errors import UsageError
from tests.apps.watch.observed import eventually, frame

EVENT = Event(
    event="began", rule="density>0.5 for 1s", quantity="density", value=0.61, time="2026-05-28T20:26:40.400Z", pts=1.5,
    frame=37, lasted=None, source="rtsp://cam/1; $(reboot) 'x'", profile=None, density=0.61, visibility=0.3,
    transmission=0.4, brightness=0.5,
)  # fmt: skip


class Receiver:
    """A web server that keeps what it was sent and answers as told, then with 204."""

    def __init__(self, *answers: int) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        left = list(answers)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                receiver.headers.append(dict(self.headers))
                receiver.paths.append(self.path)
                self.send_response(left.pop(0) if left else 204)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    opened: list[Receiver] = []

    def start(*answers: int) -> Receiver:
        opened.append(Receiver(*answers))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def ended(action: Webhook | Command) -> None:
    action.worker.close()
    assert action.worker.join(time.monotonic() + 60)


def test_an_event_arrives_as_json_with_the_credentials_in_a_header(receiver: Callable[..., Receiver]) -> None:
    server = receiver()
    hook = Webhook(f"http://wer:ge%40heim@{server.place}/haze?token=secret#part")
    hook.worker.start()
    hook.worker.put(EVENT)
    assert eventually(lambda: server.bodies)
    ended(hook)
    assert server.bodies[0]["event"] == "began"
    assert server.bodies[0]["density"] == 0.61
    assert server.bodies[0]["source"] == EVENT.source
    assert server.headers[0]["Content-Type"] == "application/json"
    assert base64.b64decode(server.headers[0]["Authorization"].removeprefix("Basic ")) == b"wer:ge@heim"
    assert server.paths == ["/haze?token=secret"]


def test_an_answer_that_may_better_is_tried_again(receiver: Callable[..., Receiver]) -> None:
    server = receiver(503, 429)
    hook = Webhook(f"http://{server.place}/", pauses=(0.01, 0.01, 0.01))
    hook.worker.start()
    hook.worker.put(EVENT)
    assert eventually(lambda: len(server.bodies) == 3)
    ended(hook)
    assert hook.worker.dropped == 0


@pytest.mark.parametrize(("answer", "says"), [(404, "HTTP 404"), (302, "give the address it redirects to")])
def test_an_answer_that_will_stay_is_said_once_without_what_is_secret(
    receiver: Callable[..., Receiver], caplog: pytest.LogCaptureFixture, answer: int, says: str
) -> None:
    server = receiver(*[answer] * 5)
    hook = Webhook(f"http://wer:geheim@{server.place}/T0KEN?key=T0KEN", pauses=(0.01,))
    hook.worker.start()
    with caplog.at_level(logging.INFO, "rtdehaze"):
        hook.worker.put(EVENT)
        assert eventually(lambda: hook.worker.dropped)
    ended(hook)
    assert len(server.bodies) == 1
    (line,) = caplog.messages
    assert says in line
    assert server.place in line
    assert "geheim" not in line
    assert "T0KEN" not in line


def test_nobody_there_is_said_after_the_last_attempt(caplog: pytest.LogCaptureFixture) -> None:
    hook = Webhook("http://127.0.0.1:9/", pauses=(0.01, 0.01))
    hook.worker.start()
    hook.worker.put(EVENT)
    assert eventually(lambda: hook.worker.dropped)
    ended(hook)
    assert [message for message in caplog.messages if "refused" in message] == caplog.messages
    assert len(caplog.messages) == 1


def test_waiting_to_try_again_ends_with_the_run() -> None:
    hook = Webhook("http://127.0.0.1:9/", pauses=(600.0,))
    hook.worker.start()
    hook.worker.put(EVENT)
    time.sleep(0.2)
    hook.worker.close()
    assert hook.worker.join(time.monotonic() + 60)


@pytest.mark.parametrize(
    "url", ["", "haze.example", "file:///etc/passwd", "ftp://host/x", "http:///x", "http://h:99999/"]
)
def test_only_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(UsageError, match="http://"):
        Webhook(url)


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "a script.py"
    path.write_text(text)
    return f"'{sys.executable}' '{path}'"


def run(command: Command, done: Callable[[], object]) -> None:
    command.worker.start()
    command.worker.put(EVENT)
    assert eventually(done)
    ended(command)


def test_a_program_gets_each_value_as_one_argument_and_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RTDEHAZE_RTSP_PASSWORD", "geheim")
    monkeypatch.setenv("KEPT", "yes")
    out = tmp_path / "out.json"
    part = tmp_path / "part.json"
    text = f"""
import json, os, sys
with open({str(part)!r}, "w") as file:
    json.dump([sys.argv[1:], dict(os.environ)], file)
os.rename({str(part)!r}, {str(out)!r})
"""
    words = "{event} 'from {source} at {time}' --d={density} {lasted} '{\"a\": 1}'"
    run(Command(f"{script(tmp_path, text)} {words}"), out.exists)
    arguments, environment = json.loads(out.read_text())
    source = EVENT.source
    assert arguments == ["began", f"from {source} at {EVENT.time}", "--d=0.61", "", '{"a": 1}']
    assert environment["RTDEHAZE_EVENT"] == "began"
    assert environment["RTDEHAZE_SOURCE"] == source
    assert environment["RTDEHAZE_LASTED"] == ""
    assert environment["KEPT"] == "yes"
    assert "RTDEHAZE_RTSP_PASSWORD" not in environment


def test_a_program_that_fails_is_one_line_with_its_last_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    command = Command(script(tmp_path, "import sys; print('noise', file=sys.stderr); sys.exit('no printer')"))
    run(command, lambda: command.worker.dropped)
    assert command.worker.dropped == 1
    (line,) = caplog.messages
    assert line.endswith("exit code 1: no printer")


def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = tmp_path / "beat"

    def begun() -> bool:
        return beat.exists() and beat.stat().st_size > 1

    # As soon as its child has begun ten minutes are over, however long that took.
    clock = SimpleNamespace(sleep=time.sleep, monotonic=lambda: time.monotonic() + 600 * begun())
    monkeypatch.setattr(command_module, "time", clock)
    child = f"while :; do echo >> '{beat}'; sleep 0.02; done"
    path = tmp_path / "parent.sh"
    path.write_text(f"({child}) & wait")
    command = Command(f"sh '{path}'", timeout=300.0)
    run(command, lambda: command.worker.dropped)
    assert "took longer than 300 s" in caplog.messages[0]
    size = beat.stat().st_size
    time.sleep(0.3)
    assert beat.stat().st_size == size > 0


def test_a_program_under_way_ends_with_the_run(tmp_path: Path) -> None:
    command = Command(script(tmp_path, "import time; time.sleep(600)"))
    command.worker.start()
    command.worker.put(EVENT)
    time.sleep(0.2)
    command.worker.close()
    assert command.worker.join(time.monotonic() + 60)


def test_when_the_run_ends_no_further_program_is_begun_and_what_was_not_run_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun = tmp_path / "begun"
    command = Command(script(tmp_path, f"import time; open({str(begun)!r}, 'a').write('x'); time.sleep(600)"))
    command.worker.start()
    command.worker.put(EVENT)
    assert eventually(lambda: begun.exists() and begun.read_text())
    for _ in range(3):
        command.worker.put(EVENT)
    ended(command)
    assert begun.read_text() == "x"
    assert command.worker.dropped == 4
    assert "ended with the run" in caplog.messages[0]
    assert "not run for 3 more" in caplog.messages[1]


def test_a_program_that_nobody_waits_for_does_not_outlive_the_run(tmp_path: Path) -> None:
    number = tmp_path / "number"
    text = f"import os, time; open({str(number)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    command = Command(script(tmp_path, text), patience=600.0)
    command.worker.start()
    command.worker.put(EVENT)
    assert eventually(lambda: number.exists() and number.read_text())
    command.abandon()
    ended(command)
    assert not Path("/proc", number.read_text()).exists()
    assert command.worker.dropped == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "name a program"),
        ("no-such-program {event}", "no-such-program"),
        ("echo {colour}", "{colour}"),
        ("echo 'x", "quot"),
    ],
)
def test_a_command_that_cannot_be_run_is_refused_at_once(words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Command(words)


def test_events_of_several_rules_go_to_the_log_and_to_everyone_in_order(caplog: pytest.LogCaptureFixture) -> None:
    one: list[Event] = []
    other: list[Event] = []
    rules = [parse_rule("density>0.5 for 1s"), parse_rule("visibility<300m")]
    alarms = Alarms(rules, [one.append, other.append], distance=100.0, source="rtsp://cam", profile=lambda: "day")
    with caplog.at_level(logging.INFO, "rtdehaze"):
        for number in range(200):
            thick = 25 <= number < 100
            alarms.see(frame(number, density=0.7 if thick else 0.1, transmission=0.3 if thick else 0.8))
        alarms.close()
        assert alarms.worker.join(time.monotonic() + 60)
    assert [(event.event, event.quantity, event.frame) for event in one] == [
        ("began", "visibility_m", 25),
        ("began", "density", 50),
        ("ended", "visibility_m", 100),
        ("ended", "density", 125),
    ]
    assert one == other
    assert [event.lasted for event in one] == [None, None, 3.0, 3.0]
    assert one[0].value == one[0].visibility_m == pytest.approx(248.8, abs=0.1)
    assert (one[0].source, one[0].profile) == ("rtsp://cam", "day")
    assert len(caplog.messages) == 4
