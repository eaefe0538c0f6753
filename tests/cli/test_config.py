"""`--config FILE.toml`: what it gives, what goes before it, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import pytest

from rtdehaze.cli.config import config_option
from rtdehaze.cli.parameters import BOX, SECONDS
from rtdehaze.cli.run import run as run_command
from rtdehaze.core.errors import UsageError


class Mode(StrEnum):
    AUTO = "auto"
    OFF = "off"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("input")
@click.option("-o", "--output", "outputs", multiple=True)
@click.option("--strength", type=float, default=100.0)
@click.option("--every", type=int, default=1)
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default="auto")
@click.option("--start", type=SECONDS)
@click.option("--keep-box", "keep_boxes", type=BOX, multiple=True)
@click.option("--tag/--no-tag", default=True)
@click.option("--quiet", is_flag=True)
@click.option("--profile", multiple=True)
@click.option("--hook")
@config_option
def command(**choices: Any) -> None:
    """A command with parameters of every kind."""
    click.echo(json.dumps(choices))


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Runs the command with a TOML of that text and further arguments, and returns what it was told."""

    def call(toml: str, *arguments: str) -> dict[str, Any]:
        path = tmp_path / "camera.toml"
        path.write_text(toml)
        command.main(["--config", str(path), *arguments], standalone_mode=False)
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    return call


def test_everything_can_stand_in_the_file(run: Callable[..., dict[str, Any]]) -> None:
    told = run("""
        input = "rtsp://camera/1"
        output = ["a.mp4", "null"]
        [haze]
        mode = "off"
        strength = 80
        every = 2
        [part]
        start = 00:01:30
        keep_box = ["1,2,3,4", "5,6,7,8"]
        [rest]
        tag = false
        quiet = true
    """)
    assert told == {
        "input": "rtsp://camera/1",
        "outputs": ["a.mp4", "null"],
        "mode": "off",
        "strength": 80.0,
        "every": 2,
        "start": 90.0,
        "keep_boxes": [[1, 2, 3, 4], [5, 6, 7, 8]],
        "tag": False,
        "quiet": True,
        "profile": [],
        "hook": None,
    }


def test_the_command_line_wins_even_with_what_is_the_default(run: Callable[..., dict[str, Any]]) -> None:
    toml = 'input = "x"\noutput = ["a", "b"]\nstrength = 80\ntag = false\nmode = "off"\nstart = 20'
    told = run(toml, "--strength", "100", "-o", "c", "--tag", "--mode", "auto", "other", "--start", "1")
    assert (told["input"], told["outputs"], told["strength"], told["tag"]) == ("other", ["c"], 100.0, True)
    assert (told["mode"], told["start"]) == ("auto", 1.0)


def test_what_stands_nowhere_is_the_default(run: Callable[..., dict[str, Any]]) -> None:
    told = run("", "x")
    assert (told["strength"], told["every"], told["outputs"], told["tag"]) == (100.0, 1, [], True)


def test_one_value_will_do_for_an_option_that_may_be_repeated(run: Callable[..., dict[str, Any]]) -> None:
    assert run('input = "x"\noutput = "a"')["outputs"] == ["a"]


def test_tables_with_a_name_are_profiles(run: Callable[..., dict[str, Any]]) -> None:
    toml = '[[profile]]\nname = "day"\nmode = "auto"\nstrength = 80\n[[profile]]\nname = "night"'
    assert run(toml, "x")["profile"] == ["day:mode=auto,strength=80", "night:"]


