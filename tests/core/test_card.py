from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rtdehaze.core.card import Card, Gate, InputSpec, Kind, State, parse_card, read_card
from rtdehaze.core.errors import ModelError


def estimator() -> dict[str, Any]:
    return {
        "name": "net",
        "kind": "estimator",
        "summary": "A network.",
        "input": {
            "name": "x",
            "layout": "NCHW",
            "range": [-1, 1],
            "mean": [0, 0, 0.5],
            "long_side": 128,
            "multiple": 4,
        },
        "outputs": {"transmission": "t", "airlight": "a", "density": "d"},
        "gate": {"hazy_above": 0.4, "clear_below": 0.2},
        "licence": "MIT",
        "trained_on": "drives",
        "scores": [{"measure": "PSNR", "dataset": "set", "value": 20.5, "unit": "dB", "command": "make it"}],
        "sha256": "AB" * 32,
        "state": [{"input": "before", "output": "after", "channels": 48, "stride": 16}],
    }


def test_a_card_is_read_whole() -> None:
    card = parse_card(estimator())
    assert card.kind is Kind.ESTIMATOR
    assert card.input == InputSpec("x", low=-1, high=1, mean=(0, 0, 0.5), long_side=128, multiple=4)
    assert card.outputs == {"transmission": "t", "airlight": "a", "density": "d"}
    assert card.gate == Gate(0.4, 0.2)
    assert card.scores[0].value == 20.5
    assert card.sha256 == "ab" * 32
    assert card.state == (State("before", "after", channels=48, stride=16),)


def test_a_card_survives_the_way_through_json() -> None:
    card = parse_card(estimator())
    assert parse_card(json.loads(json.dumps(card.to_dict()))) == card
    bare = Card("net", Kind.RESTORER, InputSpec("x"), {"image": "y"}, licence="MIT", trained_on="?")
    assert parse_card(json.loads(json.dumps(bare.to_dict()))) == bare


def test_a_person_reads_what_matters() -> None:
    text = parse_card(estimator()).describe()
    for part in ("net", "estimator", "hazy above 0.4", "MIT", "drives", "PSNR 20.5 dB on set", "make it"):
        assert part in text
    assert "48 channels at stride 16" in text


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("kind", "detector", "kind is 'detector', but must be one of estimator, restorer"),
        ("name", "", "name is '', but must be a text"),
        ("colour", 1, "unknown key colour (its value is 1)"),
        ("input.layout", "NHWC", "input.layout is 'NHWC', but must be one of NCHW"),
        ("input.range", [1, 0], "input.range is (1.0, 0.0), but must be two rising numbers"),
        ("input.range", [0, "x"], "input.range is 'x', but must be a finite number"),
        ("input.std", [1, 0, 1], "input.std is (1.0, 0.0, 1.0)"),
        ("input.mean", 0.5, "input.mean is 0.5, but must be a list of 3 numbers"),
        ("input.mean", [float("nan"), 0, 0], "input.mean is nan"),
        ("input.long_side", 0, "input.long_side is 0, but must be a whole number from 1 to 4096"),
        ("input.long_side", 1e6, "input.long_side is 1000000.0"),
        ("input.multiple", True, "input.multiple is True"),
        ("input.size", 3, "unknown key input.size"),
        ("input", [], "input must be a table of keys, not []"),
        ("outputs.bias", "b", "outputs.bias is 'alone', but must be luma_gain, chroma_gain and bias together"),
        ("outputs.depth", "z", "unknown key outputs.depth"),
        ("gate.clear_below", 0.6, "gate.clear_below is 0.6, but must be between 0 and hazy_above = 0.4"),
        ("gate.hazy_above", "much", "gate.hazy_above is 'much', but must be a finite number"),
        ("scores", {}, "scores is {}, but must be a list"),
        ("scores", [{"measure": "PSNR"}], "scores[0].dataset is missing"),
        ("state", [{"input": "a", "output": "b", "channels": 0}], "state[0].channels is 0, but must be a whole number"),
        ("state", [{"input": "a", "output": "b", "channels": 4}], "state[0].stride is missing"),
        ("state", [{"input": "x", "output": "b", "channels": 4, "stride": 8}], "state[0].input is 'x'"),
        ("state", [{"input": "a", "output": "t", "channels": 4, "stride": 8}], "state[0].output is 't'"),
        ("sha256", "abc", "sha256 is 'abc', but must be 64 hexadecimal digits"),
    ],
)
def test_an_impossible_value_is_refused_by_key_and_value(path: str, value: object, says: str) -> None:
    data = estimator()
    *tables, key = path.split(".")
    table = data
    for name in tables:
        table = table[name]
    table[key] = value
    with pytest.raises(ModelError) as caught:
        parse_card(data, "net.json")
    assert str(caught.value).startswith("net.json: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("key", ["name", "kind", "input", "outputs", "licence", "trained_on"])
def test_a_missing_key_is_named(key: str) -> None:
    data = estimator()
    del data[key]
    with pytest.raises(ModelError, match=f"{key} is missing"):
        parse_card(data)


@pytest.mark.parametrize("content", [b"", b"[]", b"{'a': 1}", b"\xff\xfe", b"[" * 100000])
def test_a_file_that_holds_no_card_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.json"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_card(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_card(tmp_path / "none.json")
