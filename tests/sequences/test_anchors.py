import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vot_integration.sequences.anchors import default_anchors
from vot_integration.sequences.folder import read_list, read_sequence_folder

_DATA = Path(os.environ.get("ARVOT_DATA", Path(__file__).parents[3] / "shared" / "data"))


def placed(n_frames: int, hidden: range = range(0)) -> dict[int, int]:
    visible = [frame not in hidden for frame in range(n_frames)]
    anchors = default_anchors(n_frames, visible)
    return {frame: value for frame, value in enumerate(anchors) if value}


@pytest.mark.parametrize(
    ("n_frames", "expected"),
    [
        (1, {0: 1}),
        (2, {0: 1, 1: -1}),
        (49, {0: 1, 48: -1}),
        (75, {0: 1, 74: -1}),
        (76, {0: 1, 50: -1, 75: -1}),
        (101, {0: 1, 50: 1, 100: -1}),
        (130, {0: 1, 50: 1, 100: -1, 129: -1}),
        (171, {0: 1, 50: 1, 100: -1, 170: -1}),
    ],
)
def test_rule(n_frames: int, expected: dict[int, int]) -> None:
    assert placed(n_frames) == expected


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        (range(50, 51), {0: 1, 49: 1, 100: -1, 129: -1}),
        (range(45, 52), {0: 1, 52: 1, 100: -1, 129: -1}),
        (range(38, 63), {0: 1, 100: -1, 129: -1}),
        (range(5), {5: 1, 50: 1, 100: -1, 129: -1}),
        (range(120, 130), {0: 1, 50: 1, 100: -1, 119: -1}),
        (range(130), {}),
    ],
)
def test_hidden_candidates_move_or_go(hidden: range, expected: dict[int, int]) -> None:
    assert placed(130, hidden) == expected


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_every_anchor_is_visible_and_takes_the_longer_way(visible: list[bool]) -> None:
    anchors = default_anchors(len(visible), visible)
    assert len(anchors) == len(visible)
    for frame, value in enumerate(anchors):
        if value:
            assert visible[frame]
            forward, backward = len(visible) - frame, frame + 1
            assert (forward if value > 0 else backward) == max(forward, backward)


def test_visibility_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 visibility flags for 4 frames"):
        default_anchors(4, [True] * 3)


@pytest.mark.skipif(not (_DATA / "eval_masks").is_dir(), reason=f"no sequences in {_DATA}")
@pytest.mark.parametrize("collection", ["eval_masks", "eval_polygons"])
def test_rule_reproduces_the_anchors_of_real_sequences(collection: str) -> None:
    paths = read_list(_DATA / collection)
    assert paths
    for path in paths:
        sequence = read_sequence_folder(path)
        visible = [not region.is_empty() for region in sequence.regions]
        assert default_anchors(sequence.length, visible) == list(sequence.anchors)
