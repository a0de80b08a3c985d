"""Peculiarities of the official code that change its results, in one place.

Parity with the official implementation needs them; normal use does not. `OFFICIAL` has them all,
`CORRECTED` none. Not listed because nothing can be observed of them here: the zero padding of the
blur augmentation (it reaches the crop of ECO alone, and is kept there) and the crash on an empty
initial mask (an error).
Kept on purpose in both modes, being part of how the weights were trained or harmless: rotated and
flipped initial samples keep the unrotated box; the initial samples come from a crop with repeated
borders while tracking crops are moved inside the image; candidate boxes are ranked by values that
are one ascent step old; ATOM's regular filter updates come in frames without the target, too.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class OfficialBehavior:
    """Which peculiarities of the official code are kept.

    Attributes:
        lost_target_drift: the base tracker answers boxes around (size - 1) / 2 but takes fed-back
            boxes by size / 2, so that a lost target drifts 0.5 px right and down a frame.
        refinement_bias: a refined box moves the center by +0.5 sample pixel each frame.
        stale_position: when the aspect ratio rejects all refined boxes, the position of an earlier
            refinement returns.
        unbounded_scale: the target size is never limited to the image, and a refined box may lie
            outside the search region.
        lost_subsampling_offset: the coordinates of a subsampled crop (very large targets) forget
            where subsampling started.
        tiny_boxes: clipping leaves boxes inside the image as small as they are.
        padded_border: Alpha-Refine's crop replaces the last row and column by padding when it ends
            exactly at the image border.
        unguarded_corners: an inverted or tiny refined box is fed back as it is.
        unrounded_back_projection: refined boxes return to the image through the unrounded crop.
        assumed_sample_place: ATOM and ECO take their samples to lie at the rounded position and at
            the wanted scale, though they were cut at the truncated one, with whole sides.
        swapped_roi_columns: Alpha-Refine's copy of RT-MDNet takes the columns of a region's samples
            from where its rows lie.
        shifted_initial_box: the CVPR 2021 demo starts its base tracker 0.5 px right and down.
    """

    lost_target_drift: bool
    refinement_bias: bool
    stale_position: bool
    unbounded_scale: bool
    lost_subsampling_offset: bool
    tiny_boxes: bool
    padded_border: bool
    unguarded_corners: bool
    unrounded_back_projection: bool
    assumed_sample_place: bool
    swapped_roi_columns: bool
    shifted_initial_box: bool


OFFICIAL = OfficialBehavior(*[True] * 12)
CORRECTED = OfficialBehavior(*[False] * 12)
