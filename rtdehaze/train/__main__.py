"""`python -m rtdehaze.train CONFIG --out DIR`: trains or resumes, and exports when it is done."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rtdehaze.core.errors import RtdehazeError
from rtdehaze.train.checkpoint import load_estimator, save_weights
from rtdehaze.train.config import Config, load_config
from rtdehaze.train.export import About, export
from rtdehaze.train.gate import choose_gate, densities
from rtdehaze.train.loop import CHECKPOINT
from rtdehaze.train.scenes import Scene, load_scenes
from rtdehaze.train.validate import read_validation
from rtdehaze.train.video import trainer_for

GATE_SAMPLES = 200
"""Clear samples, and as many hazy ones, that the gate is chosen on."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rtdehaze.train", description=__doc__)
    parser.add_argument("config", type=Path, help="TOML file, see configs/")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; a checkpoint in it is resumed")
    parser.add_argument(
        "--minutes", type=float, help="end the schedule after so much training time (on a CPU: time of its thread)"
    )
    parser.add_argument("--start", type=Path, help="checkpoint whose weights a new run starts from")
    parser.add_argument("--pack", help="training pack to use instead of data.packs")
    parser.add_argument("--validation", help="validation folder to use instead of data.validation")
    parser.add_argument("--workers", type=int, help="processes that make samples")
    return parser.parse_args()


def _deliver(config: Config, scenes: Sequence[Scene], out: Path) -> None:
    """Writes the averaged weights, the model and a card to be completed by hand once the model has been scored."""
    model = load_estimator(out / CHECKPOINT, config.network)
    save_weights(out / f"{config.network}.safetensors", config.network, model)
    clear, hazy = (densities(model, scenes, config, hazy=hazy, count=GATE_SAMPLES) for hazy in (False, True))
    summary = f"The learned estimator of size {config.network}."
    about = About(config.network, summary, "unknown", "the data of its configuration", choose_gate(clear, hazy))
    export(out / CHECKPOINT, config.network, out / f"{config.network}.onnx", about)


def main() -> int:
    """Runs the training and returns the exit code."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    given = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        config = load_config(given.config)
        changes = {
            "packs": (given.pack,) if given.pack else None,
            "validation": given.validation,
            "workers": given.workers,
        }
        kept = {key: value for key, value in changes.items() if value is not None}
        config = dataclasses.replace(config, data=dataclasses.replace(config.data, **kept))
        pairs = read_validation(Path(config.data.validation)) if config.data.validation else []
        scenes = load_scenes(config.data)
        kind = trainer_for(config)
        kind(config, scenes, given.out, validation=pairs, minutes=given.minutes, start=given.start).run()
        _deliver(config, scenes, given.out)
    except RtdehazeError as error:
        logging.getLogger("rtdehaze.train").error("error: %s", error)
        return error.exit_code
    except KeyboardInterrupt:
        logging.getLogger("rtdehaze.train").info("stopped; the same command goes on from %s", given.out / CHECKPOINT)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
