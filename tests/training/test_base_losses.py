import torch

from alpharefine.training.tasks.dimp.losses import hinge_score_loss, kl_regression_loss
from alpharefine.training.tasks.dimp.proposals import draw_proposals

BOXES = torch.tensor([[40.0, 50.0, 60.0, 30.0], [10.0, 20.0, 30.0, 90.0]])


def _proposals(count: int = 4000):  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(0)
    return draw_proposals(BOXES, count, (0.05, 0.5), 0.05, generator)


def test_proposals_are_drawn_with_the_density_they_report() -> None:
    proposals = _proposals(50_000)
    importance = (proposals.log_target_density - proposals.log_density).exp()
    # The mean importance weight estimates the integral of the label density.
    torch.testing.assert_close(importance.mean(1), torch.ones(2), rtol=0.03, atol=0)
    centers = proposals.boxes[..., :2] + proposals.boxes[..., 2:] / 2
    weight = importance / importance.sum(1, keepdim=True)
    mean_center = (centers * weight[..., None]).sum(1)
    torch.testing.assert_close(mean_center, BOXES[:, :2] + BOXES[:, 2:] / 2, rtol=0, atol=0.3)


def test_kl_loss_is_lowest_for_the_label_distribution() -> None:
    proposals = _proposals()
    right = kl_regression_loss(proposals.log_target_density, proposals)
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        noise = torch.randn(proposals.log_density.shape, generator=generator)
        assert kl_regression_loss(proposals.log_target_density + noise, proposals) > right
    shifted = kl_regression_loss(proposals.log_target_density + 3, proposals)
    torch.testing.assert_close(shifted, right, rtol=0, atol=0.1)


def test_hinge_leaves_negative_background_scores_alone() -> None:
    label = torch.tensor([0.0, 0.0, 1.0])
    assert hinge_score_loss(torch.tensor([-5.0, 0.0, 1.0]), label, 0.05) == 0
    assert hinge_score_loss(torch.tensor([0.5, 0.0, 1.0]), label, 0.05) > 0
    assert hinge_score_loss(torch.tensor([0.0, 0.0, 0.5]), label, 0.05) > 0
