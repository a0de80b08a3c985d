"""Comparing design options: what is trained, how long, and that it goes on where it stopped."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from alpharefine.errors import UsageError
from alpharefine.training import ablation
from alpharefine.training.ablation import (
    ABLATIONS,
    AblationRun,
    count_parameters,
    finished,
    plan_ablation,
    shortened,
    train_variant,
)
from alpharefine.training.config import EngineConfig, ScheduleConfig, find_config, load_config
from alpharefine.training.interface import Progress
from alpharefine.training.schedule import rate_factor
from alpharefine.training.tasks.refine.config import RefineRunConfig
from tests.training.layouts import blank_labels, write_image, write_labels
from vot_integration.cli import main

RECIPE = """
[network]
backbone = "efficientnet_lite0"
input_size = 64
fusion_widths = [8]
corner_widths = [8]
mask_head = "fpn"
fpn_widths = [8, 8, 8]

[optim]
imagenet = false

[engine]
epochs = 40
batch_size = 2
workers = 0
device = "cpu"

[data]
validation_samples = 2
sources = [{ kind = "masks", path = "stills" }]

[data.held_out]
one_in = 3
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for k in range(12):
        write_image(tmp_path / f"stills/images/{k}.jpg", 60, 80, seed=k)
        labels = blank_labels(60, 80)
        cv2.ellipse(labels, (40, 30), (15 + k, 12), 0, 0, 360, 1, -1)
        write_labels(tmp_path / f"stills/masks/{k}.png", labels)
    return tmp_path


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


def ablate(recipe: Path, data: Path, *options: str) -> int:
    fixed = ["--data", str(data), "--output", str(data / "runs")]
    return main(["train", "ablate", str(recipe), *fixed, *options])


def test_all_variants_of_a_table(
    recipe: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--table", "heads", "--steps", "2"]
    files = ["--json", str(data / "a.json"), "--csv", str(data / "a.csv")]
    assert ablate(recipe, data, *options, *files) == 0
    out = capsys.readouterr().out
    with (data / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["variant"] for row in rows] == [variant.name for variant in ABLATIONS["heads"]]
    assert len({row["parameters"] for row in rows}) >= 4
    assert len({row["input_iou"] for row in rows}) == 1, "all are judged on the same pairs"
    for row in rows:
        assert f"heads: {row['variant']}" in out
        assert 0 <= float(row["box_iou"]) <= 1
        assert bool(row["mask_iou"]) == row["variant"].endswith("+ mask")
    assert len(json.loads((data / "a.json").read_text())["rows"]) == 6
    assert len(list((data / "runs").rglob("export.safetensors"))) == 6

    def refuse(*arguments: object) -> None:
        raise AssertionError("a finished variant is trained again")

    monkeypatch.setattr(ablation, "train_family", refuse)
    assert ablate(recipe, data, *options, "--csv", str(data / "b.csv")) == 0
    assert capsys.readouterr().out.count("finished before") == 6
    assert (data / "b.csv").read_text() == (data / "a.csv").read_text()

    assert ablate(recipe, data, "--table", "heads", "--steps", "3") == 2
    assert "begun with another recipe or length" in capsys.readouterr().err


def test_an_interrupted_variant_goes_on(recipe: Path, data: Path) -> None:
    config = load_config(recipe, RefineRunConfig)
    config = replace(config, engine=replace(config.engine, epochs=3, steps_per_epoch=1))
    run = plan_ablation(["correlation"], config)[2]
    seen: list[int] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress.step)
        if progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_variant(run, data, data / "runs", interrupt)
    assert finished(run, data / "runs") is None
    seen.clear()
    result = train_variant(run, data, data / "runs", lambda progress: seen.append(progress.step))
    assert min(seen) == 2, "the first step is not done again"
    assert finished(run, data / "runs") == result
    (data / "runs" / run.folder / "variant.json").write_text("{")
    with pytest.raises(UsageError, match="not readable"):
        finished(run, data / "runs")


def test_equal_variants_share_a_run() -> None:
    recipe = load_config(find_config("refine_c21"), RefineRunConfig)
    runs = plan_ablation(ABLATIONS, recipe)
    assert len(runs) == 6 + 3 + 4

    def folder(table: str, name: str) -> str:
        (run,) = (run for run in runs if (run.table, run.variant.name) == (table, name))
        return run.folder

    same = folder("heads", "corner + mask")
    assert folder("correlation", "pixelwise") == folder("backbone", "resnet34") == same
    assert len({run.folder for run in runs}) == 6 + 2 + 3


def _network(run: AblationRun) -> tuple[object, ...]:
    network = run.config.network
    return network.backbone, network.correlation, network.box_head, network.mask_head


def test_each_variant_changes_what_it_says() -> None:
    recipe = load_config(find_config("refine_c21"), RefineRunConfig)
    runs = plan_ablation(ABLATIONS, recipe)
    networks = {run.variant.name: _network(run) for run in runs}
    assert networks["rpn"] == ("resnet34", "pixelwise", "rpn", None)
    assert networks["rcnn + mask"] == ("resnet34", "pixelwise", "rcnn", "pyramid")
    assert networks["naive"] == ("resnet34", "naive", "corner", "pyramid")
    assert networks["resnet50"] == ("resnet50", "pixelwise", "corner", "pyramid")
    sizes = [count_parameters(run.config.network) for run in runs if run.table == "backbone"]
    assert sizes[3] < sizes[0] < sizes[1] and sizes[0] < sizes[2]
    assert all(run.config.engine == recipe.engine for run in runs)


def test_recipes_without_masks_have_no_heads_to_compare() -> None:
    recipe = load_config(find_config("refine_c21"), RefineRunConfig)
    recipe = replace(recipe, network=replace(recipe.network, mask_head=None))
    with pytest.raises(UsageError, match="no mask head"):
        plan_ablation(["heads"], recipe)
    assert len(plan_ablation(["correlation"], recipe)) == 3


def test_a_shortened_run_keeps_the_course_of_the_learning_rate() -> None:
    engine = EngineConfig(epochs=40, steps_per_epoch=500)
    short = shortened(engine, steps=100)
    assert (short.epochs, short.total_steps, short.budget_minutes) == (5, 100, 0)
    for share in (0.0, 0.1, 0.25, 0.5, 0.99):
        assert rate_factor(short.schedule, share, short.epochs) == rate_factor(
            engine.schedule, share, engine.epochs
        )
    cosine = shortened(replace(engine, schedule=ScheduleConfig("cosine")), steps=3)
    assert (cosine.epochs, cosine.total_steps) == (3, 3)
    timed = shortened(replace(engine, budget_minutes=70), minutes=2)
    assert timed == replace(engine, budget_minutes=2)
    assert shortened(engine) == engine
    with pytest.raises(UsageError, match="positive"):
        shortened(engine, steps=0)


BAD = {
    "recipe": (["no_such_recipe"], "no recipe"),
    "base recipe": (["base_lite"], "unknown key"),
    "steps": (["refine_lite", "--steps", "0"], "positive"),
    "both lengths": (["refine_lite", "--steps", "1", "--minutes", "1"], "not allowed with"),
    "table": (["refine_lite", "--table", "colors"], "invalid choice"),
    "csv": (["refine_lite", "--csv", "no/folder/a.csv"], "no folder"),
    "data": (["refine_lite", "--data", "nowhere"], "nowhere"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, message = BAD[case]
    assert main(["train", "ablate", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("arvot: ") and error.count("\n") == 1 and message in error


def test_torchrun_is_refused(
    recipe: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert ablate(recipe, data) == 2
    assert "without torchrun" in capsys.readouterr().err
