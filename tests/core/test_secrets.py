from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rtdehaze.core.errors import UsageError
from rtdehaze.core.secrets import PASSWORD, PASSWORD_FILE, USER, redacted, with_credentials

SECRET = "h0rse#staple"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://eye:h0rse@cam/1", "rtsp://cam/1"),
        ("rtsp://eye@cam/1", "rtsp://cam/1"),
        ("rtsp://eye:h0r@se@cam:554/1", "rtsp://cam:554/1"),
        ("rtsp://eye:h0r/se@cam:554/1", "rtsp://cam:554/1"),
        ("rtsp://eye:h0r#se?x@cam/1", "rtsp://cam/1"),
        ("cannot read 'rtsp://eye:h0rse@cam/1' or 'http://a:b@c'", "cannot read 'rtsp://cam/1' or 'http://c'"),
        ("http://cam:8080/a@b.mjpg", "http://cam:8080/a@b.mjpg"),
        ("http://cam/v?token=abc&size=1", "http://cam/v?token=***&size=1"),
        ("http://cam/v.cgi?user=eye&pwd=h0rse", "http://cam/v.cgi?user=***&pwd=***"),
        ("http://cam/v?X-Amz-Signature=abc", "http://cam/v?X-Amz-Signature=***"),
        ("Authorization: Basic ZXllOmgwcnNl", "Authorization: Basic ***"),
        ("rtmp://live.example/app/abcd-efgh-ijkl-mnop", "rtmp://live.example/app/***"),
        ("rtmp://127.0.0.1:1935/live/front", "rtmp://127.0.0.1:1935/live/front"),
        ("a/folder/of user@host.mp4", "a/folder/of user@host.mp4"),
    ],
)
def test_what_is_shown_holds_no_credentials(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_credentials_of_the_environment_are_percent_encoded_into_an_rtsp_url() -> None:
    url = with_credentials("rtsp://cam:554/1", {USER: "ey e@home", PASSWORD: SECRET})
    assert url == "rtsp://ey%20e%40home:h0rse%23staple@cam:554/1"
    assert redacted(url) == "rtsp://cam:554/1"


def test_credentials_in_the_url_and_other_schemes_are_left_alone() -> None:
    given = {USER: "eye", PASSWORD: SECRET}
    assert with_credentials("rtsp://me:mine@cam/1", given) == "rtsp://me:mine@cam/1"
    assert with_credentials("http://cam/1", given) == "http://cam/1"
    assert with_credentials("rtsp://cam/1", {}) == "rtsp://cam/1"


def test_a_password_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    assert with_credentials("rtsps://cam", {USER: "eye", PASSWORD_FILE: str(path)}) == "rtsps://eye:h0rse%23staple@cam"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({PASSWORD: SECRET}, USER),
        ({USER: "eye", PASSWORD: SECRET, PASSWORD_FILE: "/x"}, "exclude"),
        ({USER: "eye", PASSWORD_FILE: "/nowhere/at/all"}, "/nowhere/at/all"),
        ({USER: "eye", PASSWORD_FILE: "/dev/null"}, "no password"),
    ],
)
def test_an_incomplete_set_of_credentials_is_refused_without_showing_them(given: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        with_credentials("rtsp://cam", given)
    assert SECRET not in str(caught.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the command line cannot be overwritten")
def test_the_process_list_shows_no_credentials() -> None:
    program = (
        "from pathlib import Path; from rtdehaze.core.secrets import hide_arguments; hide_arguments(); "
        "print(Path('/proc/self/cmdline').read_text())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, "run", "rtsp://eye:h0rse@cam/1", "-o", "x.mp4"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "h0rse" not in shown
    assert "rtsp://cam/1" in shown
    assert "x.mp4" in shown
