"""Settings that files replace, and the ranges that trackers declare."""

from pathlib import Path

import pytest

from alpharefine.catalogue import TRACKERS, find_tracker
from alpharefine.errors import UsageError
from alpharefine.overrides import (
    Overrides,
    apply_overrides,
    get_setting,
    read_overrides,
    replace_setting,
)
from alpharefine.search_space import Range, find_space, read_space


@pytest.mark.parametrize("name", TRACKERS)
def test_every_tracker_declares_settings_that_it_has(name: str) -> None:
    spec = find_tracker(name)
    space = find_space(spec)
    assert len(space) >= 3
    for setting, bounds in space.items():
        for bound in (bounds.low, bounds.high):
            value = int(bound) if bounds.whole else bound
            assert get_setting(replace_setting(spec, setting, value), setting) == value
    if spec.refinement is not None:
        assert any(setting.startswith("refinement.") for setting in space)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    values = {
        "config.rank.penalty": 0.125,
        "config.answers_inside": True,
        "config.context.search_size": 271,
    }
    tuned = {"objective": "auc", "value": 0.5, "sequences": ['a "quoted" name', "b\\c"]}
    made = Overrides("SiamRPNpp", values, tuned)
    file = tmp_path / "a.toml"
    file.write_text(made.to_toml())
    assert read_overrides(file) == made
    spec = apply_overrides(find_tracker("SiamRPNpp"), made)
    assert [get_setting(spec, name) for name in values] == list(values.values())


def test_tables_are_names_with_dots(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('tracker = "ARDiMP_lite"\n[refinement.coupling]\nfeedback_rate = 1\n')
    spec = apply_overrides(find_tracker("ARDiMP_lite"), read_overrides(file))
    assert spec.refinement is not None and spec.refinement.coupling.feedback_rate == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no tracker"),
        ("tracker = ", "cannot be read"),
        ('tracker = "DiMPsuper"', "is for DiMPsuper, not for SiamRPNpp"),
        ('tracker = "SiamRPNpp"\n"config.penalty" = 1.0', "there is no setting 'penalty'"),
        ('tracker = "SiamRPNpp"\n"config.size_rate" = "fast"', "give a value like 0.38"),
        ('tracker = "SiamRPNpp"\nname = "x"', "begins with config. or refinement."),
        ('tracker = "SiamRPNpp"\n"refinement.coupling.x" = 1', "there is no setting 'coupling'"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        apply_overrides(find_tracker("SiamRPNpp"), read_overrides(file))


def test_ranges_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('"config.size_rate" = [0.1, 0.8]\n[config.context]\nsearch_size = [255, 287]\n')
    space = read_space(file)
    assert space["config.size_rate"] == Range(0.1, 0.8)
    assert space["config.context.search_size"] == Range(255, 287, whole=True)
    for text in ("", '"a.b" = [2, 1]', '"a.b" = 3', '"a.b" = ["x", "y"]', "["):
        file.write_text(text)
        with pytest.raises(UsageError):
            read_space(file)
