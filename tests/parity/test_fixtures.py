import os
from pathlib import Path

import pytest

from tests.parity.fixtures import find_fixtures, relative_tolerance

FAMILIES = ("", "siamrpn", "siamdw", "online")


@pytest.mark.skipif(not os.environ.get("PARITY_DIR"), reason="$PARITY_DIR is not set")
def test_the_given_folder_holds_a_fixture() -> None:
    assert any(find_fixtures("*", family) for family in FAMILIES)


@pytest.mark.parametrize("folder", ["", "fixtures", "siamrpn", "siamrpn/fixtures"])
def test_fixtures_are_found_in_both_places(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.parity.fixtures._PARITY_DIR", str(tmp_path))
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "net_w0.npz").touch()
    family = folder.partition("/")[0].replace("fixtures", "")
    assert [path.name for path in find_fixtures("net*", family)] == ["net_w0.npz"]
    assert find_fixtures("trk*", family) == []


def test_only_what_follows_from_an_optimized_filter_may_be_further_off() -> None:
    assert relative_tolerance("filter_norm 3") == relative_tolerance("scores_test") == 1e-2
    assert relative_tolerance("clf_sub") == relative_tolerance("iou_mod3") == 1e-4
