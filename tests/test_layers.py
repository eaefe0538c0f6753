"""Layers import downwards only, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rtdehaze"

MAY_IMPORT = {
    "core": {"core"},
    "measure": {"core", "measure"},
    "synth": {"core", "synth"},
    "stages": {"core"},  # and the stage's own folder
    "pipeline": {"core", "stages", "pipeline"},
    "train": {"core", "measure", "synth", "train"},
    "apps": {"core", "measure", "synth", "stages", "pipeline", "apps"},
    "cli": {"core", "measure", "synth", "stages", "pipeline", "apps", "train", "cli"},
}

ONLY_IN = {
    "av": {"stages/capture", "stages/encode", "train"},  # train: compression's artefacts, clips to learn from
    "onnxruntime": {"stages/estimate", "train"},  # train: quantisation, agreement of what it exports
    "numba": {"stages/recompose", "stages/smooth", "stages/estimate"},
    "torch": {"train"},
    "skimage": {"measure"},
    "matplotlib": {"apps", "train"},
    "click": {"cli"},
    "rich": {"cli"},
}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_layer_and_those_below(path: Path) -> None:
    place = path.relative_to(PACKAGE).parts
    own = ".".join(place[:2]) if place[0] == "stages" else place[0]
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "rtdehaze" and len(parts) > 1 and (PACKAGE / parts[1]).is_dir():
            target = ".".join(parts[1:3]) if parts[1] == "stages" else parts[1]
            assert target == own or parts[1] in MAY_IMPORT[place[0]], f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_are_imported_only_by_the_part_that_owns_them(path: Path) -> None:
    place = path.relative_to(PACKAGE).parts
    homes = {place[0], "/".join(place[:2])}
    for name in imported(path):
        library = name.split(".")[0]
        assert library not in ONLY_IN or ONLY_IN[library] & homes, f"{path} imports {library}"
        assert place[0] != "core" or library not in {"cv2", "scipy"}, f"{path} imports {library}"
