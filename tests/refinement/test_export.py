"""The exported refinement networks answer what the original ones do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.spec import IMAGENET
from alpharefine.refinement.export import ReferenceGraph, SearchGraph, export_refinement
from tests.nets.test_refine_networks import VARIANTS
from vot_integration import cli

Answer = Callable[[dict[str, NDArray[np.float32]]], list[NDArray[np.float32]]]


def _network(name: str) -> RefineNetwork:
    torch.manual_seed(0)
    network = RefineNetwork(VARIANTS[name]).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.requires_grad_(False)


def _crops(network: RefineNetwork) -> NDArray[np.float32]:
    size = network.config.input_size
    random = np.random.default_rng(0)
    return random.integers(0, 256, (2, 3, size, size)).astype(np.float32)


def _inputs(network: RefineNetwork) -> dict[str, NDArray[np.float32]]:
    """Of the reference graph, with another box than its example."""
    inputs = {"crop": _crops(network)[:1]}
    if network.config.kernel == "roi":
        inputs["box"] = np.array([[14.5, 17.0, 49.0, 46.5]], np.float32)
    return inputs


def _expected(network: RefineNetwork) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Kernel and answers, computed as a tracker does."""
    crops = np.ascontiguousarray(_crops(network).transpose(0, 2, 3, 1))
    reference, search = CropInput(IMAGENET, torch.device("cpu"), torch.float32)(crops).split(1)
    box = _inputs(network).get("box")
    kernel = network.reference(reference, None if box is None else torch.from_numpy(box))
    answer = network.search(search, kernel)
    logits = answer.mask_logits
    answers = (answer.corners, None if logits is None else logits.sigmoid())
    return kernel, [each for each in answers if each is not None]


def _check(network: RefineNetwork, reference: Answer, search: Answer) -> None:
    kernel, answers = _expected(network)
    [exported] = reference(_inputs(network))
    np.testing.assert_allclose(exported, kernel, atol=1e-4 * float(kernel.abs().max()))
    given = search({"crop": _crops(network)[1:], "kernel": exported})
    for actual, expected in zip(given, answers, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("name", ["pyramid", "frtm", "corner", "lite", "fpn"])
def test_the_graphs_answer_what_a_tracker_gets(name: str) -> None:
    network = _network(name)

    def answering(graph: torch.nn.Module) -> Answer:
        def answer(inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
            values = graph(**{k: torch.from_numpy(v) for k, v in inputs.items()})
            return [v.numpy() for v in (values if isinstance(values, tuple) else (values,))]

        return answer

    _check(network, answering(ReferenceGraph(network)), answering(SearchGraph(network)))


@pytest.mark.parametrize("name", ["pyramid", "frtm"])
def test_torch_export(name: str, tmp_path: Path) -> None:
    network = _network(name)
    graphs = export_refinement(network, tmp_path / "net.pt2", "torch-export")
    assert [graph.path.name for graph in graphs] == ["net.pt2", "net.reference.pt2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pt2", "net.reference.pt2"]

    def answering(file: Path) -> Answer:
        module = torch.export.load(file).module()

        def answer(inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
            values = module(**{k: torch.from_numpy(v) for k, v in inputs.items()})
            return [v.numpy() for v in (values if isinstance(values, tuple) else (values,))]

        return answer

    _check(network, answering(graphs[1].path), answering(graphs[0].path))


@pytest.mark.parametrize("name", ["pyramid", "frtm", "lite"])
def test_onnx(name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = _network(name)
    graphs = export_refinement(network, tmp_path / "net.onnx", "onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.onnx", "net.reference.onnx"]

    def answering(file: Path) -> Answer:
        session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        return lambda inputs: session.run(None, inputs)

    search, reference = graphs
    session = runtime.InferenceSession(str(search.path), providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == list(search.inputs)
    assert [each.name for each in session.get_outputs()] == list(search.outputs)
    _check(network, answering(reference.path), answering(search.path))


def test_onnx_that_is_not_installed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'onnxscript'", name="onnxscript")

    monkeypatch.setattr(torch.onnx, "export", missing)
    with pytest.raises(UsageError, match=r"onnxscript is missing.*arvot\[onnx\]"):
        export_refinement(_network("corner"), tmp_path / "net.onnx", "onnx")
    assert not list(tmp_path.iterdir())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lite.pt2"
    assert cli.main(["export", "--format", "torch-export", "-o", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "takes kernel: 1 x 112 x 8 x 8" in printed and "gives mask: 1 x 1 x 256 x 256" in printed
    assert file.is_file() and (tmp_path / "lite.reference.pt2").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--tracker", "DiMPsuper", "-o", "x.onnx"], "no refinement network"),
        (["--tracker", "Nobody", "-o", "x.onnx"], "unknown tracker"),
        (["-o", "/nowhere/x.onnx"], "no folder"),
        (["--format", "tensorrt", "-o", "x.onnx"], "tensorrt"),
        ([], "--output"),
    ],
)
def test_bad_input(
    arguments: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", *arguments]) == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
