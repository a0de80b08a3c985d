"""The normalization of classification features."""

from collections.abc import Iterator

import pytest
import torch

from alpharefine.nets.dimp.classifier import InstanceL2Norm


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_every_sample_gets_the_same_norm() -> None:
    x = torch.randn(3, 8, 5, 6, generator=torch.Generator().manual_seed(0))
    norms = InstanceL2Norm(0.5)(x * torch.tensor([1.0, 10.0, 0.1]).reshape(3, 1, 1, 1)).flatten(1)
    torch.testing.assert_close(norms.norm(dim=1), torch.full((3,), 0.5 * (8 * 5 * 6) ** 0.5))


@pytest.mark.parametrize("shape", [(1, 512, 22, 22), (1, 256, 18, 18)])
def test_it_does_not_depend_on_the_number_of_threads(shape: tuple[int, ...]) -> None:
    """Parallel runs have fewer threads each, and shall give the same results."""
    generator = torch.Generator().manual_seed(0)
    samples = [torch.randn(shape, generator=generator) for _ in range(20)]
    samples = [x.contiguous(memory_format=torch.channels_last) for x in samples]
    answers = []
    for count in (1, 2, 3, 4):
        torch.set_num_threads(count)
        answers.append(torch.cat([InstanceL2Norm(1.0)(x) for x in samples]))
    assert all(torch.equal(answer, answers[0]) for answer in answers)
