"""Alpha-Refine for other runtimes: ONNX, or a program of torch.export.

Two graphs, as a tracker needs them: the reference graph once for each target, the search graph in
every frame. Both take crops as they are cut from images, without normalization.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from alpharefine.errors import UsageError
from alpharefine.nets.normalization import Normalization
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.spec import IMAGENET, InputSpec

FORMATS = ("onnx", "torch-export")
"""Formats of `export_refinement`."""


class ExportedGraph(NamedTuple):
    """A graph that was written.

    Attributes:
        path: its file.
        inputs: name -> shape.
        outputs: name -> shape.
    """

    path: Path
    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]


class ReferenceGraph(nn.Module):
    """Kernel of the target, 1 x C x P x P, from the reference crop.

    Args:
        network: in eval mode.
    """

    def __init__(self, network: RefineNetwork, input_spec: InputSpec = IMAGENET) -> None:
        super().__init__()
        self.normalize = Normalization(input_spec)
        self.network = network

    def forward(self, crop: Tensor, box: Tensor | None = None) -> Tensor:
        """See `inputs`: `box` only for networks whose kernel is pooled from it."""
        return self.network.reference(self.normalize(crop), box)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """Examples: the crop, RGB 0..255, and the target's corners in it, crop px."""
        size = self.network.config.input_size
        inputs = {"crop": torch.full((1, 3, size, size), 127.0)}
        if self.network.config.kernel == "roi":
            quarter = size / 4
            inputs["box"] = torch.tensor([[quarter, quarter, 3 * quarter, 3 * quarter]])
        return inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the graph answers."""
        return ("kernel",)


class SearchGraph(nn.Module):
    """Corners (x1, y1, x2, y2) in crop px, and the mask's probability, 1 x 1 x S x S.

    Args:
        network: in eval mode; the graph answers what it has.
    """

    def __init__(self, network: RefineNetwork, input_spec: InputSpec = IMAGENET) -> None:
        super().__init__()
        self.normalize = Normalization(input_spec)
        self.network = network

    def forward(self, crop: Tensor, kernel: Tensor) -> tuple[Tensor, ...]:
        """Answer for a search crop, RGB 0..255, and a kernel from the reference graph."""
        answer = self.network.search(self.normalize(crop), kernel)
        logits = answer.mask_logits
        answers = (answer.trusted_corners, None if logits is None else logits.sigmoid())
        return tuple(each for each in answers if each is not None)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """Examples."""
        reference = ReferenceGraph(self.network)
        with torch.no_grad():
            kernel = reference(**reference.inputs)
        return {"crop": reference.inputs["crop"], "kernel": kernel}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the graph answers, in this order."""
        names = {"box": "corners", "mask": "mask"}
        return tuple(
            names[output] for output in ("box", "mask") if output in self.network.config.outputs
        )


def export_refinement(network: RefineNetwork, file: Path, form: str) -> list[ExportedGraph]:
    """Write the search graph to a file, and the reference graph beside it.

    Args:
        network: float32, with its weights loaded, not prepared for inference by a `Runtime`.
        file: of the search graph; the reference graph's name gets `.reference` before the suffix.
        form: one of `FORMATS`.

    Raises:
        UsageError: the format is unknown, or ONNX is not installed.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}; choose one of {', '.join(FORMATS)}")
    network = network.eval().requires_grad_(False)
    reference = file.with_suffix(f".reference{file.suffix}")
    graphs: dict[Path, SearchGraph | ReferenceGraph] = {
        file: SearchGraph(network),
        reference: ReferenceGraph(network),
    }
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".export-") as folder:
        exported = [_export(graph, path, Path(folder), form) for path, graph in graphs.items()]
        # Both or none: an export that fails leaves nothing behind.
        for graph in exported:
            (Path(folder) / graph.path.name).replace(graph.path)
    return exported


def _export(
    graph: SearchGraph | ReferenceGraph, path: Path, folder: Path, form: str
) -> ExportedGraph:
    inputs = graph.inputs
    if form == "onnx":
        _write_onnx(graph, inputs, folder / path.name)
    else:
        program = torch.export.export(graph.eval(), (), inputs)
        torch.export.save(program, folder / path.name)
    answers = graph(**inputs)
    answers = answers if isinstance(answers, tuple) else (answers,)
    shapes = (tuple(answer.shape) for answer in answers)
    return ExportedGraph(
        path,
        {name: tuple(value.shape) for name, value in inputs.items()},
        dict(zip(graph.outputs, shapes, strict=True)),
    )


def _write_onnx(graph: SearchGraph | ReferenceGraph, inputs: dict[str, Tensor], file: Path) -> None:
    try:
        torch.onnx.export(
            graph.eval(),
            (),
            file,
            kwargs=inputs,
            input_names=list(inputs),
            output_names=list(graph.outputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    except ImportError as error:
        raise UsageError(f"{error.name} is missing for ONNX: pip install 'arvot[onnx]'") from error
