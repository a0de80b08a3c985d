"""Hyper-parameters of the DiMP tracker."""

from dataclasses import dataclass

from alpharefine.oddities import FIXED, Oddities


@dataclass(frozen=True)
class DimpConfig:
    """Hyper-parameters; the defaults are those of super_dimp.

    Attributes:
        image_sample_size: side of the square sample, px; a multiple of 16.
        search_area_scale: side of the search area over the root of the target's area.
        patch_max_scale_change: how much a search area may shrink to fit into the image.
        sample_memory_size: samples kept for the online filter.
        learning_rate: weight of a new sample.
        hard_negative_learning_rate: the same beside a distractor.
        init_samples_minimum_weight: smallest total weight of the first frame's samples.
        train_skipping: frames between two filter updates.
        net_opt_iter: optimiser steps on the first frame.
        net_opt_update_iter: steps of a regular update.
        net_opt_hn_iter: steps after a hard negative.
        target_not_found_threshold: lowest peak score of a target.
        distractor_threshold: second peak over first, above which the frame is ambiguous.
        hard_negative_threshold: second peak over first, above which it is a hard negative.
        target_neighborhood_scale: side of the area around the peak that is not a second peak,
            in target sizes.
        displacement_scale: displacement that separates target and distractor, in half score maps.
        target_inside_ratio: share of the target that must stay in the image.
        num_init_random_boxes: random candidates beside the predicted box.
        box_jitter_pos: their position jitter, in root target area.
        box_jitter_sz: their size jitter, in root target area.
        maximal_aspect_ratio: candidates with a more extreme w/h are dropped.
        box_refinement_iter: gradient ascent steps.
        box_refinement_step_length: step length in relative coordinates.
        iounet_k: best candidates averaged.
        augmentation_expansion_factor: the first frame's augmentations are cut from a region this
            many times the sample.
        random_shift_factor: largest random shift of an augmented sample, in half samples.
        relative_shifts: fixed shifts (y, x) in half samples.
        flip: whether a mirrored sample is used.
        blur_sigmas: Gaussian blurs (vertical, horizontal), sample px.
        rotations: degrees.
        dropout_copies: first-frame samples with channel dropout.
        dropout_probability: share of channels dropped in them.
        seed: of the random generator, set anew by every `initialize`.
        oddities: which peculiarities of the official code are kept.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, and the published super_dimp parameters.
    """

    image_sample_size: int = 352
    search_area_scale: float = 6.0
    patch_max_scale_change: float = 1.5
    sample_memory_size: int = 50
    learning_rate: float = 0.01
    hard_negative_learning_rate: float = 0.02
    init_samples_minimum_weight: float = 0.25
    train_skipping: int = 20
    net_opt_iter: int = 10
    net_opt_update_iter: int = 2
    net_opt_hn_iter: int = 1
    target_not_found_threshold: float = 0.25
    distractor_threshold: float = 0.8
    hard_negative_threshold: float = 0.5
    target_neighborhood_scale: float = 2.2
    displacement_scale: float = 0.8
    target_inside_ratio: float = 0.2
    num_init_random_boxes: int = 9
    box_jitter_pos: float = 0.1
    box_jitter_sz: float = 0.5
    maximal_aspect_ratio: float = 6.0
    box_refinement_iter: int = 10
    box_refinement_step_length: float = 2.5e-3
    iounet_k: int = 3
    augmentation_expansion_factor: float = 2.0
    random_shift_factor: float = 1 / 3
    relative_shifts: tuple[tuple[float, float], ...] = (
        (0.6, 0.6),
        (-0.6, 0.6),
        (0.6, -0.6),
        (-0.6, -0.6),
    )
    flip: bool = True
    blur_sigmas: tuple[tuple[float, float], ...] = ((3, 1), (1, 3), (2, 2))
    rotations: tuple[float, ...] = (10, -10, 45, -45)
    dropout_copies: int = 2
    dropout_probability: float = 0.2
    seed: int = 0
    oddities: Oddities = FIXED
