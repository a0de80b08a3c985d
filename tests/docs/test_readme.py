"""The README's example runs as it stands there."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.types import Box, Tracker
from vot_integration.sequences.builtin import render_sequence
from vot_integration.workspaces.own_trackers import read_own_trackers

README = Path(__file__).parents[2] / "README.md"


def _block(language: str, marker: str) -> str:
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    return next(block for block in blocks if marker in block)


def test_the_refined_opencv_tracker_follows_a_kite() -> None:
    namespace: dict[str, object] = {"__name__": "my_mil"}
    exec(compile(_block("python", "class Mil"), "my_mil.py", "exec"), namespace)
    make, refine = namespace["Mil"], namespace["refined"]
    assert callable(make) and callable(refine)
    base: Tracker = make()
    tracker = refine(base)
    assert isinstance(tracker, RefinedTracker)
    frames = list(render_sequence("kite", 4))
    rows, columns = np.nonzero(frames[0].mask)
    x, y = float(columns.min()), float(rows.min())
    tracker.initialize(frames[0].image, Box(x, y, columns.max() + 1 - x, rows.max() + 1 - y))
    for frame in frames[1:]:
        mask = tracker.track(frame.image).mask
        assert mask is not None
        assert (mask & frame.mask).sum() > 0.5 * (mask | frame.mask).sum()


@pytest.mark.parametrize("page", [README, README.parent / "docs" / "python.md"])
def test_the_examples_in_python_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = [frame.image for frame in render_sequence("kite", 3)]
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter("walk.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (width, height))
    for image in frames:
        writer.write(image[..., ::-1])
    writer.release()
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    examples = [block for block in blocks if "import alpharefine as ar" in block]
    assert examples
    for example in examples:
        exec(compile(example, str(page), "exec"), {"__name__": "example"})
    assert "Box(x=" in capsys.readouterr().out


def test_the_first_commands_work_one_after_another() -> None:
    commands = [line.partition("#")[0].split() for line in _block("", "make install").splitlines()]
    assert commands[:2] == [["make", "install"], [".", ".venv/bin/activate"]]
    assert [command[0] for command in commands[2:]] == ["arvot"] * len(commands[2:])
    options = [word for command in commands[2:] for word in command if word.startswith("--")]
    assert options == ["--json"], "they need nothing that a new clone does not have"


def test_every_page_is_in_the_index() -> None:
    folder = README.parent / "docs"
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text()))
    assert linked == {page.name for page in folder.glob("*.md")} - {"README.md"}


def test_its_section_is_a_tracker(tmp_path: Path) -> None:
    file = tmp_path / "trackers.ini"
    file.write_text(_block("ini", "my_mil"))
    assert read_own_trackers(file)["MIL_refined"]["command"] == "my_mil"
