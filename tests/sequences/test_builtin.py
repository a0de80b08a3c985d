from pathlib import Path

import numpy as np
import pytest
from vot.dataset import load_dataset

from alpharefine.errors import UsageError
from rendering.renderer import RenderedFrame, Renderer
from rendering.scenes import LENGTH
from tests.sequences.make import sound_sequences
from vot_integration.sequences import builtin
from vot_integration.sequences.builtin import (
    BUILTIN_NAMES,
    render_sequence,
    write_builtin_sequences,
)
from vot_integration.sequences.folder import read_list, read_sequence_folder
from vot_integration.toolkit.regions import region_mask

MAX_BASELINE_FRAMES = 3500


def _assert_toolkit_has_the_rendered_frames(folder: Path, name: str, frames: int | None) -> None:
    loaded = load_dataset(str(folder))[name]
    rendered = list(render_sequence(name, frames))
    assert len(loaded) == len(rendered)
    for index, frame in enumerate(rendered):
        region = loaded.groundtruth(index)
        assert region.is_empty() == (not frame.mask.any())
        np.testing.assert_array_equal(region_mask(region, 360, 640), frame.mask)
        difference = loaded.frame(index).channel().astype(int) - frame.image
        assert np.abs(difference).mean() < 6


def test_toolkit_loads_what_was_rendered(tmp_path: Path) -> None:
    paths = write_builtin_sequences(tmp_path, ["bird", "ball"], frames=3)
    assert paths == [tmp_path / "bird", tmp_path / "ball"] == read_list(tmp_path)
    assert sound_sequences(tmp_path) == paths
    _assert_toolkit_has_the_rendered_frames(tmp_path, "ball", 3)


@pytest.mark.soak
def test_all_sequences_in_full(tmp_path: Path) -> None:
    paths = write_builtin_sequences(tmp_path)
    assert [path.name for path in paths] == list(BUILTIN_NAMES)
    assert sound_sequences(tmp_path) == paths
    tracked = 0
    for path in paths:
        _assert_toolkit_has_the_rendered_frames(tmp_path, path.name, None)
        anchors = read_sequence_folder(path).anchors
        assert {i: v for i, v in enumerate(anchors) if v} == {0: 1, 50: 1, 100: -1, 129: -1}
        tracked += sum(LENGTH - i if v > 0 else i + 1 for i, v in enumerate(anchors) if v)
    assert tracked < MAX_BASELINE_FRAMES


def test_there_are_enough_sequences_of_enough_frames() -> None:
    assert len(BUILTIN_NAMES) >= 5
    assert LENGTH >= 120


def _times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_nothing_is_written_when_all_is_there(tmp_path: Path) -> None:
    write_builtin_sequences(tmp_path, ["kite"], frames=2)
    before = _times(tmp_path)
    assert write_builtin_sequences(tmp_path, ["kite"], frames=2) == [tmp_path / "kite"]
    assert _times(tmp_path) == before


def test_another_length_or_version_is_rendered_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_builtin_sequences(tmp_path, ["kite"], frames=2)
    write_builtin_sequences(tmp_path, ["kite"], frames=3)
    assert read_sequence_folder(tmp_path / "kite").length == 3
    before = _times(tmp_path)
    monkeypatch.setattr(builtin, "RENDERING", builtin.RENDERING + 1)
    write_builtin_sequences(tmp_path, ["kite"], frames=3)
    assert _times(tmp_path) != before


def test_the_list_names_what_was_asked_for_last(tmp_path: Path) -> None:
    write_builtin_sequences(tmp_path, ["kite", "ball"], frames=2)
    write_builtin_sequences(tmp_path, ["ball"], frames=2)
    assert read_list(tmp_path) == [tmp_path / "ball"]


def test_an_interrupted_rendering_leaves_no_list_and_no_half_sequence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_builtin_sequences(tmp_path, ["kite"], frames=2)
    render = Renderer.frame

    def interrupted(self: Renderer, index: int) -> RenderedFrame:
        if index == 1:
            raise KeyboardInterrupt
        return render(self, index)

    monkeypatch.setattr(Renderer, "frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_builtin_sequences(tmp_path, ["kite", "ball"], frames=2)
    assert [path.name for path in tmp_path.iterdir()] == ["kite"]
    monkeypatch.undo()
    write_builtin_sequences(tmp_path, ["kite", "ball"], frames=2)
    assert sound_sequences(tmp_path) == [tmp_path / "kite", tmp_path / "ball"]


@pytest.mark.parametrize("taken", ["a listed sequence", "a folder of that name"])
def test_sequences_of_the_user_are_not_touched(tmp_path: Path, taken: str) -> None:
    if taken == "a listed sequence":
        (tmp_path / "list.txt").write_text("holiday\n")
    else:
        (tmp_path / "ball").mkdir()
        (tmp_path / "ball" / "groundtruth.txt").write_text("1,2,3,4\n")
    before = _times(tmp_path)
    with pytest.raises(UsageError, match=r"not built in .* choose another folder"):
        write_builtin_sequences(tmp_path, ["kite", "ball"], frames=2)
    assert _times(tmp_path) == before


@pytest.mark.parametrize("names", [["cat"], []])
def test_unknown_names_are_refused_before_anything_is_written(
    tmp_path: Path, names: list[str]
) -> None:
    with pytest.raises(UsageError, match="choose among beetle"):
        write_builtin_sequences(tmp_path / "new", names)
    assert not (tmp_path / "new").exists()
