"""Data outside the repository."""

import os
from pathlib import Path

import pytest

_DATA = Path(os.environ.get("ARVOT_DATA", Path(__file__).parents[1] / "../shared/data"))


def data_folder(name: str) -> Path:
    """A folder of the local data; the test is skipped where it is not there."""
    folder = (_DATA / name).resolve()
    if not folder.is_dir():
        pytest.skip(f"no local data {name} ($ARVOT_DATA)")
    return folder
