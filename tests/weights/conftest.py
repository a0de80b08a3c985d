"""A registered kind of weights for a tiny network, and a cache folder of the test's own."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpharefine.nets import registry
from alpharefine.nets.spec import IMAGENET, NetworkSpec, OfficialFile
from alpharefine.weights import convert
from tests.weights.official_files import TinyConfig


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty cache folder that `ARVOT_HOME` leads to."""
    monkeypatch.setenv("ARVOT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "weights"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tiny_kinds(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Networks "tiny" and "small", both `TinyNetwork`s, with registered official weights."""
    for name in ("tiny", "small"):
        weights = replace(registry.WEIGHTS["super_dimp"], name=name)
        spec = NetworkSpec(
            name, TinyConfig(), IMAGENET, (weights,), OfficialFile(unread=("unread.",))
        )
        monkeypatch.setitem(registry.NETWORKS, name, spec)
        monkeypatch.setitem(convert.OFFICIAL, name, spec)
        monkeypatch.setitem(registry.WEIGHTS, name, weights)
