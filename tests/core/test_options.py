from __future__ import annotations

from typing import Any

import pytest

from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Mode, Options, Provider


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strength", -1.0),
        ("strength", 100.1),
        ("strength", float("nan")),
        ("smoothing", 1.5),
        ("start", -0.1),
        ("start", float("inf")),
        ("duration", 0.0),
        ("duration", float("nan")),
        ("rate", 0.0),
        ("bitrate", 0),
        ("threads", 0),
        ("mode", "sometimes"),
        ("provider", "abacus"),
        ("hdr", "guess"),
        ("compare", "diagonal"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_and_value(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        Options(**{name: value})
    shown = value if isinstance(value, str) else f"{value:g}"
    assert shown in str(caught.value)


def test_crf_and_bitrate_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="crf and bitrate"):
        Options(crf=20, bitrate=1_000_000)


def test_plain_words_become_choices() -> None:
    options = Options(mode="manual", provider="cpu")  # type: ignore[arg-type]
    assert options.mode is Mode.MANUAL
    assert options.provider is Provider.CPU
