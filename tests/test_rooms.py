"""Who may import what: the toolkit and TraX have one room each, and commands alone print."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ROOMS = {
    "vot": ("vot_integration/toolkit/",),
    "trax": ("vot_integration/serving/",),
    "rich": ("vot_integration/commands/",),
    # The server is a program of its own, which the toolkit starts.
    "argparse": (
        "vot_integration/commands/",
        "vot_integration/cli.py",
        "vot_integration/server.py",
    ),
    "matplotlib": ("vot_integration/report/",),
    "optuna": ("vot_integration/tuning/study.py",),
    "ray": ("vot_integration/cluster/",),
    "starlette": ("vot_integration/demo/",),
    "uvicorn": ("vot_integration/demo/",),
    "rendering": ("rendering/", "vot_integration/sequences/builtin.py"),
}
"""Where a package may be imported, under any name or inside a function."""


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in ("import_module", "__import__") and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def modules() -> Iterator[tuple[str, set[str]]]:
    for package in ("alpharefine", "vot_integration", "rendering"):
        for file in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            yield str(file.relative_to(ROOT)), {name.partition(".")[0] for name in imported(tree)}


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_is_imported_in_its_room_alone(package: str) -> None:
    importers = [name for name, packages in modules() if package in packages]
    assert importers, f"nothing imports {package}: correct this table"
    assert [name for name in importers if not name.startswith(ROOMS[package])] == []


def test_the_library_and_rendering_know_nothing_of_vot() -> None:
    below = [names for names in modules() if not names[0].startswith("vot_integration/")]
    assert [name for name, packages in below if packages & {"vot_integration", "vot", "trax"}] == []


def test_only_its_command_knows_the_demo() -> None:
    importers = [
        name
        for name, _ in modules()
        if "vot_integration.demo" in (ROOT / name).read_text(encoding="utf-8")
    ]
    rooms = ("vot_integration/demo/", "vot_integration/commands/demo.py")
    assert importers and [name for name in importers if not name.startswith(rooms)] == []


def test_the_service_can_tell_of_an_image_library_that_does_not_load() -> None:
    code = "import sys; sys.modules['cv2'] = None; import vot_integration.serving.service"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "module",
    ["cli", "server", "commands.options", "commands.bench", "commands.demo", "commands.run"],
)
def test_what_comes_before_the_compute_defaults_imports_no_numbers(module: str) -> None:
    """Numerical libraries read their environment when they are imported; help takes no second."""
    code = (
        f"import sys, vot_integration.{module}\n"
        "heavy = {'numpy', 'torch', 'cv2', 'vot', 'trax', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or None)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
