from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alpharefine.data.readers import READERS
from alpharefine.errors import UsageError
from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.registry import networks_with
from alpharefine.training.config import (
    EngineConfig,
    ScheduleConfig,
    find_config,
    load_config,
    parse_config,
)
from alpharefine.training.run import RunConfig
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.schedule import rate_factor
from alpharefine.training.synthesis import DIMP_SYNTHESIS
from alpharefine.training.tasks.atom.config import (
    AtomDataConfig,
    AtomLossConfig,
    AtomOptimConfig,
    AtomRunConfig,
)
from alpharefine.training.tasks.dimp.config import (
    DimpDataConfig,
    DimpLossConfig,
    DimpOptimConfig,
    DimpRunConfig,
)
from alpharefine.training.tasks.refine.config import RefineRunConfig
from alpharefine.training.tasks.registry import FAMILIES


@dataclass(frozen=True)
class _Inner:
    rate: float = 0.5


@dataclass(frozen=True)
class _Outer:
    name: str
    sizes: tuple[int, ...] = ()
    pair: tuple[float, str] = (1.0, "a")
    inner: _Inner = field(default_factory=_Inner)
    many: tuple[_Inner, ...] = ()
    head: Literal["corner", "rpn"] | None = "corner"
    weights: dict[str, float] = field(default_factory=dict)
    flag: bool = False


