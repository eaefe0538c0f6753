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
        ("rtmp://live.example/app/k3y", "rtmp://live.example/app/***"),
        ("rtmp://live.example/app/k3y?vhost=a", "rtmp://live.example/app/***?vhost=a"),
        ("rtmps://h/app/k3y: refused, rtmp://h/app/k/3y.", "rtmps://h/app/***: refused, rtmp://h/app/***."),
        ("rtmp://127.0.0.1:1935/live", "rtmp://127.0.0.1:1935/live"),
        ("rtsp://eye:h0r se@cam:554/1", "rtsp://cam:554/1"),
        ("'rtsp://eye:h0r se h0r@se@cam' and a@b", "'rtsp://cam' and a@b"),
        ("rtsp://eye:123 45@cam/1", "rtsp://cam/1"),
        ("rtsp://the eye:h0rse@cam/1", "rtsp://cam/1"),
        ("rtsp://cam:554 is away; write to me@home", "rtsp://cam:554 is away; write to me@home"),
        ("rtsp://cam:554: refused; write to me@home", "rtsp://cam:554: refused; write to me@home"),
        ("rtsp://[::1]:554 is away; write to me@home", "rtsp://[::1]:554 is away; write to me@home"),
        ("cannot read 'rtsp://cam': see me@home", "cannot read 'rtsp://cam': see me@home"),
        (
            "rtsp://cam/user=eye_password=h0_r&se_channel=1_stream=0.sdp?real_stream",
            "rtsp://cam/user=***_password=***_channel=1_stream=0.sdp?real_stream",
        ),
        ("'rtsp://cam/user=eye&password=h0rse&channel=1'", "'rtsp://cam/user=***&password=***&channel=1'"),
        ("rtsp://cam/user=eye&password=h0rse", "rtsp://cam/user=***&password=***"),
        ("http://cam/v.cgi?loginuse=eye&loginpas=h0rse&x=1", "http://cam/v.cgi?loginuse=***&loginpas=***&x=1"),
        ("http://cam/v?u=eye&p=h0rse&up=1", "http://cam/v?u=***&p=***&up=1"),
        ("https://hooks.example/services/T0/B0/h0rse: gone", "https://hooks.example/***: gone"),
        ("'https://chat.example/api/webhooks/1/h0rse?x=y'", "'https://chat.example/api/webhooks/***'"),
        ("http://cam/hook.mjpg", "http://cam/hook.mjpg"),
        ("a/folder/of user@host.mp4", "a/folder/of user@host.mp4"),
    ],
)
def test_what_is_shown_holds_no_credentials(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert redacted(shown) == shown


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
        "from pathlib import Path; from rtdehaze.core.secrets import hide_arguments; print(hide_arguments()); "
        "print(Path('/proc/self/cmdline').read_text())"
    )
    secrets = ["rtsp://eye:h0rse@cam/1", "-o", "rtmp://site/app/h0rse", "-o", "rtmp://site/app/h0rse"]
    hooks = [
        "--on-haze-webhook",
        "https://eye:h0rse@topics.example/h0r@h0rse",
        "--on-haze-webhook=https://b.example?h0rse",
    ]
    shown = subprocess.run(
        [sys.executable, "-c", program, "run", *secrets, *hooks, "-o", "x.mp4"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "h0rse" not in shown
    assert shown.startswith("True")
    words = [word.rstrip() for word in shown.split("\0")]
    assert words[4:] == [
        "rtsp://cam/1", "-o", "rtmp://site/app/***", "-o", "rtmp://site/app/***",
        "--on-haze-webhook", "https://topics.example/***", "--on-haze-webhook=https://b.example/***", "-o", "x.mp4", "",
    ]  # fmt: skip
