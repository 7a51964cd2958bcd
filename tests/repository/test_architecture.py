"""The layers in the documentation are those that the import linter checks."""

from __future__ import annotations

import re
from pathlib import Path

from tools.measures import import_layers

ROOT = Path(__file__).parents[2]
LAYERS = [layer.replace("postrender.", "") for layer in import_layers()]


def test_the_page_draws_the_layers_of_the_contract() -> None:
    drawn = re.findall(r"```text\n(.*?)```", (ROOT / "docs" / "architecture.md").read_text(), re.DOTALL)
    assert "\n".join(LAYERS) + "\n" in drawn


def test_the_page_lists_the_packages_of_each_layer() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    assert [(int(layer), package) for layer, package in rows] == [
        (number, package) for number, layer in enumerate(LAYERS, start=1) for package in re.split(r" [|:] ", layer)
    ]


def test_every_package_and_module_at_the_top_has_a_layer() -> None:
    layered = {package for layer in LAYERS for package in re.split(r" [|:] ", layer)}
    top = {
        path.stem for path in (ROOT / "postrender").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert top - {"__init__", "__main__"} == layered