def test_all_kinds_of_values_are_read() -> None:
    values = {
        "name": "x",
        "sizes": [1, 2],
        "pair": [3, "b"],
        "inner": {"rate": 2},
        "many": [{}, {"rate": 1}],
        "head": "none",
        "weights": {"a": 1},
        "flag": True,
    }
    config = parse_config(values, _Outer, "here")
    assert config == _Outer(
        "x", (1, 2), (3.0, "b"), _Inner(2.0), (_Inner(), _Inner(1.0)), None, {"a": 1.0}, True
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nam": "x"}, "unknown key 'nam'; did you mean 'name'?"),
        ({}, "the key 'name' is missing"),
        ({"name": 3}, "name: expected str, got 3"),
        ({"name": "x", "flag": 1}, "flag: expected bool, got 1"),
        ({"name": "x", "sizes": [1, 2.5]}, r"sizes\[1\]: expected int, got 2.5"),
        ({"name": "x", "sizes": [True]}, r"sizes\[0\]: expected int"),
        ({"name": "x", "pair": [1.0]}, "expected 2 values, got 1"),
        ({"name": "x", "inner": {"rat": 1}}, "here: inner: unknown key 'rat'"),
        ({"name": "x", "inner": 3}, "inner: expected a table"),
        ({"name": "x", "head": "corners"}, "expected one of corner, rpn"),
    ],
)
def test_bad_values_are_usage_errors(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_config(values, _Outer, "here")
    assert "\n" not in str(caught.value)


def test_a_config_that_refuses_itself_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown schedule shape 'cosin'"):
        parse_config({"schedule": {"shape": "cosin"}}, EngineConfig, "here")


def test_a_table_changes_its_fields_own_default() -> None:
    values = {"sources": [], "clip": {"max_gap": 30}, "synthesis": {"motion": {"rotation": 5}}}
    config = parse_config(values, DimpDataConfig, "here")
    assert config.clip == ClipConfig(train=3, test=3, max_gap=30)
    motion = replace(DIMP_SYNTHESIS.motion, rotation=5.0)
    assert config.synthesis == replace(DIMP_SYNTHESIS, motion=motion)
    with pytest.raises(UsageError, match="clip: train, test and max_gap must be 1 or more"):
        parse_config({"sources": [], "clip": {"max_gap": 0}}, DimpDataConfig, "here")


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(tmp_path / "no.toml", EngineConfig)
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(UsageError, match="not a TOML file"):
        load_config(tmp_path / "bad.toml", EngineConfig)
    with pytest.raises(UsageError, match=r"no recipe 'refine_lit'.*refine_lite"):
        find_config("refine_lit")


RECIPES = sorted(path.stem for path in find_config("refine_lite").parent.glob("*.toml"))


FAMILY_OF = {"base": "dimp", "super": "dimp", "dimp18": "dimp", "dimp50": "dimp"}
"""First word of a recipe's name -> the family that it is for, where that is another word."""


@pytest.mark.parametrize("name", RECIPES)
def test_a_bundled_recipe_builds_its_network(name: str) -> None:
    word = name.partition("_")[0]
    family = FAMILIES[FAMILY_OF.get(word, word)]
    recipe: RunConfig = load_config(find_config(name), family.config_type)
    with torch.device("meta"):
        module = family.module(recipe.network.build(), recipe)
        assert module.parameter_groups()
    assert {source.kind for source in recipe.data.sources} <= READERS.keys()


def test_the_papers_recipe() -> None:
    """Section 3.4: nothing frozen, 40 x 500 steps, halved every 8 epochs, L_box + 1000 L_mask."""
    recipe = load_config(find_config("refine_c21"), RefineRunConfig)
    assert recipe.network == networks_with(RefineNetConfig)["ar_c21_r34"]
    assert recipe.optim.frozen_until is None and not recipe.optim.freeze_norm
    assert (recipe.engine.epochs, recipe.engine.steps_per_epoch) == (40, 500)
    assert recipe.engine.schedule == ScheduleConfig("steps", 8, 0.5)
    assert (recipe.losses.box_weight, recipe.losses.mask_weight) == (1, 1000)
    assert recipe.losses.dice_weight == 0
    assert (recipe.data.clip.max_gap, recipe.data.crops.factor) == (50, 2)
    assert (recipe.data.crops.scale_jitter, recipe.data.crops.center_jitter) == (0.25, 0.25)


def test_super_dimps_recipe() -> None:
    recipe = load_config(find_config("super_dimp"), DimpRunConfig)
    assert recipe.network == DimpNetConfig()
    assert recipe.optim == DimpOptimConfig()
    assert recipe.losses == DimpLossConfig()
    assert recipe.data == DimpDataConfig(recipe.data.sources)
    assert recipe.engine.schedule == ScheduleConfig("steps", 15, 0.2)
    assert recipe.engine.total_steps * recipe.engine.batch_size == 50 * 40_000


@pytest.mark.parametrize(("name", "batch"), [("dimp50", 10), ("dimp18", 26)])
def test_dimps_recipes(name: str, batch: int) -> None:
    recipe = load_config(find_config(name), DimpRunConfig)
    assert recipe.network == networks_with(DimpNetConfig)[name]
    assert recipe.engine.batch_size == batch
    assert recipe.engine.total_steps * batch == 50 * 26_000
    assert (recipe.losses.box_loss, recipe.losses.box_weight) == ("overlap", 1)
    # A quarter of a target, of which five are as wide as the 18 cells.
    assert recipe.losses.label_sigma == pytest.approx(18 / 5 / 4)
    assert recipe.data.crops.max_scale_change is None


def test_atoms_recipe() -> None:
    recipe = load_config(find_config("atom"), AtomRunConfig)
    assert recipe.network == AtomNetConfig()
    assert recipe.data == AtomDataConfig(recipe.data.sources)
    assert recipe.losses == AtomLossConfig() and recipe.optim == AtomOptimConfig()
    assert recipe.engine.total_steps * recipe.engine.batch_size == 50 * 64_000


def test_the_vot2020_entrys_recipe() -> None:
    recipe = load_config(find_config("refine_v20"), RefineRunConfig)
    assert recipe.network == networks_with(RefineNetConfig)["ar_v20"]
    assert recipe.engine.schedule == ScheduleConfig("steps", 15, 0.5)


def test_the_papers_schedule_halves_every_eight_epochs() -> None:
    schedule = ScheduleConfig()
    factors = [rate_factor(schedule, epoch / 40, 40) for epoch in range(40)]
    assert factors == [0.5 ** (epoch // 8) for epoch in range(40)]


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_cosine_falls_after_the_warmup(a: float, b: float) -> None:
    schedule = ScheduleConfig(shape="cosine", warmup=0.1, floor=0.05)
    low, high = sorted((a, b))
    first, second = (rate_factor(schedule, share, 10) for share in (low, high))
    assert 0 < first <= 1
    if low >= 0.1:
        assert first >= second >= 0.05 - 1e-9
    elif high <= 0.1:
        assert first <= second
