"""What a configuration promises, some code must read."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import alpharefine
import vot_integration


def classes(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Names and fields of the frozen dataclasses of a module that hold settings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(decorator) == "dataclass(frozen=True)" for decorator in node.decorator_list
        ):
            names = [
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign)
                and isinstance(each.target, ast.Name)
                and not ast.unparse(each.annotation).startswith("ClassVar")
            ]
            if node.name.endswith(("Config", "Behavior", "Spec")):
                yield node.name, names


def attributes_read(tree: ast.Module) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def trees(package: ModuleType) -> list[ast.Module]:
    files = sorted(Path(str(package.__file__)).parent.rglob("*.py"))
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


LIBRARY = trees(alpharefine)
SETTINGS = [
    pytest.param(field, id=f"{name}.{field}")
    for tree in LIBRARY
    for name, fields in classes(tree)
    for field in fields
]
READ = set().union(*map(attributes_read, [*LIBRARY, *trees(vot_integration)]))


@pytest.mark.parametrize("field", SETTINGS)
def test_every_setting_is_read(field: str) -> None:
    assert field in READ
