from __future__ import annotations

import subprocess
import sys

import pytest

import rtdehaze.synth


@pytest.mark.parametrize("name", rtdehaze.synth.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(rtdehaze.synth, name).__module__.startswith("rtdehaze.synth.")


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = rtdehaze.synth.nonsense


def test_importing_the_package_does_not_load_opencv() -> None:
    code = "import sys, rtdehaze.synth; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
