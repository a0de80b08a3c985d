"""A registered kind of weights for a tiny network, and a cache folder of the test's own."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpharefine.weights import kinds, registry
from tests.weights.official_files import TinyNetwork


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty cache folder that `ARVOT_HOME` leads to."""
    monkeypatch.setenv("ARVOT_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "weights"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def tiny_kinds(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Kinds "tiny" and "small", both of `TinyNetwork`, with registered official weights."""
    for kind in ("tiny", "small"):
        monkeypatch.setitem(kinds.BUILDERS, kind, lambda _: TinyNetwork())
        monkeypatch.setitem(kinds.OFFICIAL_UNREAD, kind, ("unread.",))
        spec = replace(registry.WEIGHTS["super_dimp"], name=kind, kinds=(kind,))
        monkeypatch.setitem(registry.WEIGHTS, kind, spec)
