from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.refine.corner_head import soft_argmax
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.registry import build_network, networks_with

SMALL = RefineNetConfig(
    backbone="resnet18",
    input_size=64,
    fusion_widths=(12, 8),
    corner_widths=(8, 8),
    pyramid_widths=(8, 4, 4),
    frtm_width=8,
)
VARIANTS = {
    "pyramid": SMALL,
    "frtm": replace(SMALL, kernel="roi", non_local=True, box_head=None, mask_head="frtm"),
    "corner": replace(SMALL, mask_head=None, correlation="depthwise"),
    "naive": replace(SMALL, correlation="naive", fusion_widths=()),
    "fpn": replace(SMALL, mask_head="fpn", fpn_widths=(12, 8, 6)),
    "lite": replace(SMALL, backbone="efficientnet_lite0"),
    "larger": replace(SMALL, input_size=96),
}


def _images(config: RefineNetConfig, n: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(n)
    return torch.randn((n, 3, config.input_size, config.input_size), generator=generator)


def _boxes(n: int = 2) -> Tensor:
    return torch.tensor([[15.5, 15.5, 47.5, 47.5]]).expand(n, 4)


def _network(name: str) -> RefineNetwork:
    torch.manual_seed(0)
    return VARIANTS[name].build()


@pytest.mark.parametrize("name", VARIANTS)
def test_shapes(name: str) -> None:
    network, config = _network(name).eval(), VARIANTS[name]
    kernel = network.reference(_images(config), _boxes())
    channels = network.backbone.channels["layer3"]
    assert kernel.shape == (2, channels, config.kernel_size, config.kernel_size)
    output = network.search(_images(config), kernel)
    cells = config.input_size // 16
    if config.box_head is None:
        assert output.corners is None and output.corner_logits is None
    else:
        assert output.corners is not None and output.corner_logits is not None
        assert output.corners.shape == (2, 4)
        assert output.corner_logits.shape == (2, 2, cells, cells)
    if config.mask_head is None:
        assert output.mask_logits is None
    else:
        assert output.mask_logits is not None
        assert output.mask_logits.shape == (2, 1, config.input_size, config.input_size)


@pytest.mark.parametrize("name", VARIANTS)
def test_batch_gives_what_its_images_give(name: str) -> None:
    network, config = _network(name).eval(), VARIANTS[name]
    references, searches = _images(config, 3), _images(config, 3).flip(3)
    together = network(references, searches, _boxes(3))
    for i in range(3):
        one = slice(i, i + 1)
        alone = network(references[one], searches[one], _boxes(1))
        for whole, single in zip(together, alone, strict=True):
            if single is not None:
                torch.testing.assert_close(whole[one], single, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_learns(name: str) -> None:
    network, config = _network(name).train(), VARIANTS[name]
    output = network(_images(config), _images(config).flip(2), _boxes())
    loss = sum(x.square().mean() for x in output if x is not None)
    assert isinstance(loss, Tensor)
    loss.backward()
    without = [k for k, p in network.named_parameters() if p.grad is None]
    assert not without
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    stem = next(network.backbone.parameters()).grad
    assert stem is not None and stem.abs().max() > 0


@pytest.mark.parametrize("name", VARIANTS)
def test_answer_depends_on_the_reference(name: str) -> None:
    network, images = _network(name).eval(), _images(VARIANTS[name])
    kernel = network.reference(images, _boxes()).detach().requires_grad_()
    for output in network.search(images, kernel):
        if output is not None:
            (gradient,) = torch.autograd.grad(output.square().sum(), kernel, retain_graph=True)
            assert gradient.flatten(1).abs().amax(1).min() > 0


def test_asking_for_one_output_does_not_change_it() -> None:
    network = _network("pyramid").eval()
    images = _images(SMALL)
    kernel = network.reference(images)
    both = network.search(images, kernel)
    box, mask = network.search(images, kernel, {"box"}), network.search(images, kernel, {"mask"})
    assert box.mask_logits is None and mask.corners is None and mask.corner_logits is None
    torch.testing.assert_close(box.corners, both.corners)
    torch.testing.assert_close(mask.mask_logits, both.mask_logits)


def test_one_backbone_pass_for_both_outputs() -> None:
    network, passes = _network("pyramid").eval(), []
    network.backbone.register_forward_hook(lambda *_: passes.append(1))
    network.search(_images(SMALL), torch.zeros(1, 256, 2, 2))
    assert len(passes) == 1


def test_one_kernel_for_all_images() -> None:
    network, images = _network("frtm").eval(), _images(VARIANTS["frtm"])
    kernel = network.reference(images[:1], _boxes(1))
    shared = network.search(images, kernel).mask_logits
    own = network.search(images, kernel.expand(2, -1, -1, -1)).mask_logits
    torch.testing.assert_close(shared, own)


def test_reduced_precision_answers_float32_corners() -> None:
    network = _network("pyramid").eval().to(torch.bfloat16)
    images = _images(SMALL).bfloat16()
    output = network(images, images)
    assert output.corners.dtype == torch.float32
    assert output.mask_logits.dtype == torch.bfloat16


@pytest.mark.parametrize(("row", "column"), [*product((0, 3), (1, 5))])
def test_soft_argmax_finds_a_peak(row: int, column: int) -> None:
    logits = torch.zeros(1, 1, 4, 6)
    logits[0, 0, row, column] = 50.0
    expected = torch.tensor([[[16.0 * column, 16.0 * row]]])
    torch.testing.assert_close(soft_argmax(logits, 16), expected)
    flat = soft_argmax(torch.zeros(1, 1, 4, 6), 16)
    torch.testing.assert_close(flat, torch.tensor([[[16 * 2.5, 16 * 1.5]]]))


def test_named_variants() -> None:
    named = networks_with(RefineNetConfig)
    assert named["ar_v20"].outputs == {"mask"}
    assert named["ar_v20"].kernel_size == 12
    assert named["ar_c21_r34"].outputs == {"box", "mask"}
    assert named["ar_c21_r18"].kernel_size == 8
    assert all(build_network(name).config == config for name, config in named.items())


def test_bad_requests_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown network 'ar_v2020'"):
        build_network("ar_v2020")
    with pytest.raises(UsageError, match="multiple of 32"):
        replace(SMALL, input_size=100)
    with pytest.raises(UsageError, match="needs box_head or mask_head"):
        replace(SMALL, box_head=None, mask_head=None)
    network = _network("frtm").eval()
    with pytest.raises(UsageError, match="give the reference boxes"):
        network.reference(_images(SMALL))
    with pytest.raises(UsageError, match="no output box"):
        network.search(_images(SMALL), torch.zeros(1, 256, 2, 2), {"box"})
