"""Stacks and their EAO interval."""

from pathlib import Path

import pytest
import yaml

from alpharefine.errors import UsageError
from vot_integration.toolkit.stacks import ALIASES, load_stack, parse_experiments, stack_folder

OWN = {
    "vot2018": (100, 356),
    "vot2019": (46, 291),
    "vot2020": (115, 755),
    "vot2021": (115, 755),
    "vot2022": (115, 755),
    "vot2022box": (115, 755),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_own_interval(alias: str) -> None:
    assert load_stack(alias).interval() == OWN[alias]
    assert load_stack(ALIASES[alias]) == load_stack(alias)


@pytest.mark.parametrize("alias", ALIASES)
def test_interval_is_replaced_everywhere_and_nothing_else(alias: str) -> None:
    stack = load_stack(alias)
    changed = stack.with_interval((30, 100))
    assert changed.interval() == (30, 100)
    assert str(stack.interval()[1]) not in changed.dump()
    assert changed.with_interval(stack.interval()) == stack
    assert stack == load_stack(alias)


def test_selection_keeps_the_stacks_order() -> None:
    stack = load_stack("vot2020")
    assert list(stack.select(["realtime", "baseline"]).experiments) == ["baseline", "realtime"]
    assert parse_experiments("baseline, all", stack) == ["baseline", "realtime", "unsupervised"]
    assert parse_experiments(" realtime ,", stack) == ["realtime"]


def test_starts() -> None:
    stack = load_stack("vot2020")
    assert stack.starts_at_anchors() and stack.starts_at_first_frame()
    assert not stack.select(["baseline", "realtime"]).starts_at_first_frame()
    assert not load_stack("vot2018").starts_at_anchors()


def test_own_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(load_stack("vot2020").with_interval((7, 70)).dump())
    stack = load_stack(str(file))
    assert stack.from_file and stack.interval() == (7, 70) and stack.name == str(file)
    assert yaml.safe_load(stack.dump()) == yaml.safe_load(file.read_text())


@pytest.mark.parametrize("text", ["", "- a\n", "experiments: 3\n", "experiments: {a: {}}\n", ":::"])
def test_file_that_is_no_stack(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match="not a stack file") as error:
        load_stack(str(file))
    assert "\n" not in str(error.value)


def test_stack_without_eao() -> None:
    with pytest.raises(UsageError, match="no EAO score"):
        load_stack("vots2025/main").interval()


def _own_stack(folder: Path, kind: str) -> Path:
    file = folder / "stack.yaml"
    file.write_text(f"title: Mine\nexperiments:\n  odd:\n    type: {kind}\n")
    return file


@pytest.mark.parametrize("kind", ["redetection", "vot.experiment.multirun.MultiRunExperiment"])
def test_unknown_experiments_are_refused_and_not_taken_for_repetitions(
    tmp_path: Path, kind: str
) -> None:
    file = _own_stack(tmp_path, kind)
    known = "multistart, supervised, unsupervised"
    with pytest.raises(UsageError, match=f"odd: experiments of type '{kind}'.*known are {known}"):
        load_stack(str(file))


def test_an_experiment_may_be_named_by_its_class(tmp_path: Path) -> None:
    file = _own_stack(tmp_path, "vot.experiment.multistart.MultiStartExperiment")
    assert load_stack(str(file)).starts_at_anchors()


def test_every_experiment_of_the_toolkit_is_known() -> None:
    for file in sorted(stack_folder().rglob("*.yaml")):
        load_stack(str(file.relative_to(stack_folder()).with_suffix("")))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("vot2015", "did you mean vot2015/rgb or vot2015/tir?"),
        ("vots2024", "did you mean vots2024/main or"),
        ("vot2022/stb", "vot2022/shorttermbox"),
        ("vot2020/shorterm", "did you mean vot2020/shortterm or"),
        ("vot2013a", "did you mean vot2013 or"),
        ("nothing like it", "known are vot2018"),
    ],
)
def test_a_wrong_name_gets_the_nearest_ones(given: str, words: str) -> None:
    with pytest.raises(UsageError, match="neither a file nor known") as told:
        load_stack(given)
    assert words in str(told.value) and "\n" not in str(told.value)


def test_capitals_make_no_difference() -> None:
    assert load_stack("VOT2020") == load_stack("vot2020")
    assert load_stack("VOT2022/ShortTerm").name == "vot2022/shortterm"


def test_what_the_toolkit_cannot_run_is_left_out() -> None:
    stack = load_stack("vot2019/longterm")
    assert (stack.failing(), list(stack.runnable().experiments)) == (["redetection"], ["longterm"])
    assert parse_experiments("all", stack) == ["longterm"]
    with pytest.raises(UsageError, match="the redetection of this toolkit fails; choose from lon"):
        stack.select(["redetection"])
    assert load_stack("vots2023").unscored() == ["baseline"]
    assert load_stack("vot2020").unscored() == [] == load_stack("vot2020").failing()