def test_secrets_come_from_the_environment_or_a_file(
    run: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "https://wer:geheim@host/")
    assert run('hook = { env = "HOOK" }', "x")["hook"] == "https://wer:geheim@host/"
    (tmp_path / "secret").write_text("geheim\n")
    monkeypatch.chdir(tmp_path)
    told = run('hook = { file = "secret" }\noutput = ["a", { env = "HOOK" }]', "x")
    assert (told["hook"], told["outputs"]) == ("geheim", ["a", "https://wer:geheim@host/"])


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("strenght = 80", "strenght: no such option; did you mean strength?"),
        ("[haze]\nmod = 'off'", "haze.mod: no such option; did you mean mode?"),
        ("no-tag = true", "no-tag: no such option; did you mean tag?"),
        ("colour = 1", "colour: no such option; rtdehaze run --help"),
        ("config = 'x'", "config: no such option"),
        ("help = true", "help: no such option"),
        ("strength = '80'", "strength: must be a number, not '80'"),
        ("strength = true", "strength: must be a number, not True"),
        ("every = 2.5", "every: must be a whole number, not 2.5"),
        ("every = [1]", "every: must be a whole number"),
        ("tag = 1", "tag: must be true or false, not 1"),
        ("[a]\nquiet = 'yes'", "a.quiet: must be true or false, not 'yes'"),
        ("mode = 'sometimes'", "mode: 'sometimes' is not one of 'auto', 'off'"),
        ("start = 'noon'", "start: 'noon' is not a time"),
        ("keep-box = ['1,2,3,4', '1']", "keep-box[1]: '1' is not a box"),
        ("output = ['a', false]", "output[1]: must be a text, not False"),
        ("hook = ['a']", "hook: must be a text"),
        ("hook = ['https://hooks.example/T0/h0rse']", "hook: must be a text, not ['https://hooks.example/***']"),
        ("every = 'rtsp://eye:h0rse@cam'", "every: must be a whole number, not 'rtsp://cam'"),
        ("start = 'rtsp://eye:h0rse@cam'", "start: 'rtsp://cam' is not a time"),
        ("hook = 1979-05-27", "hook: must be a text"),
        ("[a]\nevery = 1\n[b]\nevery = 2", "b.every: given twice"),
        ("strength = 1\nstrength = 2", "not TOML"),
        ("strength =", "not TOML"),
        ("[profile]\nmode = 'off'", "profile: a table of an option needs name"),
        ("[[profile]]\nmode = 'off'", "profile[0]: a table of an option needs name"),
        ("[output]\nstrength = 1", "output: a table of an option needs name"),
        ("[a.b]\nstrength = 1", "a.b: no such option"),
        ("hook = { env = 'NO_SUCH_VARIABLE' }", "hook: there is no environment variable NO_SUCH_VARIABLE"),
        ("hook = { file = '/nonexistent' }", "hook: /nonexistent: No such file"),
        ("hook = { file = 3 }", "hook: file must be a text"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_with_file_and_key(
    run: Callable[..., dict[str, Any]], tmp_path: Path, toml: str, says: str
) -> None:
    with pytest.raises(UsageError) as refusal:
        run(toml, "x")
    message = str(refusal.value)
    assert message.startswith(f"{tmp_path / 'camera.toml'}: {says}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("toml", "arguments", "says"),
    [
        ("strength = 200", (), "{}: strength: must be 0 to 100, not 200"),
        ("[haze]\nstrength = -1", (), "{}: haze.strength: must be 0 to 100, not -1"),
        ("open_timeout = 0.0", (), "{}: open_timeout: must be more than 0, not 0"),
        ("retries = -1", (), "{}: retries: must be 0 or more, not -1"),
        ('keep = "48h"', (), "{}: keep: keep deletes old segments"),
        ('profile = "night"', (), "{}: profile: profile needs profile-schedule"),
        ("[watch]\nhealth-after = 0", (), "{}: watch.health-after: must be more than 0 seconds, not 0"),
        ("strength = 200", ("--strength", "300"), "strength must be 0 to 100, not 300"),
        ("strength = 20", ("--every", "0"), "every must be 1 or more frames, not 0"),
    ],
)
def test_what_is_out_of_range_is_refused_with_the_file_if_it_came_from_there(
    toml: str, arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "camera.toml"
    path.write_text(toml)
    with pytest.raises(UsageError) as refusal:
        run_command.main(["lavfi:testsrc", "-o", "null", "--config", str(path), *arguments], standalone_mode=False)
    assert str(refusal.value).startswith(says.format(path))


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"No such file|directory"):
        command.main(["--config", str(tmp_path / name), "x"], standalone_mode=False)


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "camera.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not TOML"):
        command.main(["--config", str(path), "x"], standalone_mode=False)


def test_the_input_may_still_be_missing(run: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(click.MissingParameter):
        run("strength = 80")


SAMPLES = {"time": "00:01:30", "rate": "4M", "x,y,w,h": "1,2,3,4", "WxH": "640x480", "length": "10min", "keep": "48h"}


def sample(parameter: click.Option) -> Any:
    """A value for a parameter as TOML has it."""
    if parameter.is_flag:
        return not parameter.secondary_opts
    if isinstance(parameter.type, click.Choice):
        return next(word for word in parameter.type.choices if word != parameter.default)
    if parameter.type in (click.FLOAT, click.INT):
        return 3
    return SAMPLES.get(parameter.type.name, "a=b")


@pytest.mark.parametrize(
    "name", [parameter.name for parameter in run_command.params if parameter.name not in ("input", "config")]
)
def test_every_option_of_run_means_the_same_in_a_file(name: str, tmp_path: Path) -> None:
    parameter = next(one for one in run_command.params if one.name == name)
    assert isinstance(parameter, click.Option)
    value, word = sample(parameter), max(parameter.opts, key=len)
    flag = (parameter.secondary_opts or [word])[0]
    arguments = [flag] if parameter.is_flag else [word, str(value)]
    path = tmp_path / "camera.toml"
    path.write_text(f"{word.removeprefix('--')} = {json.dumps(value)}")
    told = []
    for given in (arguments, ["--config", str(path)]):
        with run_command.make_context("run", ["x", *given]) as context:
            told.append(context.params[name])
    assert told[0] == told[1]
    with run_command.make_context("run", ["x"]) as context:
        assert context.params[name] != told[1]
