"""What docs/live.md says is what the program does: commands, rules, names and numbers."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from rtdehaze.apps.watch.events import FIELDS
from rtdehaze.apps.watch.metrics import registry_of
from rtdehaze.apps.watch.rules import parse_rule
from rtdehaze.apps.watch.visibility import quantities, visibility_index
from rtdehaze.cli.main import cli
from rtdehaze.core.live import OutletState, OutletStatus
from rtdehaze.core.watch import LiveStatus
from rtdehaze.pipeline.live.accounts import Drop
from rtdehaze.stages.capture.live import is_live, session
from tests.apps.watch.observed import frame

HANDBOOK = (Path(__file__).parents[1] / "docs" / "live.md").read_text()


def section(title: str) -> str:
    return re.split(r"^##+ ", HANDBOOK.split(f"# {title}\n")[1], flags=re.MULTILINE)[0]


def shell_lines() -> list[list[str]]:
    text = "\n".join(re.findall(r"```sh\n(.*?)```", HANDBOOK, re.DOTALL)).replace("\\\n", " ")
    return [shlex.split(line, comments=True)[1:] for line in text.splitlines() if line.startswith("rtdehaze ")]


@pytest.mark.parametrize("words", shell_lines(), ids=" ".join)
def test_a_command_is_one_that_the_program_takes(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("camera.toml").write_text('input = "rtsp://camera/1"\noutput = "null"\n')
    command = cli.commands[words[0]]
    given = ["rtsp://camera/1" if word == "..." else word for word in words[1:]]
    with command.make_context(words[0], given, parent=click.Context(cli)) as context:
        for rule in context.params.get("on_haze", ()):
            parse_rule(rule)


def test_every_option_named_exists() -> None:
    known = {name for command in cli.commands.values() for parameter in command.params for name in parameter.opts}
    known |= {
        name for command in cli.commands.values() for parameter in command.params for name in parameter.secondary_opts
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", HANDBOOK)) - {"--seeds"}  # of a benchmark
    assert len(named) > 25
    assert named <= known


def test_the_file_shown_is_one_that_the_program_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", HANDBOOK, re.DOTALL)
    path = tmp_path / "camera.toml"
    path.write_text(text)
    monkeypatch.setenv("HAZE_WEBHOOK", "https://host/")
    command = cli.commands["run"]
    with command.make_context("run", ["--config", str(path)], parent=click.Context(cli)) as context:
        assert context.params["input"] == tomllib.loads(text)["input"]
        assert context.params["metrics"] == "9600"
        assert context.params["on_haze_webhook"] == ("https://host/",)
        assert context.params["profile"] == ("night:strength=60",)


def test_the_line_of_telemetry_is_consistent_and_each_field_explained() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", HANDBOOK, re.DOTALL)
    record = json.loads(text)
    numbers = quantities(frame(0, transmission=record["transmission"]), 60.0)
    assert record["visibility"] == pytest.approx(numbers["visibility"], abs=1e-3)
    assert record["visibility_m"] == pytest.approx(numbers["visibility_m"], rel=1e-3)
    explained = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section("Haze as a sensor"), re.MULTILINE)))
    )
    assert explained == set(record)


def test_the_numbers_of_the_index_are_right() -> None:
    told = re.search(r"t = ([\d., ]+) give ([\d., ]+)\.\n", HANDBOOK)
    assert told
    transmissions, indices = ([float(number) for number in group.split(",")] for group in told.groups())
    assert [round(visibility_index(value), 2) for value in transmissions] == indices


def test_every_metric_named_exists_and_every_metric_is_named() -> None:
    times = {"p50": 1.0, "p95": 1.0, "p99": 1.0}
    status = LiveStatus(
        seconds=1.0, connected=True, reconnects=0, frames_in=1, frames_out=1, fillers=0, dropped={"queue": 1},
        density=0.5, profile="day", age_ms=times, added_ms=times,
        stages={"estimate": {"p50_ms": 1.0, "total_s": 1.0, "count": 1}},
        outlets=(OutletStatus("null", OutletState.RUNNING, 1, 0, 0, None),),
    )  # fmt: skip
    registry = registry_of(lambda: status, lambda: quantities(frame(0), 100.0), list)
    offered = {
        (family.name + "_total" if family.type == "counter" else family.name).removeprefix("rtdehaze_")
        for family in registry.collect()
        if family.name.startswith("rtdehaze_")
    }
    rows = re.findall(r"^\| (`.*?) \|", section("Metrics and health"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == offered - {"info"}


def test_every_reason_of_a_drop_and_every_field_of_an_event_is_explained() -> None:
    reasons = re.findall(r"^\| [^|]+ \| `([\w ]+)` \|", section("What happens when"), re.MULTILINE)
    # A source counts under words of its own what it passes over before it is a frame.
    passed_over = re.findall(r"_skipped\[\"(.+?)\"\]", Path(session.__file__).read_text())
    assert passed_over
    assert sorted(reasons) == sorted([*passed_over, *(drop.value for drop in Drop)])
    assert set(FIELDS) <= set(re.findall(r"`(\w+)`", section("Events")))


def test_standard_input_is_said_to_be_live_and_a_files_name_to_be_the_way() -> None:
    assert is_live("-")
    (row,) = re.findall(r"^\| standard input \| (`-`.*) \|$", section("Inputs and outputs"), re.MULTILINE)
    assert "live" in row
    assert "give the name" in row
    assert "| rtdehaze run -" in HANDBOOK.split("## Inputs and outputs")[0]
