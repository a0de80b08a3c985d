"""What is learned in DiMP training, and how much each part counts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DimpLossConfig:
    """Losses of DiMP training; the defaults are super_dimp's.

    Attributes:
        box_weight: KL loss of the box regressor.
        clf_weight: loss of the last filter on the test frames.
        clf_init_weight: loss of the initial filter.
        clf_iter_weight: mean loss of the filters between them.
        optimizer_iterations: steps of the filter optimizer in training.
        label_sigma: standard deviation of the score label, score cells.
        hinge_threshold: label below which only positive scores are penalized.
        proposals: boxes drawn around the target in each test frame.
        target_sigma: standard deviation of the box label in relative coordinates.
        proposal_sigmas: standard deviations of the two halves of the proposals.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, section 5, and the published super_dimp settings.
    """

    box_weight: float = 0.01
    clf_weight: float = 100.0
    clf_init_weight: float = 100.0
    clf_iter_weight: float = 400.0
    optimizer_iterations: int = 5
    label_sigma: float = 22 / 24
    hinge_threshold: float = 0.05
    proposals: int = 128
    target_sigma: float = 0.05
    proposal_sigmas: tuple[float, float] = (0.05, 0.5)
