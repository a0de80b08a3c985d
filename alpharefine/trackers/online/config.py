"""Settings of the parts that trackers with an online filter share. Without torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from alpharefine.official import CORRECTED, OfficialBehavior
from alpharefine.search_space import Range, SearchSpace


@dataclass(frozen=True)
class AugmentationConfig:
    """How the first frame becomes many training samples.

    Attributes:
        expansion_factor: the samples are cut from a region this many times the sample's side.
        random_shift_factor: largest random shift of an augmented sample, in half samples; 0 draws
            none.
        relative_shifts: fixed shifts (y, x) in half samples.
        shifts: further ones in px.
        flip: whether a mirrored sample is used.
        blur_sigmas: Gaussian blurs (vertical, horizontal), sample px.
        rotations: degrees.
        dropout_copies: copies of the first sample with channel dropout.
        dropout_probability: share of channels dropped in them.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 4; the published super_dimp parameters.
    """

    expansion_factor: float = 2.0
    random_shift_factor: float = 1 / 3
    relative_shifts: tuple[tuple[float, float], ...] = (
        (0.6, 0.6),
        (-0.6, 0.6),
        (0.6, -0.6),
        (-0.6, -0.6),
    )
    shifts: tuple[tuple[int, int], ...] = ()
    flip: bool = True
    blur_sigmas: tuple[tuple[float, float], ...] = ((3, 1), (1, 3), (2, 2))
    rotations: tuple[float, ...] = (10, -10, 45, -45)
    dropout_copies: int = 2
    dropout_probability: float = 0.2


@dataclass(frozen=True)
class MemoryConfig:
    """Samples that the online filter is trained on.

    Attributes:
        capacity: samples kept.
        learning_rate: weight of a new sample, 0..1.
        hard_negative_learning_rate: the same beside a look-alike.
        init_samples_minimum_weight: smallest total weight of the first frame's samples, 0..1.
        keep_initial: the first frame's samples stay, however light.

    Source: Danelljan et al. (ECO), CVPR 2017, section 3.3; Bhat et al. (DiMP), ICCV 2019.
    """

    capacity: int = 50
    learning_rate: float = 0.01
    hard_negative_learning_rate: float = 0.02
    init_samples_minimum_weight: float = 0.25
    keep_initial: bool = True


@dataclass(frozen=True)
class LocalizationConfig:
    """When a score map's peak is the target.

    Attributes:
        target_not_found_threshold: lowest peak score of a target.
        distractor_threshold: second peak over first, above which the frame is ambiguous.
        hard_negative_threshold: second peak over first, above which it is a hard negative.
        target_neighborhood_scale: side of the area around the peak that is not a second peak,
            in target sizes.
        displacement_scale: displacement that separates target and look-alike, in half score maps.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 4; `advanced_localization` of its code.
    """

    target_not_found_threshold: float = 0.25
    distractor_threshold: float = 0.8
    hard_negative_threshold: float = 0.5
    target_neighborhood_scale: float = 2.2
    displacement_scale: float = 0.8


@dataclass(frozen=True)
class BoxRefinementConfig:
    """How candidate boxes ascend on the IoU network's value.

    Attributes:
        random_boxes: random candidates beside the predicted box.
        position_jitter: their position jitter, in root target area.
        size_jitter: their size jitter, in root target area.
        iterations: gradient ascent steps; with `random_boxes` 0 and 0 steps the size is kept.
        step_length: in the coordinates of `space`.
        space: "relative" ascends in center over reference size and log size (PrDiMP), "default"
            in the box itself, each gradient scaled by the box's side (ATOM, DiMP-50).
        maximal_aspect_ratio: candidates with a more extreme w/h are dropped.
        best: best candidates averaged.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 3.1; Danelljan et al. (PrDiMP), CVPR 2020.
    """

    random_boxes: int = 9
    position_jitter: float = 0.1
    size_jitter: float = 0.5
    iterations: int = 10
    step_length: float = 2.5e-3
    space: Literal["relative", "default"] = "relative"
    maximal_aspect_ratio: float = 6.0
    best: int = 3


NO_BOX_REFINEMENT = BoxRefinementConfig(random_boxes=0, iterations=0)
"""The target keeps its size."""


@dataclass(frozen=True)
class OnlineConfig:
    """Settings that all trackers have which find a target by a filter and its box by ascent.

    Attributes:
        image_sample_size: side of the square sample, px; a multiple of the classifier's stride.
        search_area_scale: side of the search area over the root of the target's area.
        target_inside_ratio: share of the target that must stay in the image.
        augmentation: of the first frame.
        memory: of the filter's samples.
        localization: when a peak is the target.
        box_refinement: of the target's extent.
        learn_settled: the filter learns a frame only when `set_state` has said where the target is
            in it; an addition for trackers whose boxes are refined: the peak of the scores is up
            to half a score cell off.
        seed: of the random generator, set anew by every `initialize`.
        official: which peculiarities of the official code are kept.
    """

    search_space: ClassVar[SearchSpace] = {
        "localization.target_not_found_threshold": Range(0.05, 0.4),
        "localization.distractor_threshold": Range(0.5, 0.95),
        "localization.hard_negative_threshold": Range(0.3, 0.8),
        "memory.learning_rate": Range(0.003, 0.03, log=True),
        "memory.hard_negative_learning_rate": Range(0.005, 0.06, log=True),
        "train_skipping": Range(5, 30, whole=True),
    }

    image_sample_size: int = 352
    search_area_scale: float = 6.0
    target_inside_ratio: float = 0.2
    augmentation: AugmentationConfig = AugmentationConfig()
    memory: MemoryConfig = MemoryConfig()
    localization: LocalizationConfig = LocalizationConfig()
    box_refinement: BoxRefinementConfig = BoxRefinementConfig()
    learn_settled: bool = False
    seed: int = 0
    official: OfficialBehavior = CORRECTED
