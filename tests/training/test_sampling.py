"""Clips: which frames are drawn, how stills are animated, what is pasted."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from alpharefine.data.folders import read_video_folder
from alpharefine.data.images import FrameError
from alpharefine.data.source import SequenceSource, TrainFrame
from alpharefine.data.stills import ImageFolder, read_mask_folder
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.training.compositing import cut_out, paste
from alpharefine.training.crops import (
    AppearanceConfig,
    DimpCropConfig,
    RefineCropConfig,
    Sample,
)
from alpharefine.training.motion import (
    STILL,
    MotionConfig,
    draw_motion,
    flip_frame,
    move_frame,
    translation,
)
from alpharefine.training.samples import DimpCutter, RefineCutter, SampleSet, init_worker
from alpharefine.training.sampling import ClipConfig, ClipSampler, draw_times
from alpharefine.training.sources import SourceGroup
from alpharefine.training.synthesis import SynthesisConfig, add_objects
from alpharefine.types import Box
from tests.training.layouts import NO_SYNTHESIS, blank_labels, write_image, write_labels, write_text

DATA = Path(os.environ.get("ARVOT_DATA", Path(__file__).parents[2] / "../shared/data"))
SQUARE = Box(50.0, 40.0, 30.0, 20.0)


def frame_with(box: Box = SQUARE, height: int = 120, width: int = 160) -> TrainFrame:
    """A bright red rectangle on blue."""
    image = np.zeros((height, width, 3), np.uint8)
    image[...] = (10, 20, 200)
    mask = blank_labels(height, width)
    x, y, w, h = (int(v) for v in box)
    mask[y : y + h, x : x + w] = 1
    image[mask > 0] = (230, 30, 20)
    return TrainFrame(image, box, mask)


def redness(frame: TrainFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    red, green, blue = np.moveaxis(frame.image.astype(int), 2, 0)
    return np.asarray((red > green + 60) & (red > blue))


@given(
    seed=st.integers(0, 10**6),
    length=st.integers(1, 80),
    gap=st.integers(1, 60),
    causal=st.booleans(),
    train=st.integers(1, 3),
    test=st.integers(1, 3),
)
def test_times_are_visible_and_near(
    seed: int, length: int, gap: int, causal: bool, train: int, test: int
) -> None:
    rng = np.random.default_rng(seed)
    visible = rng.random(length) < 0.6
    config = ClipConfig(train, test, gap, causal)
    if not visible.any():
        with pytest.raises(FrameError):
            draw_times(visible, config, rng)
        return
    times = draw_times(visible, config, rng)
    assert len(times) == train + test
    assert visible[times].all()
    assert max(abs(t - times[0]) for t in times) <= gap
    if causal:
        assert all(t <= times[0] for t in times[:train])
        assert all(t >= times[0] for t in times[train:])


def test_times_do_not_repeat_where_there_are_enough() -> None:
    for seed in range(50):
        rng = np.random.default_rng(seed)
        times = draw_times(np.ones(40, np.bool_), ClipConfig(3, 3, 39), rng)
        assert len(set(times)) == 6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_moved_mask_follows_the_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    moved = move_frame(frame_with(), MotionConfig(shift=0.0), rng)
    assert moved.mask is not None
    differing = np.count_nonzero(redness(moved) != (moved.mask > 0))
    assert differing <= 0.08 * np.count_nonzero(moved.mask)
    assert moved.box == mask_to_box(moved.mask)
    factor = np.count_nonzero(moved.mask) / 600
    assert 0.7**2 * 0.9 < factor < 1.4**2 * 1.1


def test_target_at_the_border_is_not_reflected() -> None:
    at_border = frame_with(Box(0.0, 40.0, 30.0, 20.0))
    for seed in range(20):
        moved = move_frame(at_border, MotionConfig(), np.random.default_rng(seed))
        assert moved.mask is not None
        differing = np.count_nonzero(redness(moved) != (moved.mask > 0))
        assert differing <= 0.1 * np.count_nonzero(moved.mask)


def test_box_without_mask_moves_with_the_pixels() -> None:
    plain = TrainFrame(frame_with().image, SQUARE, None)
    for seed in range(20):
        moved = move_frame(plain, MotionConfig(), np.random.default_rng(seed))
        found = mask_to_box(redness(moved).astype(np.uint8))
        assert moved.mask is None and found is not None
        assert np.abs(np.array(found) - moved.box).max() <= 1.5


def test_no_motion_changes_nothing() -> None:
    frame = frame_with()
    moved = move_frame(frame, STILL, np.random.default_rng(0))
    assert np.array_equal(moved.image, frame.image) and moved.box == frame.box
    assert np.allclose(draw_motion(STILL, (10, 10), np.random.default_rng(0)), np.eye(3))


def test_flip_twice_is_nothing() -> None:
    frame = frame_with()
    once = flip_frame(frame)
    assert once.mask is not None and once.box == mask_to_box(once.mask)
    twice = flip_frame(once)
    assert twice.box == frame.box and np.array_equal(twice.image, frame.image)


def test_paste_has_soft_edges_and_a_true_mask() -> None:
    layer = cut_out(frame_with(Box(20.0, 20.0, 60.0, 40.0)), side=np.sqrt(60 * 40))
    below = np.full((100, 120, 3), 100, np.uint8)
    image, mask = paste(below, layer, layer.placed(60.0, 50.0, np.eye(3)))
    box = mask_to_box(mask)
    assert box is not None
    assert abs(box.x + (box.w - 1) / 2 - 60) <= 0.5 and abs(box.y + (box.h - 1) / 2 - 50) <= 0.5
    assert 56 <= box.w <= 62 and 36 <= box.h <= 42
    touched = (image != below).any(axis=2)
    edge = touched & (mask == 0)
    assert 0 < np.count_nonzero(edge) < 5 * (box.w + box.h)
    profile = image[50, :, 0].astype(int)
    steps = np.abs(np.diff(profile))
    assert steps.max() < 110, "the edge takes more than one pixel"
    assert (below == 100).all(), "the image given is left alone"


def test_paste_stays_behind_and_inside() -> None:
    frame = frame_with()
    layer = cut_out(frame_with(Box(20.0, 20.0, 60.0, 40.0)), side=50.0)
    green = type(layer)(np.full_like(layer.image, (0, 255, 0)), layer.alpha, layer.size)
    image, mask = paste(frame.image, green, green.placed(65, 50, np.eye(3)), before=frame.mask)
    assert frame.mask is not None
    core = frame.mask.copy()
    core[:, :53] = core[:, 77:] = core[:43] = core[57:] = 0
    assert np.array_equal(image[core > 0], frame.image[core > 0])
    assert not (mask & core).any() and mask.any()
    same, nothing = paste(frame.image, green, green.placed(-500, 50, np.eye(3)))
    assert np.array_equal(same, frame.image) and not nothing.any()


def test_cut_out_scales_to_the_side() -> None:
    for side in (10.0, 35.0, 80.0):
        layer = cut_out(frame_with(), side)
        assert np.sqrt(layer.size[0] * layer.size[1]) == pytest.approx(side)
        assert np.sqrt((layer.alpha > 127).sum()) == pytest.approx(side, rel=0.15)
    with pytest.raises(FrameError):
        cut_out(TrainFrame(frame_with().image, SQUARE, None), 10)


class OneObject:
    """Material of one green object on a gray background."""

    def background(
        self, rng: np.random.Generator
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return np.full((100, 100, 3), 90, np.uint8)

    def other_object(self, alike: bool, rng: np.random.Generator) -> TrainFrame:
        frame = frame_with(Box(20.0, 20.0, 60.0, 60.0))
        return TrainFrame(np.full_like(frame.image, (0, 220, 0)), frame.box, frame.mask)


def test_occluders_shrink_the_mask_and_spare_the_first_frame() -> None:
    config = SynthesisConfig(distractors=(1.0,), occluder=1.0, occluded_frames=1.0)
    frames = [frame_with()] * 4
    shrunk = 0
    for seed in range(10):
        changed = add_objects(frames, OneObject(), config, np.random.default_rng(seed))
        assert changed[0] is frames[0]
        for frame in changed[1:]:
            assert frame.mask is not None and frames[0].mask is not None
            assert not (frame.mask & (1 - frames[0].mask)).any()
            assert np.count_nonzero(frame.mask) >= config.least_visible * 600
            assert frame.box == mask_to_box(frame.mask)
            clear = redness(frame) == (frame.mask > 0)
            assert np.count_nonzero(~clear) < 90
            shrunk += int(np.count_nonzero(frame.mask) < 590)
    assert shrunk > 10


def test_distractors_leave_the_target_alone() -> None:
    config = SynthesisConfig(distractors=(0.0, 0.0, 1.0), occluder=0.0)
    frames = [frame_with()] * 3
    changed = add_objects(frames, OneObject(), config, np.random.default_rng(1))
    assert any((f.image[..., 1] > 150).any() for f in changed)
    for frame in changed:
        assert frame.box == SQUARE and frame.mask is frames[0].mask
        assert frame.mask is not None and redness(frame)[frame.mask > 0].mean() > 0.9


def test_nearby_distractors_stay_beside_the_target() -> None:
    config = SynthesisConfig(distractors=(0.0, 1.0), occluder=0.0, nearby=1.0, motion=STILL)
    for seed in range(10):
        changed = add_objects([frame_with()] * 2, OneObject(), config, np.random.default_rng(seed))
        for frame in changed:
            rows, columns = np.nonzero((frame.image != frame_with().image).any(2))
            # The target reaches from x = 50, y = 40 to x = 80, y = 60.
            assert np.maximum(np.abs(columns - 65) - 15, np.abs(rows - 50) - 10).min() < 30


def test_twins_are_the_target_in_other_colors() -> None:
    config = SynthesisConfig(distractors=(0.0, 1.0), occluder=0.0, twins=1.0, motion=STILL)
    different = 0
    for seed in range(10):
        (changed,) = add_objects([frame_with()], OneObject(), config, np.random.default_rng(seed))
        assert changed.mask is not None
        assert not (changed.image[..., 1] > 200).any() or changed.image[..., 0].max() > 200
        pasted = (changed.image != frame_with().image).any(2) & (changed.mask == 0)
        colors = changed.image[pasted].astype(int)
        different += int(np.abs(colors - (230, 30, 20)).max(1).min() > 10)
    assert different > 5


def test_boxes_without_masks_get_distractors_only_on_request() -> None:
    frame = TrainFrame(frame_with().image, SQUARE, None)
    config = SynthesisConfig(distractors=(0.0, 1.0), occluder=1.0)
    assert add_objects([frame], OneObject(), config, np.random.default_rng(0)) == [frame]
    config = SynthesisConfig(distractors=(0.0, 1.0), occluder=1.0, beside_boxes=True)
    pasted = 0
    for seed in range(10):
        (changed,) = add_objects([frame], OneObject(), config, np.random.default_rng(seed))
        assert changed.mask is None and changed.box == SQUARE
        inside = changed.image[42:58, 52:78]
        assert np.array_equal(inside, frame.image[42:58, 52:78])
        pasted += int((changed.image[..., 1] > 150).any())
    assert pasted > 5


def test_probabilities_must_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum"):
        SynthesisConfig(distractors=(0.5, 0.4))


@pytest.fixture
def groups(tmp_path: Path) -> list[SourceGroup]:
    """Masks, isolated masks and a video with boxes."""
    for k in range(4):
        for name in ("scenes", "objects"):
            write_image(tmp_path / name / f"images/{k}.jpg", 90, 120, k)
            labels = blank_labels(90, 120)
            labels[20:60, 30 + k : 80] = 1
            write_labels(tmp_path / name / f"masks/{k}.png", labels)
    for t in range(10):
        write_image(tmp_path / f"videos/a/color/{t:08d}.jpg", 80, 90, t)
    write_text(tmp_path / "videos/a/groundtruth.txt", *[f"{20 + t},30,25,20" for t in range(10)])
    sources = [
        read_mask_folder(tmp_path / "scenes"),
        read_mask_folder(tmp_path / "objects"),
        read_video_folder(tmp_path / "videos"),
    ]
    return [
        SourceGroup(source, np.arange(len(source)), 1.0 + k, k == 1)
        for k, source in enumerate(sources)
    ]


def refine_set(groups: list[SourceGroup], seed: int = 0) -> SampleSet:
    sampler = ClipSampler(groups, ClipConfig(), SynthesisConfig())
    return SampleSet(sampler, RefineCutter(RefineCropConfig(size=64), AppearanceConfig()), seed)


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_sample_depends_on_seed_and_number_alone(groups: list[SourceGroup]) -> None:
    forward = [refine_set(groups)[n] for n in range(12)]
    again = pickle.loads(pickle.dumps(refine_set(groups)))
    for n in reversed(range(12)):
        assert_equal(forward[n], again[n])
    other = refine_set(groups, seed=1)
    assert not all(torch.equal(forward[n]["search"], other[n]["search"]) for n in range(12))


def test_workers_give_the_same_samples(groups: list[SourceGroup]) -> None:
    samples = refine_set(groups)
    batches = [[4, 5, 6], [7, 8, 9]]
    loader = DataLoader(samples, batch_sampler=batches, num_workers=2, worker_init_fn=init_worker)
    for numbers, batch in zip(batches, loader, strict=True):
        assert batch["search"].shape == (3, 64, 64, 3) and batch["search"].dtype == torch.uint8
        assert batch["mask"].shape == (3, 1, 64, 64)
        for k, n in enumerate(numbers):
            assert_equal({name: value[k] for name, value in batch.items()}, samples[n])


def test_sources_are_drawn_by_weight(groups: list[SourceGroup]) -> None:
    drawn: list[str] = []

    class Spy:
        def __init__(self, group: SourceGroup) -> None:
            self._source = group.source
            self.name = group.source.name

        def __len__(self) -> int:
            return len(self._source)

        def sequence(self, index: int) -> object:
            return self._source.sequence(index)

        def frame(self, index: int, t: int) -> TrainFrame:
            drawn.append(self.name)
            return self._source.frame(index, t)

    spies = [
        SourceGroup(Spy(g), g.indices, w, False)  # type: ignore[arg-type]
        for g, w in zip(groups, (3.0, 1.0, 0.0), strict=True)
    ]
    sampler = ClipSampler(spies, ClipConfig(), NO_SYNTHESIS)
    for seed in range(200):
        sampler.draw(np.random.default_rng(seed))
    assert set(drawn) == {"scenes", "objects"}
    assert 120 <= drawn.count("scenes") <= 180


def test_broken_files_are_drawn_over(groups: list[SourceGroup], tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"scenes/images/{k}.jpg").write_bytes(b"")
    samples = refine_set(groups[:1])
    assert_equal(samples[3], refine_set(groups[:1])[3])
    (tmp_path / "scenes/images/3.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match="no usable"):
        samples[3]


def test_isolated_objects_get_a_background(groups: list[SourceGroup], tmp_path: Path) -> None:
    write_image(tmp_path / "backgrounds/a.jpg", 100, 100, 5)
    plain = SynthesisConfig(paste=0.0, distractors=(1.0,), occluder=0.0)
    backgrounds = ImageFolder(tmp_path / "backgrounds")
    frames = ClipSampler(groups[1:2], ClipConfig(), plain, backgrounds).draw(
        np.random.default_rng(0)
    )
    original = groups[1].source.frame(0, 0).image.shape
    assert all(frame.image.shape != original for frame in frames)
    with pytest.raises(UsageError, match="backgrounds"):
        ClipSampler(groups[1:2], ClipConfig(), plain).draw(np.random.default_rng(0))


def test_dimp_samples(groups: list[SourceGroup]) -> None:
    sampler = ClipSampler(groups, ClipConfig(3, 2, 200), SynthesisConfig())
    samples = SampleSet(sampler, DimpCutter(3, DimpCropConfig(size=96), AppearanceConfig()), 0)
    sample = samples[0]
    assert sample["images"].shape == (5, 96, 96, 3) and sample["images"].dtype == torch.uint8
    assert sample["boxes"].shape == (5, 4) and sample["boxes"].dtype == torch.float32


def test_needs_a_source() -> None:
    with pytest.raises(UsageError, match="positive weight"):
        ClipSampler([], ClipConfig(), SynthesisConfig())
    empty = SourceGroup(SequenceSource("x", []), np.arange(0), 0.0, False)
    with pytest.raises(UsageError, match="positive weight"):
        ClipSampler([empty], ClipConfig(), SynthesisConfig())


@pytest.mark.skipif(not (DATA / "train_masks").is_dir(), reason="no local data ($ARVOT_DATA)")
def test_local_clips_are_consistent() -> None:
    names = ("human_seg", "caltech101_white_pseudo", "segtrack_bmx")
    sources = [read_mask_folder(DATA / "train_masks" / n) for n in names]
    groups = [SourceGroup(s, np.arange(len(s)), 1.0, s.name.startswith("caltech")) for s in sources]
    backgrounds = ImageFolder(DATA / "unlabelled")
    sampler = ClipSampler(groups, ClipConfig(2, 2), SynthesisConfig(), backgrounds)
    for seed in range(30):
        for frame in sampler.draw(np.random.default_rng(seed)):
            assert frame.mask is not None and frame.mask.shape == frame.image.shape[:2]
            assert frame.mask.flags.c_contiguous and frame.box == mask_to_box(frame.mask)


def test_translation() -> None:
    assert (translation(2, 3) @ (1, 1, 1)).tolist() == [3, 4, 1]


def test_sample_is_a_dict_of_arrays(groups: list[SourceGroup]) -> None:
    cut = RefineCutter(RefineCropConfig(size=32), AppearanceConfig())
    clip = ClipSampler(groups, ClipConfig(), SynthesisConfig()).draw(np.random.default_rng(0))
    sample: Sample = cut(clip, np.random.default_rng(0))
    assert all(isinstance(value, np.ndarray) for value in sample.values())
