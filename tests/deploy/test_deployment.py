"""The examples in deploy/: what can be checked of them without an engine."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from rtdehaze.apps.watch.metrics import registry_of
from rtdehaze.apps.watch.options import WatchOptions
from rtdehaze.apps.watch.visibility import quantities
from rtdehaze.apps.watch.watching import Watch
from rtdehaze.cli.main import cli
from rtdehaze.core.live import OutletState, OutletStatus
from rtdehaze.core.watch import LiveStatus
from tests.apps.watch.observed import frame

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
STATUS = LiveStatus(
    seconds=1.0, connected=True, reconnects=0, frames_in=2, frames_out=1, fillers=0, dropped={"queue": 1}, density=0.5,
    outlets=(OutletStatus("null", OutletState.RUNNING, 1, 0, 0, None),),
)  # fmt: skip


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that camera.env makes."""
    for line in (DEPLOY / "camera.env").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)


def told(arguments: list[str]) -> dict[str, Any]:
    """Parses arguments of the program as it does itself, the TOML in its place, and returns what `run` is told."""
    assert arguments[0] == "run"
    there = [re.sub(r"^/etc/rtdehaze/(%i|camera)\.toml$", str(DEPLOY / "camera.toml"), word) for word in arguments]
    assert there != arguments, "the configuration is not where it is put"
    command = cli.commands["run"]
    with command.make_context("run", there[1:], parent=click.Context(cli)) as context:
        return dict(context.params)


def unit() -> configparser.ConfigParser:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes="#", inline_comment_prefixes=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "rtdehaze@.service")
    return parser


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def instruction(name: str) -> str:
    return [rest for word, rest in instructions() if word == name][-1]


@pytest.mark.usefixtures("secrets")
def test_the_example_configuration_holds_what_it_says() -> None:
    choices = told(["run", "--config", "/etc/rtdehaze/camera.toml"])
    given = tomllib.loads((DEPLOY / "camera.toml").read_text())
    assert choices["input"] == given["input"]
    options = WatchOptions(**{name: choices[name] for name in WatchOptions.__dataclass_fields__})
    assert options.on_haze_webhook == ("https://alerts.example/hooks/change-me",)
    assert [profile.name for profile in Watch(options).profiles] == ["night"]


@pytest.mark.usefixtures("secrets")
def test_the_unit_starts_the_program_with_arguments_that_it_takes() -> None:
    program, *arguments = shlex.split(unit()["Service"]["ExecStart"])
    assert program.endswith("/bin/rtdehaze")
    assert told(arguments)["outputs"]


def test_the_unit_gives_compiled_loops_a_place_and_allows_them() -> None:
    service = unit()["Service"]
    assert service["Environment"] == f"NUMBA_CACHE_DIR=/var/cache/{service['CacheDirectory']}"
    assert "MemoryDenyWriteExecute" not in service
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_the_unit_takes_being_stopped_for_no_failure_and_a_wrong_option_for_final() -> None:
    service = unit()["Service"]
    assert service["SuccessExitStatus"].split() == ["143", "130"]
    assert service["RestartPreventExitStatus"] == "2"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_has_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "rtdehaze@front.service"
    text = (DEPLOY / "rtdehaze@.service").read_text()
    copy.write_text(text.replace("/opt/rtdehaze/bin/rtdehaze", sys.executable))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert copy.name not in result.stderr


@pytest.mark.usefixtures("secrets")
def test_the_image_starts_the_program_with_arguments_that_it_takes() -> None:
    assert json.loads(instruction("ENTRYPOINT")) == ["rtdehaze"]
    assert told(json.loads(instruction("CMD")))["metrics"]


def test_the_image_holds_what_it_needs() -> None:
    runs = " ".join(rest for word, rest in instructions() if word == "RUN")
    installed = re.search(r"apt-get install -y --no-install-recommends ([^&]+)", runs)
    assert installed
    # What the program itself asks for when OpenCV lacks it.
    assert set(re.findall(r'"(lib\w+)"', (ROOT / "rtdehaze/cli/main.py").read_text())) - {"libxcb", "libGL"} == set(
        installed[1].split()
    )
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            assert all((ROOT / source).exists() for source in rest.split()[:-1])
    cache = re.search(r"NUMBA_CACHE_DIR=(\S+)", instruction("ENV"))
    assert cache
    assert cache[1] in runs


def test_the_extra_that_brings_cuda_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    compose = yaml.safe_load((DEPLOY / "compose.cuda.yaml").read_text())
    assert compose["services"]["camera"]["build"]["args"]["EXTRAS"].strip("[]") in extras


def health_check() -> list[str]:
    command: list[str] = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    return command


@pytest.mark.parametrize(("silent", "healthy"), [(0.0, True), (60.0, False)])
def test_the_images_health_check_tells_well_from_unwell(silent: float, healthy: bool) -> None:
    with Watch(WatchOptions(metrics="0")) as watch:
        watch.follow(lambda: replace(STATUS, silent=silent), lambda profile: None)
        program, *arguments = health_check()
        assert program == "python"
        here = [argument.replace(":9600/", f":{watch.port}/") for argument in arguments]
        assert here != arguments
        result = subprocess.run([sys.executable, *here], capture_output=True, timeout=60, check=False)
    assert (result.returncode == 0) is healthy


@pytest.mark.usefixtures("secrets")
def test_the_services_fit_together() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    camera = compose["services"]["camera"]
    port = told(camera["command"])["metrics"].rpartition(":")[2]
    assert f":{port}/healthz" in health_check()[-1]
    assert camera["ports"] == [f"127.0.0.1:{port}:{port}"]
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert prometheus["scrape_configs"][0]["static_configs"][0]["targets"] == [f"camera:{port}"]
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]
    assert (DEPLOY / camera["env_file"]).exists()
    assert (DEPLOY / camera["build"]["context"] / camera["build"]["dockerfile"]).exists()


def test_alerts_are_about_metrics_and_labels_that_exist() -> None:
    registry = registry_of(lambda: STATUS, lambda: quantities(frame(0), 100.0), list)
    offered = {sample.name for family in registry.collect() for sample in family.samples} | {"up"}
    offered |= {f"{family.name}_total" for family in registry.collect() if family.type == "counter"}
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"\b(?:rtdehaze|process)_\w+|\bup\b", rule["expr"])}
    assert len(named) >= 8
    assert named <= offered
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_every_file_is_in_the_table_of_the_readme() -> None:
    readme = (DEPLOY / "README.md").read_text()
    assert [path.name for path in DEPLOY.iterdir() if path.name != "README.md" and f"`{path.name}`" not in readme] == []
