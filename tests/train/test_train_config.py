from __future__ import annotations

from pathlib import Path

import pytest

from rtdehaze.core.errors import UsageError
from rtdehaze.train.config import StageConfig, load_config

CONFIGS = Path(__file__).parents[2] / "configs"


def write(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_configuration_is_valid(path: Path) -> None:
    named = load_config(path).network
    assert path.stem.startswith(named) or path.name in ("pairs.toml", "prune.toml")


def test_a_table_is_read_into_its_types(tmp_path: Path) -> None:
    text = 'network = "tiny"\n[haze]\nmedian = [0.2, 1]\n[[stages]]\nshare = 1\nbatch = 3\nsizes = [[32, 48]]\n'
    config = load_config(write(tmp_path, text))
    assert config.haze.median == (0.2, 1.0)
    assert config.stages == (StageConfig(1.0, 3, ((32, 48),)),)
    assert config.data.validation is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stepz = 1", "stepz"),
        ("[haze]\nbeta = 1.0", "haze.beta"),
        ("[[stages]]\nshare = 1.0\nbatch = 1\nsizes = [[32, 32]]\nsize = 3", r"stages\[0\].size"),
        ('steps = "many"', "steps"),
        ("steps = true", "steps"),
        ("steps = 0", "steps"),
        ("steps = 1.5", "steps"),
        ('amp = "fp8"', "amp"),
        ("[haze]\nmedian = [0.9, 0.2]", "haze.median"),
        ("[haze]\nmedian = [0.5, 1.5]", "haze.median"),
        ("[haze]\nmedian = [0.5]", "haze.median"),
        ("[haze]\nclear_share = 2.0", "haze.clear_share"),
        ("fog_share = 1.5", "fog_share"),
        ("[fog]\nmedian = [0.9, 0.2]", "fog.median"),
        ("[fog]\nclear_share = 2.0", "fog.clear_share"),
        ("[fog]\novercast_share = 1.1", "fog.overcast_share"),
        ("[haze]\nfar_to_near = [0.5, 3.0]", "haze.far_to_near"),
        ("[[stages]]\nshare = 1.0\nbatch = 1\nsizes = [[33, 32]]", r"stages\[0\].sizes"),
        ("[[stages]]\nshare = 1.0\nbatch = 0\nsizes = [[32, 32]]", r"stages\[0\].batch"),
        ("[[stages]]\nshare = 1.0\nbatch = 1", r"stages\[0\]"),
        ("data = 3", "data"),
        ("[clips]\nframes = 0", "clips.frames"),
        ("[clips]\ntilt = 0.1", "clips.tilt"),
        ("[clips]\ncut_share = 1.5", "clips.cut_share"),
        ("[clips]\ndrive_share = 0.5", "clips.drive_share"),
        ("[clips]\ndrives = 1\ndrive_share = 0.5\nvideo_share = 0.6", "clips.video_share"),
        ("seed = -1", "seed"),
        ("checkpoint_minutes = 0", "checkpoint_minutes"),
        ("checkpoint_minutes = nan", "checkpoint_minutes.*finite"),
        ("[optim]\nrate = inf", "optim.rate.*finite"),
        ("[optim]\nrate = 0.0", "optim.rate"),
        ("[optim]\nrate = 1e-4\nlast = 1e-3", "optim.last"),
        ("[optim]\nwarmup = 1.0", "optim.warmup"),
        ("[loss]\npicture = -1.0", "loss.picture"),
        ("[haze]\nh264 = [20, 60]", "haze.h264"),
        ("[haze]\njpeg = [20, 101]", "haze.jpeg"),
        ("[haze]\nsteep_share = 1.1", "haze.steep_share"),
        ("[haze]\nexposed = [0, 1]", "haze.exposed"),
        ("[haze]\nrotation = -3", "haze.rotation"),
        ("[data]\nworkers = -1", "data.workers"),
        ("[data]\ncache_mb = -1", "data.cache_mb"),
        ("[data]\nvideo_seconds = 0", "data.video_seconds"),
        ('[data]\npacks = "one"', "data.packs"),
        ('[[data.generated]]\nkind = "moon"', r"data.generated\[0\].kind is 'moon'"),
        ("[[data.generated]]\nplaces = 0", r"data.generated\[0\].places"),
        ("[[data.generated]]\nsize = [31, 32]", r"data.generated\[0\].size"),
        ("[[data.generated]]\ncount = 3", r"data.generated\[0\].count"),
        ("steps = ", "not TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_naming_the_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        load_config(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        load_config(tmp_path / "none.toml")
