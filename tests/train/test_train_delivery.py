from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from rtdehaze.core.card import Gate, read_card
from rtdehaze.core.errors import ModelError, OutputExistsError, SourceError, UsageError
from rtdehaze.stages.estimate.thumbnail import thumbnail_of_rgb
from rtdehaze.train import delivery
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.checkpoint import save_weights
from rtdehaze.train.delivery import Words, deliver
from rtdehaze.train.networks import Estimator, build, build_any
from rtdehaze.train.origins import Origin, as_table
from rtdehaze.train.validate import restore, thumbnail_size

NOTES = {
    "origins": as_table([Origin("boxes", "MIT", 3), Origin("roads", "research use", 2)]),
    "gate": {"hazy_above": 0.3, "clear_below": 0.2},
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Two threads wait for each other at every layer where other programs run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    save_weights(tmp_path / "tiny.safetensors", "tiny", build("tiny").eval(), NOTES)
    return tmp_path / "tiny.safetensors"


def test_the_card_tells_what_the_checkpoint_tells(weights: Path, validation: Path, tmp_path: Path) -> None:
    made = deliver(weights, tmp_path / "mine.onnx", validation=validation)
    assert made.difference < 1e-4
    card = read_card(tmp_path / "mine.json")
    assert card == made.card
    assert card.name == "mine"
    assert card.licence == "research and evaluation only: the terms of roads allow no more"
    assert "boxes, 3 (MIT); roads, 2 (research use)" in card.trained_on
    assert card.gate == Gate(0.3, 0.2)
    assert card.sha256 is not None
    scores = {score.measure: score for score in card.scores}
    assert scores["PSNR"].unit == "dB"
    assert 0.0 < scores["mean absolute error of transmission"].value < 1.0
    assert scores["PSNR"].command == f"rtdehaze export {weights} -o {tmp_path / 'mine.onnx'} --validation {validation}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.json", "mine.onnx", "tiny.safetensors"]


def test_what_a_person_says_goes_before(weights: Path, tmp_path: Path) -> None:
    words = Words(name="fog", summary="A test.", licence="MIT", trained_on="boxes", gate=Gate(0.5, 0.4))
    card = deliver(weights, tmp_path / "mine.onnx", words).card
    assert (card.name, card.summary, card.licence, card.trained_on) == ("fog", "A test.", "MIT", "boxes")
    assert card.gate == Gate(0.5, 0.4)


def test_a_checkpoint_that_tells_nothing_allows_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_weights(tmp_path / "old.safetensors", "tiny", build("tiny").eval())
    card = deliver(tmp_path / "old.safetensors", tmp_path / "old.onnx").card
    assert card.licence.startswith("unknown")
    assert "tells no gate" in caplog.text


def test_an_export_that_answers_otherwise_is_refused_and_leaves_nothing(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = delivery.export

    def broken(checkpoint: Path, network: str, target: Path, about: object) -> None:
        other = build("tiny").eval()
        save_weights(target.with_suffix(".safetensors"), "tiny", other)
        export(target.with_suffix(".safetensors"), network, target, about)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "export", broken)
    with pytest.raises(ModelError, match="is not exported: ONNX Runtime's answers differ from PyTorch's by"):
        deliver(weights, tmp_path / "mine.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.safetensors"]


def test_a_restorer_is_proven_too(tmp_path: Path) -> None:
    model = build_any("aod")
    assert isinstance(model, AODNet)
    save_weights(tmp_path / "aod.safetensors", "aod", model.eval(), NOTES)
    made = deliver(tmp_path / "aod.safetensors", tmp_path / "aod.onnx")
    assert made.difference < 1e-4
    assert made.card.kind == "restorer"


def test_existing_files_other_names_and_wrong_files_are_refused(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}")
    with pytest.raises(OutputExistsError, match=r"mine\.json exists; give --overwrite"):
        deliver(weights, tmp_path / "mine.onnx")
    with pytest.raises(UsageError, match=r"must end in \.onnx"):
        deliver(weights, tmp_path / "mine.pt")
    with pytest.raises(ModelError, match=r"mine\.json cannot be read"):
        deliver(tmp_path / "mine.json", tmp_path / "other.onnx")
    (tmp_path / "bad.json").write_text('{"models": 3}')
    with pytest.raises(SourceError, match="is no evaluation"):
        deliver(weights, tmp_path / "other.onnx", evaluation=tmp_path / "bad.json")


def test_scores_come_from_an_evaluation(weights: Path, tmp_path: Path) -> None:
    table = {
        "models": {"mine": {}, "cap": {}},
        "measures": {"psnr": {"title": "PSNR", "unit": "dB", "better": "up", "meaning": ""}},
        "domains": [
            {
                "name": "roads",
                "kind": "pairs",
                "source": "val/roads",
                "means": {"mine": {"psnr": 20.5}, "cap": {"psnr": 9}},
            }
        ],
    }
    (tmp_path / "scores.json").write_text(json.dumps(table))
    score = deliver(weights, tmp_path / "mine.onnx", evaluation=tmp_path / "scores.json").card.scores[0]
    assert (score.measure, score.dataset, score.value, score.unit) == ("PSNR", "roads", 20.5, "dB")
    assert score.command == "rtdehaze evaluate --model mine --pairs val/roads"
    with pytest.raises(UsageError, match="holds mine, cap, but not third"):
        deliver(weights, tmp_path / "third.onnx", evaluation=tmp_path / "scores.json")


@pytest.mark.parametrize("size", [(540, 960), (321, 481), (250, 200), (96, 72)])
def test_the_trainers_thumbnail_is_the_runtimes(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal to a millionth: both average by area, in float, without rounding to levels."""
    seen: list[torch.Tensor] = []
    model = build("tiny").eval()
    forward = model.forward

    def watched(picture: torch.Tensor) -> object:
        seen.append(picture)
        return forward(picture)

    monkeypatch.setattr(model, "forward", watched)
    assert isinstance(model, Estimator)
    picture = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    restore(model, picture)
    height, width = thumbnail_size(*size)
    np.testing.assert_allclose(seen[0][0].numpy(), thumbnail_of_rgb(picture, "rgb", width, height), atol=1e-6)
